//! A client that speaks plain HTTP to a TLS port gets one sentence and the end of the connection.

use std::{io, time::Duration};

use rustix::net::{RecvFlags, Shutdown};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
    time::timeout,
};

use super::problem::Problem;

/// How long a closed connection still takes what its peer sends.
///
/// Closing a socket with unread bytes resets it, and a reset may overtake the answer that says why.
pub(super) const LINGER: Duration = Duration::from_millis(250);

/// The first byte of a TLS handshake record.
const HANDSHAKE_RECORD: u8 = 0x16;

/// Whether the client's first byte begins a TLS handshake; it is left where it is.
///
/// # Errors
/// The socket's error, or `UnexpectedEof` if the client left without a byte.
pub(super) async fn begins_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [HANDSHAKE_RECORD]),
    }
}

/// Says that this port speaks HTTPS only, and closes.
///
/// # Errors
/// The socket's error; the connection is closed all the same.
pub(super) async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let body = Problem::HTTPS_REQUIRED.to_json();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    rustix::net::shutdown(&stream, Shutdown::Write)?;
    match timeout(LINGER, discard(&stream)).await {
        Ok(discarded) => discarded,
        Err(_) => Ok(()),
    }
}

async fn discard(stream: &TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match discard_ready(stream) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Throws away what has arrived and says how much; 0 is the end.
///
/// # Security
/// The kernel drops the bytes itself (`MSG_TRUNC`), so that a secret sent in the clear never enters this process.
pub(super) fn discard_ready(stream: &TcpStream) -> io::Result<usize> {
    stream.try_io(Interest::READABLE, || {
        let mut untouched = [0_u8; 4096];
        let (_, discarded) = rustix::net::recv(stream, &mut untouched, RecvFlags::TRUNC)?;
        Ok(discarded)
    })
}

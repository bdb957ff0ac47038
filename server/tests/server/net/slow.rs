//! Clients that let others wait, and a handler that does.

use super::*;

/// Sends one byte every 20 ms until the server has had enough.
async fn drip(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), byte: u8) -> String {
    let mut ticks = interval(Duration::from_millis(20));
    let mut said = Vec::new();
    soon("the server ends a slow client", async {
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                        break;
                    }
                }
                read = stream.read_buf(&mut said) => {
                    if matches!(read, Ok(0) | Err(_)) {
                        break;
                    }
                }
            }
        }
    })
    .await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_client_that_never_speaks_is_closed() {
    let server = start(Limits { handshake: SHORT, ..limits() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();

    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed() {
    let server = start(Limits { handshake: SHORT, ..limits() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let record_and_client_hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    stream.write_all(&record_and_client_hello).await.unwrap();

    assert_eq!(drip(&mut stream, 0).await, "");
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_closed() {
    let server = start(Limits { idle: SHORT, ..limits() }).await;

    assert_eq!(until_closed(&mut connect(server.address, H1).await).await, "");
}

#[tokio::test]
async fn a_header_that_does_not_end_is_closed() {
    let server = start(Limits { header: SHORT, ..limits() }).await;
    let mut stream = connect(server.address, H1).await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nx: ").await.unwrap();

    assert_eq!(drip(&mut stream, b'a').await, "");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_told_so() {
    let server = start(Limits { body: SHORT, ..limits() }).await;
    let mut stream = connect(server.address, H1).await;
    stream.write_all(b"POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\n").await.unwrap();

    let answer = drip(&mut stream, b'a').await;

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"body_too_slow""#), "{answer}");
}

#[tokio::test]
async fn an_idle_keep_alive_connection_is_closed() {
    let server = start(Limits { idle: SHORT, ..limits() }).await;

    let answer = exchange(&server, "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn an_idle_h2_connection_is_closed() {
    let server = start(Limits { idle: SHORT, ..limits() }).await;
    let mut sender = h2(&server).await;
    assert_eq!(text(sender.send_request(request("GET", "/hello", "")).await.unwrap()).await, "hello");

    soon("the connection ends", async {
        while !sender.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let server = start(Limits { answer: SHORT, drain: PATIENCE * 2, ..limits() }).await;
    let mut h1 = connect(server.address, H1).await;
    h1.write_all(b"GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    h1.read_u8().await.unwrap();
    let untaken = h2(&server).await.send_request(request("GET", "/big", "")).await.unwrap();

    server.stop.send(true).unwrap();

    soon("the connections are given up, long before the end of the drain", server.ended).await.unwrap();
    drop(untaken);
}

#[tokio::test]
async fn a_handler_that_does_not_end_is_given_up() {
    let server = start(Limits { request: SHORT, ..limits() }).await;

    let answer = exchange(&server, "GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(r#""code":"request_timeout""#), "{answer}");
}

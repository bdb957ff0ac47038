//! Why the console could not start, or had to end.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::pem;

/// Why the console could not start, or had to end. The terminal is as it was before in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// Not an address of an admin listener.
    #[error("`{0}` is no address of an admin listener: give host:port or https://host:port")]
    Address(String),
    /// The CA file cannot be read, or holds no certificate.
    #[error("{} cannot be used as CA file: it must be PEM with the certificate that issued the listener's", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// A certificate in the CA file is not one of an authority, or the library refuses it.
    #[error("{} holds a certificate that cannot be trusted as an authority", .path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// No screen has that name.
    #[error("no screen is called `{0}`: `:` lists them in the console; the first is `overview`")]
    Screen(String),
    /// Input or output is not a terminal.
    #[error(
        "the console needs a terminal: without one, there is `--plain`; in scripts, use the other commands with `--json`"
    )]
    NoTerminal,
    /// The terminal does not do what it is asked.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
    /// The system gives no event loop.
    #[error("the event loop cannot be started")]
    Runtime(#[source] io::Error),
    /// A part of the console ended before the rest: a fault of its own.
    #[error("a part of the console ended unexpectedly; acts that were under way may have happened")]
    Broken,
}

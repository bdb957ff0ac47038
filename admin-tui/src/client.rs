//! The HTTPS client of the admin API.

mod line;
mod tls;

use crate::Options;
use crate::error::ConsoleError;

/// The admin API, as this operator sees it.
#[derive(Debug)]
pub(crate) struct Client {
    line: line::Line,
}

impl Client {
    /// Reads the address and the CA file; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub(crate) fn new(options: &Options) -> Result<Self, ConsoleError> {
        let endpoint = tls::Endpoint::parse(&options.admin)?;
        Ok(Self { line: line::Line::new(endpoint, tls::config(&options.ca_file)?) })
    }
}

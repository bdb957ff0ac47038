//! The operator console: watches and contains, over the admin API like any other client.

mod client;
mod error;

use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

pub use error::ConsoleError;

/// What the console is started with.
pub struct Options {
    /// The admin listener: `host:port`, or an `https` URL.
    pub admin: String,
    /// The certificate authority that issued the listener's certificate; no other is trusted.
    pub ca_file: PathBuf,
    /// The operator's name, to be offered at login.
    pub operator: Option<String>,
    /// The bearer of a login made before, from `<home>/operator.login`.
    pub bearer: Option<Zeroizing<String>>,
    /// Leaves out every act: nothing but looking.
    pub read_only: bool,
    /// No colours, whatever the terminal can do: `NO_COLOR`.
    pub no_color: bool,
    /// Nothing but ASCII on the screen.
    pub ascii: bool,
    /// Whose credentials to show: a tenant's id or name.
    pub tenant: String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("admin", &self.admin)
            .field("ca_file", &self.ca_file)
            .field("operator", &self.operator)
            .field("read_only", &self.read_only)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// Runs the console until its operator leaves it.
///
/// # Errors
/// [`ConsoleError`]; the terminal is as it was before.
pub fn run(options: Options) -> Result<(), ConsoleError> {
    let client = client::Client::new(&options)?;
    drop((client, options));
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err(ConsoleError::NoTerminal);
    }
    Ok(())
}

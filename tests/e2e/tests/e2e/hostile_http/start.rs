//! Places that the service cannot have: a port that is taken.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use claviger_e2e::{Output, Server, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_error_that_names_it() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().init().await?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    home.configure("listen.api", address.clone())?;

    let refused = Server::refused(&home).await?.exits(1)?;

    says_once(&refused, &["listen.api", &address, "CLAVIGER__LISTEN__API"])?;
    drop(taken);
    Server::start(&home).await?;
    Ok(())
}

/// The last word of a command is one line that says all of this.
fn says_once(output: &Output, words: &[&str]) -> Result<()> {
    let mut said = output.stderr.lines().filter(|line| line.starts_with("claviger: "));
    let (Some(line), None) = (said.next(), said.next()) else {
        anyhow::bail!("not one error: {}", output.stderr);
    };
    for word in words {
        ensure!(line.contains(word), "{word:?} is not said: {line}");
    }
    Ok(())
}

//! Logs: JSON lines on standard error, pretty on a terminal. Bodies and query strings are never logged, and other
//! crates say `info` at most, so that no library's debug output can hold a secret.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Sets up the process's log and its last words. Later calls change nothing.
pub fn init(level: &str) {
    let level = match level {
        "error" | "warn" | "debug" | "trace" => level,
        _ => "info",
    };
    let others = match level {
        "error" | "warn" => level,
        _ => "info",
    };
    let own = ["claviger", "claviger_core", "claviger_hsm", "claviger_server", "claviger_venues"];
    let own: Vec<String> = own.iter().map(|target| format!("{target}={level}")).collect();
    let filter = EnvFilter::new(format!("{others},{}", own.join(",")));
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    let _ = if terminal {
        builder.compact().try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    // A panic's payload may hold anything; where it happened cannot.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a bug: this should not have happened");
    }));
}

//! Nothing: this package only chooses features, see `Cargo.toml`.

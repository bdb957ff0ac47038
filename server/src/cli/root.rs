//! `claviger root`.

use std::num::NonZeroU32;

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, table};
use super::rotation::{Begin, Rotation};

#[derive(Debug, Subcommand)]
pub(super) enum Root {
    /// Lists the token's root keys, and what hangs on each.
    List,
    /// Makes a new root key, and every tenant a KEK under it; everything that is sealed moves, while it is used.
    Rotate(Begin),
    /// Shows how far the newest rotation is, until it waits or has ended.
    Watch,
    /// Has the rotation wait.
    Pause,
    /// Has the rotation go on.
    Resume,
    /// Has the rotation go on at another pace.
    Pace {
        /// Rows a second at most; else as many as the token can.
        rows_per_second: Option<NonZeroU32>,
    },
    /// Destroys a root key that nothing is sealed under, once a second operator approves it.
    Destroy {
        /// Its number.
        number: u32,
        #[command(flatten)]
        consent: Consent,
    },
}

impl Root {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let path = |rest: &[&str]| api_path(&[&["roots"], rest].concat());
        let rotation = Rotation { begin: path(&["rotate"]), newest: path(&["rotation"]), makes: "root/" };
        match self {
            Self::List => {
                let list = here.call(Call::get(&path(&[])))?.json();
                let list = json!({ "data": list });
                here.print(&list, |list| table(list, &["number", "keks", "rows", "newest", "destroying"]));
                Ok(())
            }
            Self::Rotate(begin) => rotation.begin(here, begin),
            Self::Watch => rotation.watch(here),
            Self::Pause => rotation.pause(here),
            Self::Resume => rotation.resume(here),
            Self::Pace { rows_per_second } => rotation.pace(here, *rows_per_second),
            Self::Destroy { number, consent } => {
                let path = path(&[&number.to_string()]);
                let (method, body) = (Method::DELETE, json!({}));
                perform(here, Route { method, path: &path, body, if_match: None, irreversible: true }, consent)
            }
        }
    }
}

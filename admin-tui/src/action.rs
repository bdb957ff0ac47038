//! What the console does to the world. Nothing else of it reaches out.

use crate::state::{Confirmed, Id};

/// What [`update`](crate::app::update) wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Asks the server; an [`Answer`](crate::event::Answer) always follows.
    Ask(Ask),
    /// Draws everything anew, because something else wrote to the terminal.
    Repaint,
    /// Ends the console.
    Quit,
}

/// What can be asked of the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    /// A login, with the password that was typed.
    Login {
        /// The operator's name.
        operator: String,
    },
    /// How the service is.
    Status,
    /// A page of the tenant's credentials.
    Page {
        /// Which loading of the list it is for.
        load: u32,
        /// Where the page before ended.
        cursor: Option<String>,
    },
    /// One credential and its `ETag`.
    One {
        /// Which one.
        id: Id,
    },
    /// One credential, its `ETag`, and what unfreezing it would do.
    Plan {
        /// Which one.
        id: Id,
    },
    /// An act that an operator confirmed in a dialog.
    Act {
        /// The number by which its answer is recognised.
        ticket: u64,
        /// The act.
        confirmed: Confirmed,
    },
}

//! What the console does to the world. Nothing else of it reaches out.

use crate::clean::Clean;
use crate::kind::{Kind, Scope};
use crate::state::dialog::Reply;
use crate::state::list::Wanted;
use crate::state::{Cause, Confirmed, Id};

/// What [`update`](crate::app::update) wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Asks the server; an [`Answer`](crate::event::Answer) always follows.
    Ask(Ask),
    /// Puts a text on the operator's clipboard, by way of the terminal.
    Copy(Clean),
    /// Draws everything anew, because something else wrote to the terminal.
    Repaint,
    /// Gives the terminal back, and stops until the shell says to go on.
    Suspend,
    /// Ends the console.
    Quit,
}

/// What can be asked of the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    /// A login, with the password and the code that were typed.
    Login {
        /// The operator's name.
        operator: String,
    },
    /// A login or a proof by passkey, in a browser.
    Browser {
        /// What for.
        purpose: Purpose,
    },
    /// What became of that.
    BrowserPoll {
        /// What for.
        purpose: Purpose,
    },
    /// That nobody waits for a login any more: one that is made yet is ended at once.
    NoLogin,
    /// That the login is kept for the next time.
    Keep,
    /// How the service is.
    Status,
    /// A page of a list.
    Page {
        /// The number of the view it is for.
        view: u32,
        /// What is listed.
        kind: Kind,
        /// Where that is found.
        scope: Scope,
        /// Which page.
        wanted: Wanted,
    },
    /// One thing by itself.
    One {
        /// The number of the view it is for.
        view: u32,
        /// What it is.
        kind: Kind,
        /// Where it is found.
        scope: Scope,
        /// Which one.
        id: Id,
    },
    /// How a thing stands before an act, or what the act would do.
    Before {
        /// The dialog's number.
        ticket: u64,
        /// The act, and what it is about.
        cause: Cause,
        /// What was typed, where the plan depends on it.
        replies: Vec<Reply>,
    },
    /// An act that an operator confirmed.
    Act {
        /// The number by which its answer is recognised.
        ticket: u64,
        /// The act.
        confirmed: Confirmed,
    },
    /// A fresh proof, with the password and the code that were typed, and then the act that waits for it.
    Prove {
        /// The act's number.
        ticket: u64,
    },
    /// That an act that waits for a proof is forgotten: it was not done and will not be.
    Forget {
        /// The act's number.
        ticket: u64,
    },
}

/// What a browser is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A login.
    Login {
        /// The operator's name.
        operator: String,
    },
    /// A fresh proof, for an act that waits.
    Proof {
        /// The act's number.
        ticket: u64,
    },
}

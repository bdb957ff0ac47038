//! What can be done to things. An act is data too: its key, how dear a mistake is, what is asked before, and the request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Scope;
use super::item::{Cell, Item};
use crate::event::Key;
use crate::keymap::Danger;

/// Acts. Each stands in the table of one kind; `(Kind, Deed)` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the table of each kind describes them")]
pub enum Deed {
    Freeze,
    ReduceOnly,
    Unfreeze,
    Rotate,
    Revoke,
    Delete,
    Probe,
    Reenroll,
    Rekey,
    Withdraw,
    Destroy,
    Pause,
    Resume,
    Throttle,
    EndSecret,
    EndKey,
    EndCertificate,
    Test,
    Redeliver,
    BackUp,
    Open,
    Notify,
    Publish,
    Meet,
    Note,
    Close,
    Approve,
    Deny,
    Cancel,
    Activate,
    Invite,
    ChangeRole,
    Reset,
    Remove,
    End,
    Review,
    ResumeUnlisted,
    StopAll,
    StopTenant,
    StopVenue,
    StopOwner,
    StopApp,
}

/// An act on a thing of a kind.
#[derive(Debug)]
pub struct Act {
    /// Which it is.
    pub deed: Deed,
    /// Its key, on lists and details of the kind: a capital or control and a letter if it is not harmless.
    pub key: Key,
    /// What is done, as a verb: `freeze`. An act on the list says to what: `open an incident`.
    pub verb: &'static str,
    /// What was done, as a participle: `frozen`. An act on the list says to what: `incident opened`.
    pub done: &'static str,
    /// What it does, in a line for the help.
    pub what: &'static str,
    /// How dear a mistake is. What is D3 is confirmed by typing the thing's own name.
    pub danger: Danger,
    /// Whether it is about no thing of the list: the list's detail does not offer it, and no item goes with it.
    pub on_list: bool,
    /// Whether it can be done to several things at once; those have no plan that names a digest.
    pub many: bool,
    /// What the server is asked before the dialog asks the operator.
    pub before: Before,
    /// Whether a reason goes with it.
    pub reason: Reason,
    /// What else is typed.
    pub questions: &'static [Question],
    /// What will happen, a sentence each, beside the server's plan. An act on the list gets none to read.
    pub said: fn(Option<&Item>) -> Vec<String>,
    /// Why it would change nothing, or cannot be done here, to a thing that stands so.
    pub pointless: fn(&Item) -> Option<&'static str>,
    /// HTTP's word for it.
    pub method: Method,
    /// The path. The target's id is the thing's.
    pub path: fn(&Target<'_>) -> String,
    /// What goes into the body beside reason, confirmation and answers, all of which have their own names there. A dot
    /// in a name leads into an object, as in a question's.
    pub body: &'static [(&'static str, Typed)],
}

impl Act {
    /// What most acts have in common. Which act it is, how dear a mistake is, and what is asked before, each says itself.
    pub(super) const PLAIN: Self = Self {
        deed: Deed::Probe,
        key: Key::Esc,
        verb: "",
        done: "",
        what: "",
        danger: Danger::D3,
        on_list: false,
        many: false,
        before: Before::Nothing,
        reason: Reason::Asked,
        questions: &[],
        said: |_| Vec::new(),
        pointless: |_| None,
        method: Method::Post,
        path: |_| String::new(),
        body: &[],
    };
}

/// What the server is asked before the dialog asks the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The thing, for its `ETag`.
    Thing,
    /// What the act would do, by the act's own path and body with `dry_run`: questions are answered before. A digest and
    /// an `ETag` in the answer go with the act.
    Plan,
}

/// Whether a reason goes with an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// None is taken.
    None,
    /// This, unless the act takes one: so that stopping is quick.
    Unsaid(&'static str),
    /// One of 10 to 200 characters.
    Asked,
}

/// Something that is typed into a dialog.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Its name in the body; `scope.kind` is `kind` in the object `scope`.
    pub name: &'static str,
    /// What it is called before the field.
    pub label: &'static str,
    /// What may be typed.
    pub kind: QuestionKind,
}

/// What may be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// A text of at least so many characters; 0: it may be left out, and then is not sent.
    Text(usize),
    /// A whole number above 0; `null` is sent where none is typed.
    Number,
    /// One of these words; the first unless another is chosen (left and right).
    Choice(&'static [&'static str]),
    /// A secret: it never comes into the state. One that begins with a brace is sent as the object that it is.
    Secret,
}

/// A value of a body that is always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A text.
    Text(&'static str),
    /// Yes or no.
    Flag(bool),
    /// The thing's id.
    Id,
    /// The thing's own name.
    Name,
    /// The tenant of the scope, as the console was told it.
    Tenant,
    /// The text of the thing's fact of that number; left out where it has none.
    Fact(usize),
}

/// HTTP's words for acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 9110")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// Where a request goes: a scope, and a thing in it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The scope.
    pub scope: &'a Scope,
    /// The thing's id; empty for a list.
    pub id: &'a str,
    /// The thing itself, for what is done to it.
    pub item: Option<&'a Item>,
}

impl Target<'_> {
    /// `/api/v1/` and `path`.
    pub fn api(&self, path: &str) -> String {
        format!("/api/v1/{path}")
    }

    /// `/api/v1/tenants/` the tenant, and `path`.
    pub fn of_tenant(&self, path: &str) -> String {
        format!("/api/v1/tenants/{}/{path}", encode(&self.scope.tenant))
    }

    /// The same; of a credential that one comes from, what is the credential's.
    pub fn of_credential(&self, path: &str) -> String {
        let from = self.on_the_way(0);
        let query = if from.starts_with("cred_") { format!("?credential={from}") } else { String::new() };
        self.of_tenant(&format!("{path}{query}"))
    }

    /// The thing's id, as a part of a path.
    pub fn id(&self) -> String {
        encode(self.id)
    }

    /// What the thing's fact of that number says, as a part of a path.
    pub fn fact(&self, number: usize) -> String {
        let cell = self.item.and_then(|item| item.cells.get(number));
        cell.and_then(Cell::text).map_or_else(String::new, encode)
    }

    /// The id of the thing on the way that is `back` steps out: 0 is the nearest.
    pub fn on_the_way(&self, back: usize) -> String {
        self.scope.way.iter().rev().nth(back).map_or_else(String::new, |id| encode(id.as_str()))
    }
}

/// A text as one segment of a path, or one value of a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// All but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

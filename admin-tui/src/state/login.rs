//! The login form.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::clean::Clean;

/// The login form. What is typed as password stays in [`Secrets`](crate::secrets::Secrets); this knows whether it is
/// empty and no more, not even how long it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The operator's name.
    pub operator: Field,
    /// Whether keys go to the password.
    pub on_password: bool,
    /// Whether anything is typed there.
    pub typed: bool,
    /// Whether the server is being asked.
    pub waiting: bool,
    /// What the server said, or why a login is needed.
    pub text: Option<Clean>,
}

impl Login {
    /// A form for `operator`, if the name is known.
    pub fn new(operator: Option<&str>) -> Self {
        let operator = operator.map(Field::with).unwrap_or_default();
        let on_password = operator.chars() > 0;
        Self { operator, on_password, ..Self::default() }
    }

    /// The field that characters go to, unless it is the password.
    pub fn field(&mut self) -> Option<&mut Field> {
        (!self.on_password && !self.waiting).then_some(&mut self.operator)
    }

    /// Whether there is something to ask the server.
    pub fn is_complete(&self) -> bool {
        self.operator.chars() > 0 && self.typed && !self.waiting
    }
}

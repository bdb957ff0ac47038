//! What a route table is made of: no route without a row, and no row that does not say who may use it.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, delete, get, patch, post, put};
use claviger_core::identity::role::{Action, Permission, Resource};

use super::gate;
use crate::front::Front;

/// Who may use a route. `gate::pass` asks, before the handler runs and before the body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No proof: what is there is for everybody, or the body holds the proof.
    Nobody,
    /// A virtual key, over whose signature `core::service::gateway` judges.
    Client,
    /// An app's access token.
    App,
    /// An operator's login.
    Operator {
        /// What the role must allow; nothing for what each may do about themselves.
        permission: Option<Permission>,
        /// What of it an operator reaches who is bound to a tenant.
        reach: Reach,
        /// Whether a login is enough.
        proof: Proof,
    },
}

impl Needs {
    /// The same, with a proof of the last minutes that it is they.
    pub(super) const fn proven(self) -> Self {
        match self {
            Self::Operator { permission, reach, .. } => Self::Operator { permission, reach, proof: Proof::Fresh },
            Self::Nobody | Self::Client | Self::App => self,
        }
    }

    /// The same, by a login that has shown all that is asked of operators here.
    pub(super) const fn whole(self) -> Self {
        match self {
            Self::Operator { permission, reach, .. } => Self::Operator { permission, reach, proof: Proof::Whole },
            Self::Nobody | Self::Client | Self::App => self,
        }
    }
}

/// What an operator has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A login.
    Login,
    /// A proof of the last minutes that it is they. Who has a second factor has shown it.
    Fresh,
    /// The same, and a second factor wherever one is asked of operators: what this makes stands for a whole login.
    Whole,
}

/// What an operator reaches who is bound to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The tenant that the path names by `{t}`, if it is their own. The handler gets it as `gate::InTenant`.
    Path,
    /// Their own part, which the handler picks out.
    Own,
    /// Nothing: it is about all tenants.
    Nothing,
}

/// For operators whose role allows it, within the tenant that the path names.
pub(super) const fn of_tenant(resource: Resource, action: Action) -> Needs {
    Needs::Operator { permission: Some(Permission(resource, action)), reach: Reach::Path, proof: Proof::Login }
}

/// For operators whose role allows it; those bound to a tenant get their part, which the handler picks out.
pub(super) const fn own_part(resource: Resource, action: Action) -> Needs {
    Needs::Operator { permission: Some(Permission(resource, action)), reach: Reach::Own, proof: Proof::Login }
}

/// For operators whose role allows it and who are not bound to a tenant.
pub(super) const fn everywhere(resource: Resource, action: Action) -> Needs {
    Needs::Operator { permission: Some(Permission(resource, action)), reach: Reach::Nothing, proof: Proof::Login }
}

/// For each operator, about themselves.
pub(super) const fn myself() -> Needs {
    Needs::Operator { permission: None, reach: Reach::Own, proof: Proof::Login }
}

/// Stands for all methods.
pub const ANY: &str = "ANY";

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The listener that has it: `api`, `admin` or `public`.
    pub listener: &'static str,
    /// The method; [`ANY`] for all.
    pub method: &'static str,
    /// The path, with `{names}` for its variable parts.
    pub path: &'static str,
    /// Who may use it.
    pub needs: Needs,
}

/// The routes of one listener.
pub(super) struct Table {
    listener: &'static str,
    routes: Vec<(Row, MethodRouter<Front>)>,
}

macro_rules! methods {
    ($($name:ident $method:literal)*) => {
        $(
            #[doc = concat!("Adds a route for ", $method, ".")]
            pub(super) fn $name<H, T>(self, path: &'static str, needs: Needs, handler: H) -> Self
            where
                H: Handler<T, Front>,
                T: 'static,
            {
                self.route($method, path, needs, $name(handler))
            }
        )*
    };
}

impl Table {
    /// An empty one.
    pub(super) fn new(listener: &'static str) -> Self {
        Self { listener, routes: Vec::new() }
    }

    methods! { get "GET" post "POST" put "PUT" patch "PATCH" delete "DELETE" }

    /// Adds a route for all methods.
    pub(super) fn any<H, T>(self, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Front>,
        T: 'static,
    {
        self.route(ANY, path, needs, any(handler))
    }

    fn route(mut self, method: &'static str, path: &'static str, needs: Needs, handler: MethodRouter<Front>) -> Self {
        self.routes.push((Row { listener: self.listener, method, path, needs }, handler));
        self
    }

    /// The listener's name.
    pub(super) fn listener(&self) -> &'static str {
        self.listener
    }

    /// What the routes say of themselves.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.routes.iter().map(|(row, _)| *row).collect()
    }

    /// The routes, each behind the gate.
    pub(super) fn router(self, front: &Front) -> Router<Front> {
        self.routes.into_iter().fold(Router::new(), |router, (row, handler)| {
            let gate = from_fn_with_state((front.clone(), row.needs), gate::pass);
            // What takes any method has no route of one, and a layer of routes would have nothing to stand before.
            let guarded = if row.method == ANY { handler.layer(gate) } else { handler.route_layer(gate) };
            router.route(row.path, guarded)
        })
    }
}

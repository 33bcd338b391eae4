//! The list of routes: every one says who may use it, and a guard holds it to that.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use http::Method;
use kernel::actor::Actor;

use crate::shell::{Resolved, Shell};
use crate::{App, Problem};

/// Who may use a route. What they may do with it there, the action decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// A person or firm for their own affairs.
    Citizen,
    /// Whoever holds a post.
    Officer,
    /// The auditor.
    Auditor,
    /// The administrator of the node.
    Administrator,
    /// A system whose token has this scope.
    Scope(&'static str),
    /// Whoever holds a post, or a system whose token has this scope.
    OfficerOrScope(&'static str),
}

impl Access {
    /// Whether `actor` may.
    pub fn admits(self, actor: &Actor) -> bool {
        match self {
            Self::Public => true,
            Self::SignedIn => !matches!(actor, Actor::Anonymous),
            Self::Citizen => matches!(actor, Actor::Citizen { .. }),
            Self::Officer => matches!(actor, Actor::Officer { .. }),
            Self::Auditor => matches!(actor, Actor::Auditor { .. }),
            Self::Administrator => matches!(actor, Actor::Administrator { .. }),
            Self::Scope(wanted) => actor.has_scope(wanted),
            Self::OfficerOrScope(wanted) => matches!(actor, Actor::Officer { .. }) || actor.has_scope(wanted),
        }
    }
}

/// One route, for the matrix test and the documentation.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: Method,
    /// The path as the router knows it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// Routes as they are collected.
#[derive(Default)]
pub struct Routes {
    router: Router<App>,
    list: Vec<Route>,
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a page or a resource to read.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::GET, path, access, get(handler))
    }

    /// Adds an act.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::POST, path, access, post(handler))
    }

    /// Adds an act that may be repeated without harm.
    #[must_use]
    pub fn put<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::PUT, path, access, put(handler))
    }

    /// Adds a removal.
    #[must_use]
    pub fn delete<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::DELETE, path, access, delete(handler))
    }

    /// Adds an upload, whose body may be larger than a form's.
    #[must_use]
    pub fn upload<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.upload_up_to(path, access, crate::forms::MAX_UPLOAD * 2, handler)
    }

    /// Adds an upload of at most so many bytes, which goes to disk ([`crate::forms::FileUpload`]).
    #[must_use]
    pub fn upload_up_to<H, T>(self, path: &'static str, access: Access, bytes: usize, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let limit = axum::extract::DefaultBodyLimit::max(bytes);
        self.add(Method::POST, path, access, post(handler).layer(limit))
    }

    fn add(mut self, method: Method, path: &'static str, access: Access, route: MethodRouter<App>) -> Self {
        let guarded = route.layer(from_fn(move |request: Request, next: Next| guard(access, request, next)));
        self.router = self.router.route(path, guarded);
        self.list.push(Route { method, path, access });
        self
    }

    /// Adds another list.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.list.extend(other.list);
        self
    }

    /// Every route, in order.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    /// The router without its shell.
    pub(crate) fn into_inner(self) -> Router<App> {
        self.router
    }
}

async fn guard(access: Access, request: Request, next: Next) -> Response {
    let resolved = Resolved::of(request.extensions());
    if access.admits(&resolved.actor) {
        return next.run(request).await;
    }
    if !matches!(resolved.actor, Actor::Anonymous) {
        return Problem::forbidden("access.forbidden").into_response();
    }
    let shell = Shell::of(request.extensions());
    if shell.wants_json {
        return Problem::not_signed_in().into_response();
    }
    // A page to come back to: for a form that was posted after the session ended, the page it came from.
    let back = match *request.method() {
        Method::GET => shell.path_and_query.clone(),
        _ => request
            .headers()
            .get(http::header::REFERER)
            .and_then(|value| value.to_str().ok())
            .and_then(|referer| referer.parse::<http::Uri>().ok())
            .and_then(|uri| uri.path_and_query().map(|path| path.as_str().to_owned()))
            .unwrap_or_else(|| "/".to_owned()),
    };
    let encoded = percent_encoding::utf8_percent_encode(&back, percent_encoding::NON_ALPHANUMERIC);
    Redirect::to(&format!("/sign-in?next={encoded}")).into_response()
}

//! Page shell, GOV.UK macros, forms, languages, problem+json and the request's context.
//!
//! A request passes the shell ([`serve`]), which finds out who asks and in which language, then the guard
//! of its route ([`Routes`]), then its handler, which is given a [`Ctx`] and answers with a page, JSON or a
//! [`Problem`]. The shell puts the security headers on every answer and gives a problem its body.
//!
//! # Invariants
//!
//! - Every route declares its [`Access`]; there is no way to add one without.
//! - Everything in a page is escaped; scripts run only with the request's nonce.
//! - A post from another site, or without its form's token, changes nothing.

mod app;
pub mod assets;
mod cache;
mod ctx;
pub mod forms;
pub mod i18n;
mod problem;
pub mod render;
mod routes;
mod shell;
pub mod wire;

pub use app::{App, Authenticate, Boxed, NavItem, NodeInfo, Parts};
pub use cache::PageCache;
pub use ctx::{Ctx, download};
pub use problem::{FieldProblem, Problem, ProblemBody};
pub use routes::{Access, Route, Routes};
pub use shell::{Resolved, Shell, cookie, serve, set_cookie};

//! The state of every route: the ledger, the packs, the renderer, and what the node is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderMap;
use kernel::actor::Actor;
use kernel::time::Timestamp;
use packs::Pack;
use store::Store;

use crate::Problem;
use crate::cache::PageCache;
use crate::render::Renderer;
use crate::routes::Access;
use crate::shell::Resolved;

/// What this node is.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its division code, such as `532900`.
    pub division: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// The address that codes and files lead to, without a final slash.
    pub base_url: String,
    /// Whether this is the demonstration with made-up people.
    pub demo: bool,
    /// Whether cookies are marked `Secure`: always, except on plain loopback.
    pub secure_cookies: bool,
}

/// An entry of the main navigation.
#[derive(Clone, Debug)]
pub struct NavItem {
    /// Where it leads.
    pub href: &'static str,
    /// The key of its label.
    pub key: &'static str,
    /// Who sees it.
    pub access: Access,
    /// Which of them, where the page itself asks for more than its route.
    pub only: Option<fn(&Actor, &Pack) -> bool>,
}

/// A boxed future, as the one place below needs it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Finds out who is asking. `identity` implements it; this crate only needs the answer.
pub trait Authenticate: Send + Sync {
    /// Reads the cookie or the bearer token.
    fn resolve<'a>(&'a self, app: &'a App, headers: &'a HeaderMap) -> Boxed<'a, Result<Resolved, Problem>>;
}

/// The state of every route. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The ledger.
    pub store: Store,
    /// Every item, procedure, type and table.
    pub pack: Arc<Pack>,
    /// Templates and texts.
    pub renderer: Renderer,
    /// What the node is.
    pub node: NodeInfo,
    /// The main navigation.
    pub nav: Vec<NavItem>,
    /// Who finds out who asks.
    pub authenticate: Box<dyn Authenticate>,
    /// Pages for readers who are not signed in.
    pub pages: PageCache,
    /// What single parts of the house add for themselves, by type: this crate need not know it.
    pub extensions: http::Extensions,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// What a part of the house added for itself.
    pub fn part<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.extensions.get()
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.0.store.env().now()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

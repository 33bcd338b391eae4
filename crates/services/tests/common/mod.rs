//! What the tests of this crate share: the shipped content, a ledger and an app without a browser.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use kernel::actor::Actor;
use packs::Pack;
use store::test::{On, TestStore, open};
use tower::ServiceExt;
use web::render::Renderer;
use web::{App, Authenticate, Boxed, NodeInfo, PageCache, Parts, Problem, Resolved};

/// The content that ships.
pub fn pack() -> Arc<Pack> {
    static PACK: OnceLock<Arc<Pack>> = OnceLock::new();
    let load = || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Arc::new(Pack::load(&folder).expect("the shipped content loads"))
    };
    PACK.get_or_init(load).clone()
}

/// Texts that this crate's pages use but others own.
pub fn renderer() -> Renderer {
    let assets = Arc::new(web::assets::Assets::embedded().expect("assets are built"));
    Renderer::builder(assets)
        .add_area::<services::Templates, services::Locales>("services")
        .build()
        .expect("pages and texts are readable")
}

/// Whoever the header `authorization` says, as JSON: tests have no sessions.
struct Stated;

impl Authenticate for Stated {
    fn resolve<'a>(&'a self, _: &'a App, headers: &'a HeaderMap) -> Boxed<'a, Result<Resolved, Problem>> {
        Box::pin(async move {
            let stated = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let actor: Option<Actor> = stated.and_then(|text| serde_json::from_str(text).ok());
            Ok(match actor {
                Some(actor) => {
                    Resolved { actor, name: Some("测试".to_owned()), csrf: None, can_switch: false }
                }
                None => Resolved::anonymous(),
            })
        })
    }
}

/// An app on an empty ledger, with its router.
pub struct TestApp {
    pub app: App,
    pub router: Router,
    pub ledger: TestStore,
}

pub async fn app(on: On) -> TestApp {
    // A failing page says why on standard error; a second call finds the log there already.
    drop(tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init());
    let ledger = open(on, &migrations()).await;
    let app = App::new(Parts {
        store: ledger.store.clone(),
        pack: pack(),
        renderer: renderer(),
        node: NodeInfo {
            division: "532900".to_owned(),
            name_zh: "大理州一网通办".to_owned(),
            name_en: "Dali".to_owned(),
            base_url: "http://127.0.0.1:8080".to_owned(),
            demo: true,
            secure_cookies: false,
        },
        nav: Vec::new(),
        authenticate: Box::new(Stated),
        pages: PageCache::default(),
    });
    let tx = app.store.begin().await.expect("a write begins");
    services::publish(&tx, &app.pack).await.expect("versions are stored");
    tx.commit().await.expect("it commits");
    let router = web::serve(app.clone(), services::routes());
    TestApp { app, router, ledger }
}

fn migrations() -> Vec<store::Migration> {
    services::MIGRATIONS.to_vec()
}

impl TestApp {
    pub async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body arrives").to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        let request =
            Request::get(path).header("accept", "text/html").body(Body::empty()).expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }

    pub async fn post(&self, path: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }
}

//! What the tests of this crate share: the shipped content, a ledger and an app without a browser.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use identity::people::{MaritalStatus, PersonRecord};
use kernel::actor::Actor;
use kernel::ids::{AccountId, SubjectId};
use packs::Pack;
use store::test::{On, TestStore, open};
use tower::ServiceExt;
use web::render::Renderer;
use web::{App, Authenticate, Boxed, NodeInfo, PageCache, Parts, Problem, Resolved};

/// The content that ships.
pub(crate) fn pack() -> Arc<Pack> {
    static PACK: OnceLock<Arc<Pack>> = OnceLock::new();
    let load = || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Arc::new(Pack::load(&folder).expect("the shipped content loads"))
    };
    PACK.get_or_init(load).clone()
}

/// Texts that this crate's pages use but others own.
pub(crate) fn renderer() -> Renderer {
    let assets = Arc::new(web::assets::Assets::embedded().expect("assets are built"));
    Renderer::builder(assets)
        .add_area::<cases::Templates, cases::Locales>("cases")
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
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) ledger: TestStore,
}

pub(crate) async fn app(on: On) -> TestApp {
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
        extensions: http::Extensions::new(),
    });
    let tx = app.store.begin().await.expect("a write begins");
    services::publish(&tx, &app.pack).await.expect("versions are stored");
    tx.commit().await.expect("it commits");
    let router = web::serve(app.clone(), services::routes());
    TestApp { app, router, ledger }
}

fn migrations() -> Vec<store::Migration> {
    [identity::MIGRATIONS, cases::MIGRATIONS, licences::MIGRATIONS, services::MIGRATIONS].concat()
}

impl TestApp {
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body arrives").to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let request =
            Request::get(path).header("accept", "text/html").body(Body::empty()).expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let (status, _, body) = self.send(request).await;
        (status, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }
}

/// A person with an account, who sends requests.
#[derive(Clone)]
pub(crate) struct Citizen {
    pub(crate) subject: SubjectId,
    pub(crate) actor: Actor,
}

/// Numbers of made-up people, valid by their check characters.
pub(crate) const ADULT: &str = "532901199805200010";
pub(crate) const BRIDE: &str = "532901200003080024";
pub(crate) const ELDER: &str = "532901194611240011";

impl TestApp {
    /// Takes in a person whom the registers know.
    pub(crate) async fn person(&self, name: &str, citizen_id: &str, married: bool) -> Citizen {
        let now = self.app.now();
        let sources = ["person", "address", "household", "marriage", "bank_account"];
        let record = PersonRecord {
            name: name.to_owned(),
            citizen_id: citizen_id.to_owned(),
            phone: "13800001234".to_owned(),
            address: "云南省大理白族自治州大理市大理镇复兴路12号".to_owned(),
            household_address: "云南省大理白族自治州大理市大理镇复兴路12号".to_owned(),
            household_division: "532901".to_owned(),
            alive: true,
            marital_status: Some(if married { MaritalStatus::Married } else { MaritalStatus::Single }),
            bank_account: Some("6228480000000000001".to_owned()),
            as_of: sources.map(|source| (source.to_owned(), now)).to_vec(),
        };
        let tx = self.app.store.begin().await.expect("a write begins");
        let subject = identity::people::create(&tx, record, true).await.expect("the person is taken in");
        tx.commit().await.expect("it commits");
        let env = self.app.store.env();
        let account = AccountId::generate(&*env.clock, &*env.entropy);
        Citizen { subject, actor: Actor::Citizen { account, subject, on_behalf_of: None } }
    }

    /// Gives a person the certificate of a house.
    pub(crate) async fn give_house(&self, owner: &Citizen, location: &str) {
        services::demo::give_house(&self.app, owner.subject, location)
            .await
            .expect("the certificate is taken in");
    }

    /// Calls the API as somebody.
    pub(crate) async fn call(
        &self,
        who: &Citizen,
        method: &str,
        path: &str,
        body: serde_json::Value,
    ) -> (StatusCode, serde_json::Value) {
        self.call_with(who, method, path, body, &[]).await
    }

    /// The same with further headers.
    pub(crate) async fn call_with(
        &self,
        who: &Citizen,
        method: &str,
        path: &str,
        body: serde_json::Value,
        headers: &[(&str, &str)],
    ) -> (StatusCode, serde_json::Value) {
        let mut request = Request::builder().method(method).uri(path).header("authorization", token(who));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            serde_json::Value::Null => Body::empty(),
            json => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
        };
        let (status, _, text) = self.send(request.body(body).expect("a request")).await;
        (status, serde_json::from_str(&text).unwrap_or(serde_json::Value::Null))
    }

    /// Uploads a file as somebody.
    pub(crate) async fn upload(
        &self,
        who: &Citizen,
        path: &str,
        name: &str,
        bytes: &[u8],
    ) -> (StatusCode, String) {
        let mut body = format!(
            "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--line--\r\n");
        let request = Request::post(path)
            .header("authorization", token(who))
            .header("content-type", "multipart/form-data; boundary=line")
            .body(Body::from(body))
            .expect("a request");
        let (status, _, text) = self.send(request).await;
        (status, text)
    }

    /// Reads a page as somebody.
    pub(crate) async fn page(&self, who: &Citizen, path: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::get(path)
            .header("accept", "text/html")
            .header("authorization", token(who))
            .body(Body::empty())
            .expect("a request");
        let (status, headers, body) = self.send(request).await;
        (status, headers, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }

    /// Sends a form as somebody, and gives the address that it leads to.
    pub(crate) async fn submit_form(
        &self,
        who: &Citizen,
        path: &str,
        form: &str,
    ) -> (StatusCode, String, String) {
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("authorization", token(who))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let (status, headers, body) = self.send(request).await;
        let to = headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        (status, to, body.replace("&#x2f;", "/").replace("&#x27;", "'"))
    }

    /// Works off what events and jobs wait, as a worker does.
    pub(crate) async fn work_off(&self) {
        const REACTIONS: &[store::outbox::Reaction] =
            &[store::outbox::Reaction { event: "cases.concluded", job: services::jobs::ISSUE_RESULT }];
        store::outbox::dispatch(&self.app.store, REACTIONS, 100).await.expect("events are told");
        while let Some(job) = store::jobs::lease(&self.app.store).await.expect("jobs are leased") {
            assert!(services::jobs::handle(&self.app, &job).await.expect("the job is done"), "{}", job.kind);
        }
    }
}

/// Who sends, for the header that `Stated` reads.
fn token(who: &Citizen) -> String {
    serde_json::to_string(&who.actor).expect("an actor is JSON")
}

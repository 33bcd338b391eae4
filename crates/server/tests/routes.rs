//! Who may use which route: the table of every route and role, and the node itself asked for each of them.
//! And the description of the API, held against the routes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use packs::Pack;
use serde_json::{Value as Json, json};
use store::test::{On, TestStore};
use tower::ServiceExt;
use web::{Access, NodeInfo};

struct Node {
    router: Router,
    _ledger: TestStore,
}

/// A demonstration node on an empty ledger.
async fn node() -> Node {
    let ledger = store::test::open(On::Sqlite, &server::node::migrations()).await;
    let pack = Arc::new(Pack::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")).unwrap());
    let info = NodeInfo {
        division: "532900".to_owned(),
        name_zh: "大理州一网通办".to_owned(),
        name_en: "Dali".to_owned(),
        base_url: "http://127.0.0.1:8080".to_owned(),
        demo: true,
        secure_cookies: false,
    };
    let app = server::node::app(ledger.store.clone(), pack, info).await.unwrap();
    identity::demo::seed(&app).await.unwrap();
    services::demo::seed(&app).await.unwrap();
    Node { router: server::router::service(app).unwrap(), _ledger: ledger }
}

impl Node {
    async fn send(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Vec<u8>) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    async fn json(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Json>,
    ) -> (StatusCode, Json) {
        let mut request = Request::builder().method(method).uri(path).header("accept", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let (status, _, bytes) = self.send(request.body(body).unwrap()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    /// Signs in over the API.
    async fn session(&self, login: &str) -> String {
        let (_, personas) = self.json("GET", "/api/v1/demo/personas", None, None).await;
        let persona = personas["personas"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["login"] == login)
            .unwrap()
            .clone();
        let body = json!({ "login": login, "password": persona["password"], "totp": persona["totp"] });
        let (status, session) = self.json("POST", "/api/v1/sessions", None, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }
}

/// The roles of the table and who plays them.
const ROLES: [(&str, &str); 5] = [
    ("nobody", ""),
    ("citizen", "duanxiaohui"),
    ("officer", "market-registrar"),
    ("auditor", "auditor"),
    ("administrator", "admin"),
];

fn admits(access: Access, role: &str) -> bool {
    match access {
        Access::Public => true,
        Access::SignedIn => role != "nobody",
        Access::Citizen => role == "citizen",
        Access::Officer | Access::OfficerOrScope(_) => role == "officer",
        Access::Auditor => role == "auditor",
        Access::Administrator => role == "administrator",
        // A scope is for systems, whom no person is.
        Access::Scope(_) => false,
    }
}

#[test]
fn the_table_of_routes_and_roles_is_the_one_that_was_agreed() {
    let mut lines: Vec<String> = server::router::routes()
        .list()
        .iter()
        .map(|route| {
            let mut who: Vec<String> = ROLES
                .iter()
                .filter(|(role, _)| admits(route.access, role))
                .map(|(role, _)| (*role).to_owned())
                .collect();
            if let Access::Scope(scope) | Access::OfficerOrScope(scope) = route.access {
                who.push(format!("system with {scope}"));
            }
            format!("{:<6} {:<60} {}", route.method.as_str(), route.path, who.join(" "))
        })
        .collect();
    lines.sort();
    insta::assert_snapshot!("routes", lines.join("\n"));
}

/// Routes that end a session are asked for last.
fn ends_a_session(path: &str) -> bool {
    ["sign-out", "sessions/current", "end-others", "/end", "sessions/{id}"]
        .iter()
        .any(|part| path.contains(part))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_admits_whom_the_table_names_and_nobody_else() {
    let node = node().await;
    let mut tokens = BTreeMap::new();
    for (role, login) in ROLES.into_iter().skip(1) {
        tokens.insert(role, node.session(login).await);
    }
    let routes = server::router::routes();
    let mut list: Vec<_> = routes.list().to_vec();
    list.sort_by_key(|route| ends_a_session(route.path));
    let mut asked = 0;
    for route in &list {
        let path: Vec<String> = route
            .path
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    "01a20d5d-4706-7970-83d4-41450fda7bdf".to_owned()
                } else {
                    part.to_owned()
                }
            })
            .collect();
        let path = path.join("/");
        for (role, _) in ROLES {
            // Whoever may is refused first, so that a session that ends does so at the end.
            let may = admits(route.access, role);
            if may && ends_a_session(route.path) {
                continue;
            }
            let body = (route.method != Method::GET && route.method != Method::DELETE).then(|| json!({}));
            let token = tokens.get(role).map(String::as_str);
            let (status, answer) = node.json(route.method.as_str(), &path, token, body).await;
            let code = answer["code"].as_str().unwrap_or_default().to_owned();
            asked += 1;
            let what = format!("{} {} as {role}: {status} {code}", route.method, route.path);
            if may {
                assert!(code != "access.forbidden" && code != "access.not_signed_in", "{what}");
                assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{what}");
            } else if role == "nobody" {
                assert_eq!(
                    (status, code.as_str()),
                    (StatusCode::UNAUTHORIZED, "access.not_signed_in"),
                    "{what}"
                );
            } else {
                assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "access.forbidden"), "{what}");
            }
        }
    }
    assert!(asked > 700, "only {asked} were asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_carries_the_headers_that_protect_it() {
    let node = node().await;
    for path in ["/", "/search?q=x", "/sign-in", "/verify", "/no-such-page", "/api/v1/items"] {
        let (_, headers, _) = node.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let header = |name: &str| {
            headers.get(name).unwrap_or_else(|| panic!("{path} has no {name}")).to_str().unwrap().to_owned()
        };
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert!(!header("x-request-id").is_empty());
    }
}

#[test]
fn the_description_of_the_api_is_the_one_that_is_published() {
    let made = format!("{}\n", server::router::openapi().to_pretty_json().unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("YIWANG_UPDATE").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        published == made,
        "the API changed: look at it, then write docs/openapi.json with YIWANG_UPDATE=1"
    );
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else() {
    let document: Json = serde_json::to_value(server::router::openapi()).unwrap();
    let mut described = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert(format!("{} {path}", method.to_uppercase()));
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(
                !id.is_empty() && ids.insert(id.clone()),
                "{method} {path}: the id `{id}` is not its own"
            );
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path} has no answer");
        }
    }
    let served: BTreeSet<String> = server::router::routes()
        .list()
        .iter()
        .filter(|route| {
            route.path.starts_with("/api/v1/") || described.contains(&format!("GET {}", route.path))
        })
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(described, served);
}

#[test]
fn two_parts_of_the_house_never_mean_different_things_by_one_name() {
    let mut seen: BTreeMap<String, Json> = BTreeMap::new();
    for part in [identity::openapi(), cases::openapi(), licences::openapi(), services::openapi()] {
        let part: Json = serde_json::to_value(part).unwrap();
        let schemas = part["components"]["schemas"].as_object().cloned().unwrap_or_default();
        for (name, schema) in schemas {
            if let Some(other) = seen.get(&name) {
                assert_eq!(
                    other["properties"], schema["properties"],
                    "`{name}` is described twice and differently"
                );
            }
            seen.insert(name, schema);
        }
    }
}

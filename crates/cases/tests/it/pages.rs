//! Pages and API as people and programs meet them: one node with the shipped content, over HTTP.

use std::sync::Arc;

use crate::common::*;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use kernel::actor::Actor;
use packs::Pack;
use scraper::{Html, Selector};
use serde_json::{Value as Json, json};
use store::test::{On, TestStore};
use tower::ServiceExt;
use web::assets::Assets;
use web::render::Renderer;
use web::{App, Authenticate, Boxed, NodeInfo, PageCache, Parts, Problem, Resolved};

/// Whoever the bearer token names.
struct ByName;

impl Authenticate for ByName {
    fn resolve<'a>(&'a self, _: &'a App, headers: &'a HeaderMap) -> Boxed<'a, Result<Resolved, Problem>> {
        let name = headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        Box::pin(async move {
            let actor = person(&name);
            Ok(Resolved { actor, name: Some(name), csrf: None, can_switch: false })
        })
    }
}

fn person(name: &str) -> Actor {
    let office = PACK.node().rating_office.clone();
    match name {
        "applicant" => citizen(1),
        "stranger" => citizen(2),
        "registrar" => registrar(),
        "approver" => approver(),
        "deputy" => deputy(),
        "elsewhere" => officer(61, "dali-city-civil-affairs", &["registrar"]),
        "verifier" => officer(41, &office, &["rating-verifier"]),
        other => panic!("nobody is called {other}"),
    }
}

struct Node {
    router: Router,
    ledger: TestStore,
}

async fn node() -> Node {
    let migrations = [identity::MIGRATIONS, cases::MIGRATIONS].concat();
    let ledger = store::test::open(On::Sqlite, &migrations).await;
    let renderer = Renderer::builder(Arc::new(Assets::embedded().unwrap()))
        .add_area::<cases::Templates, cases::Locales>("cases")
        .build()
        .unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs");
    let app = App::new(Parts {
        store: ledger.store.clone(),
        pack: Arc::new(Pack::load(std::path::Path::new(folder)).unwrap()),
        renderer,
        node: NodeInfo {
            division: "532900".to_owned(),
            name_zh: "大理".to_owned(),
            name_en: "Dali".to_owned(),
            base_url: "http://localhost".to_owned(),
            demo: true,
            secure_cookies: false,
        },
        nav: Vec::new(),
        authenticate: Box::new(ByName),
        pages: PageCache::default(),
        extensions: http::Extensions::new(),
    });
    Node { router: web::serve(app, cases::routes()), ledger }
}

impl Node {
    async fn send(&self, name: &str, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("authorization", format!("Bearer {name}").parse().unwrap());
        let response = self.router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    async fn page(&self, name: &str, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
        let (status, _, body) = self.send(name, request).await;
        (status, String::from_utf8(body).unwrap())
    }

    /// A page that must be there, in both languages, without a text that is missing.
    async fn both(&self, name: &str, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        let (status, english) = self.page(name, &format!("{path}{sign}lang=en")).await;
        assert_eq!(status, StatusCode::OK, "{path}: {english}");
        let main = text(&english, "main");
        let (status, chinese) = self.page(name, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(count(&chinese, "h1"), 1, "{path}");
        assert!(!main.contains("cases-") && !text(&chinese, "main").contains("cases-"), "{path}");
        chinese
    }

    async fn form(&self, name: &str, path: &str, fields: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let body: Vec<String> =
            fields.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .unwrap();
        let (status, headers, body) = self.send(name, request).await;
        (status, headers, String::from_utf8(body).unwrap())
    }

    async fn api(&self, name: &str, method: &str, path: &str, body: Option<Json>) -> (StatusCode, Json) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
        let (status, _, body) = self.send(name, request.body(body).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or(Json::Null))
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn count(page: &str, selector: &str) -> usize {
    Html::parse_document(page).select(&Selector::parse(selector).unwrap()).count()
}

fn text(page: &str, selector: &str) -> String {
    let document = Html::parse_document(page);
    let found = document.select(&Selector::parse(selector).unwrap()).next();
    found.map(|element| element.text().collect::<Vec<_>>().join(" ")).unwrap_or_default()
}

fn multipart(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Request<Body> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    if let Some((name, bytes)) = file {
        let head =
            format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    Request::post("/placeholder")
        .header("accept", "text/html")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap()
}

fn to(path: &str, mut request: Request<Body>) -> Request<Body> {
    *request.uri_mut() = path.parse().unwrap();
    request
}

#[tokio::test]
async fn the_walk_of_a_case_through_the_pages() {
    let node = node().await;
    let store = &node.ledger.store;
    let (key, told) = opened(store, new_case(store)).await;
    let number = &told.case_no;
    let (mine, work) = (format!("/my/cases/{number}"), format!("/work/cases/{number}"));

    let queue = node.both("registrar", "/work").await;
    assert!(queue.contains(number) && queue.contains("段**") && !queue.contains("段誉和"));
    let case = node.both("registrar", &work).await;
    assert!(case.contains("段誉和") && case.contains("收件"));
    assert!(count(&case, ".yw-actions form, .yw-actions a") >= 4, "the actions are at the bottom");

    let (status, headers, _) = node.form("registrar", &format!("{work}/claim"), &[("seen", "1")]).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, work.as_str()));
    let (status, _, _) = node.form("registrar", &format!("{work}/accept"), &[("seen", "1")]).await;
    assert_eq!(status, StatusCode::CONFLICT, "the page was read before the claim");

    node.both("registrar", &format!("{work}/ask-correction")).await;
    let (status, _, again) =
        node.form("registrar", &format!("{work}/ask-correction"), &[("points", "")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(count(&again, ".govuk-error-summary"), 1);
    let points = [("points", "租赁合同缺少签名\n缺少照片"), ("seen", "2")];
    let (status, _, _) = node.form("registrar", &format!("{work}/ask-correction"), &points).await;
    assert_eq!(status, StatusCode::SEE_OTHER);

    let page = node.both("applicant", &mine).await;
    assert!(page.contains("缺少照片") && page.contains("只会通知这一次"));
    node.both("applicant", &format!("{mine}/correction")).await;
    let lie =
        to(&format!("{mine}/correction"), multipart(&[("text", "已补")], Some(("a.pdf", b"MZ\x90 program"))));
    let (status, _, body) = node.send("applicant", lie).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(String::from_utf8(body).unwrap().contains("只能上传 PDF"));
    let answer = to(
        &format!("{mine}/correction"),
        multipart(&[("text", "已补签")], Some(("合同.pdf", b"%PDF-1.7 x"))),
    );
    assert_eq!(node.send("applicant", answer).await.0, StatusCode::SEE_OTHER);
    let case = node.both("registrar", &work).await;
    let link = Html::parse_document(&case)
        .select(&Selector::parse("a[href*='/files/']").unwrap())
        .next()
        .unwrap()
        .attr("href")
        .unwrap()
        .to_owned();
    let (status, _, file) = node.send("registrar", Request::get(&link).body(Body::empty()).unwrap()).await;
    assert_eq!((status, file.as_slice()), (StatusCode::OK, b"%PDF-1.7 x".as_slice()));

    assert_eq!(node.form("registrar", &format!("{work}/accept"), &[]).await.0, StatusCode::SEE_OTHER);
    node.both("registrar", &format!("{work}/pause")).await;
    let pause = [("ground", "hearing"), ("notice", "举行听证")];
    assert_eq!(node.form("registrar", &format!("{work}/pause"), &pause).await.0, StatusCode::SEE_OTHER);
    assert!(node.both("applicant", &mine).await.contains("时限暂停"));
    assert_eq!(node.form("registrar", &format!("{work}/resume"), &[]).await.0, StatusCode::SEE_OTHER);
    node.both("deputy", &format!("{work}/extend")).await;
    let extend = [("reason", "情形复杂")];
    assert_eq!(node.form("deputy", &format!("{work}/extend"), &extend).await.0, StatusCode::SEE_OTHER);
    node.both("registrar", &format!("{work}/note")).await;
    assert_eq!(
        node.form("registrar", &format!("{work}/note"), &[("text", "内部备注一")]).await.0,
        StatusCode::SEE_OTHER
    );
    node.both("registrar", &format!("{work}/examine")).await;
    let examine = [("opinion", "场所属实"), ("outcome", "approved")];
    assert_eq!(node.form("registrar", &format!("{work}/examine"), &examine).await.0, StatusCode::SEE_OTHER);

    let decide = [("outcome", "refused"), ("reason", "场所用途不符"), ("article", "registration-19")];
    let same = node.form("registrar", &format!("{work}/decide"), &decide).await;
    assert_eq!(same.0, StatusCode::FORBIDDEN);
    let form = node.both("approver", &format!("{work}/decide")).await;
    assert!(form.contains("场所属实"), "whoever decides reads the opinion");
    assert_eq!(node.form("approver", &format!("{work}/decide"), &decide).await.0, StatusCode::SEE_OTHER);

    let page = node.both("applicant", &mine).await;
    assert!(page.contains("场所用途不符") && page.contains("第十九条"));
    assert!(
        !page.contains("内部备注一") && !page.contains("场所属实"),
        "notes and opinions are for colleagues"
    );
    let document = node.both("applicant", &format!("{mine}/decision")).await;
    assert!(document.contains("决定书") && document.contains("Refused"), "both languages at once");
    node.both("registrar", &format!("{work}/decision")).await;
    node.both("applicant", &format!("{mine}/review")).await;
    node.both("applicant", &format!("{mine}/rate")).await;
    let missing = node.form("applicant", &format!("{mine}/rate"), &[("moment", "completion")]).await;
    assert_eq!(missing.0, StatusCode::UNPROCESSABLE_ENTITY);
    let rating = [("moment", "completion"), ("grade", "1"), ("comment", "来回跑了三趟")];
    assert_eq!(node.form("applicant", &format!("{mine}/rate"), &rating).await.0, StatusCode::SEE_OTHER);
    assert!(!node.both("registrar", &work).await.contains("来回跑了三趟"), "the rated do not learn of it");
    let supervision = node.both("verifier", "/supervision").await;
    assert!(supervision.contains("1.00"));
    assert!(node.both("verifier", "/work").await.contains("差评核实整改"));
    let asked = node.form("applicant", &format!("{mine}/review"), &[("reason", "用途已变更")]).await;
    assert_eq!(asked.0, StatusCode::SEE_OTHER);
    assert!(node.both("applicant", "/my/cases").await.contains("人工复核"));

    // Everybody who looked is on the person's record.
    let seen = store::audit::footprint(&store.read(), key.subject, None, 200).await.unwrap();
    let views =
        seen.iter().filter(|entry| entry.action == "cases.view" && entry.actor_kind == "officer").count();
    assert!(views >= 10, "{views}");
}

#[tokio::test]
async fn nobody_reads_or_does_what_is_not_theirs() {
    let node = node().await;
    let store = &node.ledger.store;
    let (_, told) = opened(store, new_case(store)).await;
    let number = &told.case_no;
    for path in ["", "/correction", "/decision", "/history.json", "/rate", "/withdraw"] {
        let (status, page) = node.page("stranger", &format!("/my/cases/{number}{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.contains("段誉和"));
    }
    assert_eq!(node.page("elsewhere", &format!("/work/cases/{number}")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.page("applicant", "/work").await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.page("registrar", "/supervision").await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.page("registrar", &format!("/my/cases/{number}")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        node.page("registrar", "/work/cases/532901-20261124-0000000-0").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(node.page("registrar", &format!("/work/cases/{number}/dance")).await.0, StatusCode::NOT_FOUND);
    let file = format!("/work/cases/{number}/files/01890a5d-ac96-774b-bcce-b302099a8057");
    assert_eq!(node.page("registrar", &file).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_walk_over_the_api() {
    let node = node().await;
    let store = &node.ledger.store;
    let (_, told) = opened(store, new_case(store)).await;
    let number = &told.case_no;
    let (_, list) = node.api("registrar", "GET", "/api/v1/work/cases?stage=received", None).await;
    assert_eq!(list["cases"][0]["case_no"], json!(number));
    let act = |action: &str| format!("/api/v1/work/cases/{number}/actions/{action}");
    let (status, case) = node.api("registrar", "POST", &act("accept"), Some(json!({"seen": 1}))).await;
    assert_eq!((status, &case["stage"]), (StatusCode::OK, &json!("accepted")));
    assert_eq!(case["promised"]["due_on"], json!("2026-11-27"));
    assert_eq!(case["promised"]["derivation"][0]["kind"], json!("started"));
    let (status, problem) =
        node.api("approver", "POST", &act("examine"), Some(json!({"seen": 1, "text": "x"}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("case.changed_meanwhile")));
    let (status, problem) = node.api("registrar", "POST", &act("examine"), Some(json!({"text": ""}))).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("opinion"))
    );
    let (status, problem) = node.api("registrar", "POST", &act("examine"), Some(json!({"txt": ""}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("form.invalid")));
    let (status, _) = node.api("registrar", "POST", &act("examine"), Some(json!({"text": "属实"}))).await;
    assert_eq!(status, StatusCode::OK);
    let decision = json!({"outcome": "approved", "text": "符合条件", "article": "registration-19"});
    let (status, problem) = node.api("registrar", "POST", &act("decide"), Some(decision.clone())).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("case.not_your_post")));
    let (status, case) = node.api("approver", "POST", &act("decide"), Some(decision)).await;
    assert_eq!((status, &case["stage"]), (StatusCode::OK, &json!("production")));

    let own = format!("/api/v1/cases/{number}");
    let (_, case) = node.api("applicant", "GET", &own, None).await;
    assert_eq!((&case["outcome"], &case["favourable"]), (&json!("approved"), &json!(true)));
    let (_, document) = node.api("applicant", "GET", &format!("{own}/decision"), None).await;
    assert_eq!(document["outcome"]["zh"], json!("准予登记"));
    let (_, history) = node.api("applicant", "GET", &format!("{own}/history"), None).await;
    let states: Vec<i64> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["national_state"].as_i64())
        .collect();
    assert_eq!(states, [1, 3, 8, 11]);
    let (status, _) = node.api("stranger", "GET", &own, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let rating = json!({"moment": "submission", "grade": 2, "comment": "太慢"});
    let (status, answer) = node.api("applicant", "POST", &format!("{own}/ratings"), Some(rating)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer["complaint_case_no"].is_string());
    let (_, history) =
        node.api("registrar", "GET", &format!("/api/v1/work/cases/{number}/history"), None).await;
    assert!(!history.to_string().contains("太慢"));
    let (status, figures) = node.api("verifier", "GET", "/api/v1/supervision", None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(figures["items"].as_array().unwrap().iter().any(|item| item["bad"] == json!(1)));
    let (status, problem) =
        node.api("applicant", "POST", &format!("{own}/withdrawal"), Some(json!({}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("case.wrong_stage")));
}

#[tokio::test]
async fn every_page_of_a_case_that_needs_nothing_says_so() {
    let node = node().await;
    let store = &node.ledger.store;
    assert!(node.both("registrar", "/work").await.contains("没有待办办件"));
    assert!(node.both("registrar", "/work?light=red&q=zz").await.contains("没有符合条件的办件"));
    assert!(node.both("applicant", "/my/cases").await.contains("还没有办件"));
    node.both("verifier", "/supervision").await;
    let (_, told) = opened(store, new_case(store)).await;
    let mine = format!("/my/cases/{}", told.case_no);
    node.both("applicant", &format!("{mine}/withdraw")).await;
    assert_eq!(
        node.form("applicant", &format!("{mine}/withdraw"), &[("seen", "1")]).await.0,
        StatusCode::SEE_OTHER
    );
    assert!(node.both("applicant", &mine).await.contains("您已撤回申请"));
    for minutes in 0..45 {
        opened(store, new_case(store)).await;
        node.ledger.clock.advance(SignedDuration::from_mins(minutes));
    }
    let first = node.both("registrar", "/work").await;
    assert_eq!(count(&first, "a[rel=next]"), 1);
    let second = Html::parse_document(&first);
    let next = second.select(&Selector::parse("a[rel=next]").unwrap()).next().unwrap().attr("href").unwrap();
    assert_eq!(count(&node.both("registrar", next).await, "tbody tr"), 20);
}

#[test]
fn texts_are_complete_and_used_in_both_languages() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let mut users = Vec::new();
    for part in ["templates", "src"] {
        collect(&std::path::Path::new(folder).join(part), &mut users);
    }
    let texts = web::render::sources(web::render::embedded::<cases::Locales>()).unwrap();
    let findings = web::i18n::lint(&texts, users.iter().map(String::as_str));
    assert!(findings.is_empty(), "{findings:#?}");
}

fn collect(folder: &std::path::Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_api_is_described_operation_by_operation() {
    let described = serde_json::to_value(cases::openapi()).unwrap();
    for route in cases::routes().list().iter().filter(|route| route.path.starts_with("/api/")) {
        let method = route.method.as_str().to_lowercase();
        assert!(
            described["paths"][route.path][&method]["operationId"].is_string(),
            "{method} {}",
            route.path
        );
    }
}

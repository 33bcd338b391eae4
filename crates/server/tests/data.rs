//! Data on grants, through the whole node: what is granted is answered, what is not is refused, and every use is on
//! record, for the asker, the provider, and the person concerned.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use grants::actions::{self, Change};
use grants::model::terms::{Environment, Terms};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kernel::ids::AccountId;
use packs::Pack;
use serde_json::{Value as Json, json};
use store::Purpose;
use store::test::{On, TestStore};
use tower::ServiceExt;
use web::{App, NodeInfo};

struct Node {
    app: App,
    router: Router,
    _ledger: TestStore,
}

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
    sharing::seed::seed(&app, sharing::demo::Scale::default()).await.unwrap();
    // A start that comes again changes nothing.
    sharing::seed::seed(&app, sharing::demo::Scale::default()).await.unwrap();
    Node { router: server::router::service(app.clone()).unwrap(), app, _ledger: ledger }
}

impl Node {
    async fn send(&self, method: &str, path: &str, token: &str, body: Option<Json>) -> (StatusCode, Vec<u8>) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", "application/json")
            .header("accept-language", "en");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status();
        (status, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    async fn json(&self, method: &str, path: &str, token: &str, body: Option<Json>) -> (StatusCode, Json) {
        let (status, bytes) = self.send(method, path, token, body).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    async fn session(&self, login: &str) -> String {
        let (_, personas) = self.json("GET", "/api/v1/demo/personas", "", None).await;
        let persona =
            personas["personas"].as_array().unwrap().iter().find(|one| one["login"] == login).unwrap();
        let body = json!({ "login": login, "password": persona["password"], "totp": persona["totp"] });
        let (status, session) = self.json("POST", "/api/v1/sessions", "", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, token: &str, sql: &str) -> (StatusCode, Json) {
        let body = json!({ "sql": sql, "purpose": "statistics" });
        self.json("POST", "/api/v1/data/queries", token, Some(body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_answered_within_its_bounds_and_every_use_is_on_record() {
    let node = node().await;
    let analyst = node.session("data-analyst").await;
    let (status, list) = node.json("GET", "/api/v1/data/resources", &analyst, None).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let mut ids: Vec<&str> =
        list["resources"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["firms", "penalties", "social_insurance", "water_quality"]);

    // Rows of a resource, filtered and page by page.
    let path =
        "/api/v1/data/resources/penalties/records?purpose=statistics&limit=2&select=decision_no,amount";
    let (status, page) = node.json("GET", path, &analyst, None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["rows"].as_array().unwrap().len(), 2);
    assert_eq!(page["synthetic"], json!(true));
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, next) = node.json("GET", &format!("{path}&cursor={cursor}"), &analyst, None).await;
    assert_ne!(page["rows"], next["rows"]);

    // A join over two grants; what is not granted is not there.
    let sql = "SELECT f.industry_section, count(*) AS n FROM firms f JOIN penalties p ON p.uscc = f.uscc
               GROUP BY 1 ORDER BY n DESC";
    let (status, answer) = node.ask(&analyst, sql).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(!answer["rows"].as_array().unwrap().is_empty());
    let use_id = answer["use_id"].as_str().unwrap().to_owned();
    for (sql, code) in [
        ("SELECT * FROM population", "lake.plan"),
        ("SELECT representative FROM firms", "lake.plan"),
        ("DELETE FROM firms", "lake.not_a_query"),
        ("EXPLAIN SELECT * FROM firms", "lake.explain"),
        ("SELECT wage FROM social_insurance", "lake.not_aggregate"),
    ] {
        let (status, problem) = node.ask(&analyst, sql).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{sql}: {problem}");
        assert_eq!(problem["code"], json!(code), "{sql}: {problem}");
    }
    // Aggregates leave where rows do not.
    let (status, answer) =
        node.ask(&analyst, "SELECT division, count(*), avg(wage) FROM social_insurance WHERE wage IS NOT NULL GROUP BY division").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(!answer["rows"].as_array().unwrap().is_empty());

    // The receipt of a use is verified offline, with the trust list alone.
    let (status, receipt) =
        node.send("GET", &format!("/api/v1/data/uses/{use_id}/receipt"), &analyst, None).await;
    assert_eq!(status, StatusCode::OK);
    let trust = node.app.store.keys().trust_list();
    let read = sharing::receipt::check(&receipt, &trust).unwrap();
    assert_eq!(read.record.use_id.to_string(), use_id);
    assert_eq!(read.record.grants.len(), 2);
    // Where the answer comes from, as other tools read it.
    let path = format!("/api/v1/data/uses/{use_id}/lineage");
    let (status, event) = node.json("GET", &path, &analyst, None).await;
    assert_eq!(status, StatusCode::OK, "{event}");
    assert_eq!((&event["eventType"], &event["run"]["runId"]), (&json!("COMPLETE"), &json!(use_id)));
    let fields = &event["outputs"][0]["facets"]["columnLineage"]["fields"];
    assert_eq!(fields["industry_section"]["inputFields"][0]["field"], json!("industry_section"), "{event}");
    assert_eq!(fields["industry_section"]["inputFields"][0]["name"], json!("firms"), "{event}");
    let changed = String::from_utf8(receipt).unwrap().replace("\"rows\": ", "\"rows\": 1");
    assert!(sharing::receipt::check(changed.as_bytes(), &trust).is_err());
    // Refused statements are on record as well, and nobody else reads the receipt.
    let (_, uses) = node.json("GET", "/api/v1/data/uses", &analyst, None).await;
    let outcomes: Vec<&str> =
        uses["uses"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert!(outcomes.contains(&"lake.not_a_query") && outcomes.contains(&"ok"), "{outcomes:?}");
    let stranger = node.session("market-registrar").await;
    let (status, _) = node.send("GET", &format!("/api/v1/data/uses/{use_id}/receipt"), &stranger, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, problem) = node.ask(&stranger, "SELECT * FROM firms").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_counts_from_the_next_statement_and_whoever_is_concerned_sees_the_use() {
    let node = node().await;
    let db = node.app.store.read();
    let population = grants::store::of_resource(&db, "population").await.unwrap();
    let old = population.iter().find(|grant| grant.terms.purpose == Purpose::CaseHandling).unwrap();
    // The same, for a purpose that needs no case.
    let terms = Terms { purpose: Purpose::Verification, most_uses: Some(2), ..old.terms.clone() };
    assert_eq!(terms.environment, Environment::Rows {});
    let steward = actor_of(&node.app, "data-steward").await;
    let approver = actor_of(&node.app, "data-approver").await;
    let tx = node.app.store.begin().await.unwrap();
    let grant = actions::issue(&tx, &steward, terms).await.unwrap();
    actions::change(&tx, &node.app.pack, &approver, grant.id, Change::Approve, "依法").await.unwrap();
    tx.commit().await.unwrap();

    let examiner = node.session("civil-examiner").await;
    let citizen = identity::demo::subject_of(&db, "duanxiaohui").await.unwrap().unwrap();
    let number = identity::people::get(&db, citizen).await.unwrap().unwrap().record.citizen_id;
    let path = format!("/api/v1/data/resources/population/records?purpose=verification&citizen_id={number}");
    let (status, page) = node.json("GET", &path, &examiner, None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let rows = page["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{page}");
    // Found by the true number, shown behind its mask.
    assert_ne!(rows[0]["citizen_id"], json!(number));
    assert!(rows[0]["citizen_id"].as_str().unwrap().contains('*'));
    assert!(rows[0]["name"].as_str().unwrap().starts_with('段'));

    let own = node.session("duanxiaohui").await;
    let (_, footprint) = node.json("GET", "/api/v1/me/footprint", &own, None).await;
    let text = footprint.to_string();
    assert!(text.contains("sharing.use"), "{text}");

    let (status, _) = node.json("GET", &path, &examiner, None).await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = node.json("GET", &path, &examiner, None).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::FORBIDDEN, &json!("grants.refused_used_up")),
        "{problem}"
    );
    let wrong = path.replace("verification", "statistics");
    let (status, problem) = node.json("GET", &wrong, &examiner, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    let case = path.replace("verification", "case_handling");
    let (status, problem) = node.json("GET", &case, &examiner, None).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::FORBIDDEN, &json!("grants.refused_case")),
        "{problem}"
    );
}

async fn actor_of(app: &App, login: &str) -> kernel::actor::Actor {
    let db = app.store.read();
    let account = identity::accounts::find_by_login(&db, login).await.unwrap().unwrap();
    let id: AccountId = account.id;
    identity::accounts::actor(&db, id, app.now()).await.unwrap().unwrap()
}

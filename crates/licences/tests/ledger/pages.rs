//! The pages and the API over HTTP, with a doorman that believes what a header says.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, OrgCode, PostCode, SubjectId, Uuid};
use licences::{Licence, Locales, Templates, actions};
use serde_json::{Value as Json, json};
use store::test::{BOTH, On, TestStore};
use tower::ServiceExt;
use web::render::Renderer;
use web::{App, Authenticate, Boxed, NodeInfo, PageCache, Parts, Problem, Resolved, serve};

use crate::common::{PACK, business, business_fields, citizen, holder, issued, ledger, officer};

struct Doorman;

impl Authenticate for Doorman {
    fn resolve<'a>(&'a self, _: &'a App, headers: &'a HeaderMap) -> Boxed<'a, Result<Resolved, Problem>> {
        let who = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        Box::pin(async move {
            let actor = match who.as_deref() {
                Some("holder") => citizen(),
                Some("stranger") => Actor::Citizen {
                    account: AccountId::from_uuid(Uuid::from_u128(8)),
                    subject: SubjectId::from_uuid(Uuid::from_u128(9)),
                    on_behalf_of: None,
                },
                Some("officer") => officer(),
                Some("clerk") => Actor::Officer {
                    account: AccountId::from_uuid(Uuid::from_u128(5)),
                    subject: SubjectId::from_uuid(Uuid::from_u128(6)),
                    posts: vec![PostHolding {
                        post: PostCode::new("somewhere-intake").unwrap(),
                        org: OrgCode::new("somewhere").unwrap(),
                        role: "approver".to_owned(),
                    }],
                },
                _ => Actor::Anonymous,
            };
            let name = (!matches!(actor, Actor::Anonymous)).then(|| "段小慧".to_owned());
            Ok(Resolved { actor, name, csrf: None, can_switch: false })
        })
    }
}

struct Node {
    test: TestStore,
    app: App,
    licence: Licence,
}

impl Node {
    async fn new(on: On) -> Self {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        test.clock.advance(SignedDuration::from_secs(5));
        let assets = Arc::new(web::assets::Assets::embedded().unwrap());
        let renderer = Renderer::builder(assets).add_area::<Templates, Locales>("licences").build().unwrap();
        let app = App::new(Parts {
            store: test.store.clone(),
            pack: Arc::clone(&PACK),
            renderer,
            node: NodeInfo {
                division: "532900".into(),
                name_zh: "大理白族自治州".into(),
                name_en: "Dali".into(),
                base_url: "http://127.0.0.1:8080".into(),
                demo: true,
                secure_cookies: false,
            },
            nav: Vec::new(),
            authenticate: Box::new(Doorman),
            pages: PageCache::default(),
            extensions: http::Extensions::new(),
        });
        Self { test, app, licence }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        serve(self.app.clone(), licences::routes()).oneshot(request).await.unwrap()
    }

    async fn get(&self, who: &str, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("authorization", who).header("accept", "text/html");
        read(self.send(request.body(Body::empty()).unwrap()).await).await
    }

    async fn post_form(&self, who: &str, path: &str, body: &str) -> Response {
        let request = Request::post(path)
            .header("authorization", who)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn post_json(&self, who: &str, path: &str, body: Json) -> (StatusCode, Json) {
        let request =
            Request::post(path).header("authorization", who).header("content-type", "application/json");
        let (status, text) = read(self.send(request.body(Body::from(body.to_string())).unwrap()).await).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Sends the form of the page /verify, as a browser without scripts does.
    async fn verify(&self, text: &str, file: Option<&[u8]>) -> (StatusCode, String) {
        let mut body = Vec::new();
        for (name, value) in [("text", text), ("verifier", "古城社区"), ("purpose", "租赁备案")] {
            let part = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n",
        );
        body.extend_from_slice(file.unwrap_or_default());
        body.extend_from_slice(b"\r\n--b--\r\n");
        let request = Request::post("/verify")
            .header("accept", "text/html")
            .header("content-type", "multipart/form-data; boundary=b");
        read(self.send(request.body(Body::from(body)).unwrap()).await).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/my/licences/{}{rest}", self.licence.id)
    }
}

async fn read(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    // Slashes are escaped in pages.
    (status, String::from_utf8_lossy(&bytes).replace("&#x2f;", "/"))
}

async fn bytes(response: Response) -> Vec<u8> {
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn the_wallet_shows_the_licence_in_both_languages() {
    let node = Node::new(On::Sqlite).await;
    let (status, page) = node.get("holder", "/my/licences").await;
    assert_eq!(status, StatusCode::OK);
    for part in ["我的证照", "营业执照", "大理市古城苍洱扎染小店", "92532901MA6K0000XY"] {
        assert!(page.contains(part), "{part}");
    }
    let (_, page) = node.get("holder", "/my/licences?lang=en").await;
    assert!(page.contains("My licences") && page.contains("Business licence"));
    let (_, page) = node.get("stranger", "/my/licences").await;
    assert!(page.contains("还没有电子证照"));
}

#[tokio::test]
async fn one_licence_shows_the_holders_own_field_and_what_happened() {
    let node = Node::new(On::Sqlite).await;
    for lang in ["zh-CN", "en"] {
        let (status, page) = node.get("holder", &node.path(&format!("?lang={lang}"))).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for part in ["532901199003071244", "扎染工艺品零售", &node.licence.identifier().to_string()] {
            assert!(page.contains(part), "{part}");
        }
    }
    let (status, _) = node.get("stranger", &node.path("")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = node.get("nobody", &node.path("")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, _) = node.get("holder", "/my/licences/1/pdf").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_downloaded_is_valid_to_whoever_uploads_it() {
    let node = Node::new(On::Sqlite).await;
    for kind in ["/pdf", "/file"] {
        let request = Request::get(node.path(kind)).header("authorization", "holder");
        let file = bytes(node.send(request.body(Body::empty()).unwrap()).await).await;
        let (status, page) = node.verify("", Some(&file)).await;
        assert_eq!(status, StatusCode::OK);
        for part in ["真实有效", "大理市古城苍洱扎染小店", "大理市市场监督管理局"] {
            assert!(page.contains(part), "{kind} {part}");
        }
        assert!(!page.contains("532901199003071244"));
    }
    let (_, page) = node.get("holder", &node.path("/uses")).await;
    for part in ["核验了证照文件", "古城社区", "租赁备案"] {
        assert!(page.contains(part), "{part}");
    }
    let (_, page) = node.verify("", Some(b"%PDF-1.4 something else")).await;
    assert!(page.contains("无法识别"));
    let (status, page) = node.verify("", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("请输入出示码"));
}

#[tokio::test]
async fn a_presentation_is_scanned_confirmed_and_used_once() {
    for on in BOTH {
        let node = Node::new(on).await;
        let (_, page) = node.get("holder", &node.path("/present")).await;
        assert!(page.contains("银行开户") && page.contains("亮照经营"));
        let (status, page) =
            read(node.post_form("holder", &node.path("/present"), "scene=prove-premises").await).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("data:image/svg+xml;base64,"), "the code is drawn without scripts");
        let at = page.find("http://127.0.0.1:8080/verify/").unwrap();
        let code = &page[at + 29..at + 40];

        // A preview of the link uses nothing up.
        for _ in 0..2 {
            let (status, page) = node.get("nobody", &format!("/verify/{code}")).await;
            assert_eq!(status, StatusCode::OK);
            assert!(page.contains(&code.replace('-', "")));
        }
        let (status, page) = node.verify(&format!("http://127.0.0.1:8080/verify/{code}"), None).await;
        assert_eq!(status, StatusCode::OK);
        for part in ["真实有效", "证明经营场所", "复兴路112号"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("段小慧") && !page.contains("扎染工艺品零售"), "no more than the scene needs");
        let (status, page) = node.verify(code, None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("已使用过"));
        let (_, page) = node.get("holder", &node.path("")).await;
        assert!(page.contains("已被核验 1 次"));
    }
}

#[tokio::test]
async fn an_annotated_copy_is_made_downloaded_and_tells_what_it_is_for() {
    let node = Node::new(On::Sqlite).await;
    let wrong = node.post_form("holder", &node.path("/copy"), "purpose=&recipient=A&days=9999").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let form = "purpose=%E5%8A%9E%E7%90%86%E7%A7%9F%E8%B5%81%E5%A4%87%E6%A1%88&recipient=ABC&days=1";
    let made = node.post_form("holder", &node.path("/copy"), form).await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER);
    let copies = actions::copies_of(&node.test.store.read(), holder(), node.licence.id).await.unwrap();
    assert_eq!(copies[0].valid_to, jiff::civil::date(2026, 11, 24));
    let (_, page) = node.get("holder", &node.path("")).await;
    assert!(page.contains("办理租赁备案"));
    let path = node.path(&format!("/copies/{}", copies[0].copy_no));
    let request = Request::get(path).header("authorization", "holder");
    let file = bytes(node.send(request.body(Body::empty()).unwrap()).await).await;
    let (_, page) = node.verify("", Some(&file)).await;
    assert!(page.contains("这是一份加注件") && page.contains("办理租赁备案"), "{page}");
    let (_, page) = node.get("holder", &node.path("/uses")).await;
    assert!(page.contains("核验了加注件"));
}

#[tokio::test]
async fn an_officer_revokes_with_reasons_and_everybody_learns_of_it() {
    for on in BOTH {
        let node = Node::new(on).await;
        let work = format!("/work/licences/{}", node.licence.id);
        let (_, page) = node.get("officer", "/work/licences?q=92532901MA6K0000XY").await;
        assert!(page.contains(&work), "{page}");
        let (_, page) = node.get("clerk", "/work/licences?q=92532901MA6K0000XY").await;
        assert!(page.contains("没有找到"));
        let (status, _) = node.get("clerk", &work).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, page) = node.get("officer", &work).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!page.contains("532901199003071244"), "the holder's own field is not the officer's");
        let (status, page) = node.get("officer", &format!("{work}/revoke")).await;
        assert!(status == StatusCode::OK && page.contains("永久失效"));
        let bare = node.post_form("officer", &format!("{work}/revoke"), "reason=x&legal_basis=").await;
        assert_eq!(bare.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let refused = node.post_form("clerk", &format!("{work}/revoke"), "reason=x&legal_basis=y").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let form = "reason=%E6%92%A4%E9%94%80%E7%99%BB%E8%AE%B0&legal_basis=Article%2040";
        let done = node.post_form("officer", &format!("{work}/revoke"), form).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
        let twice = node.post_form("officer", &format!("{work}/suspend"), form).await;
        assert_eq!(twice.status(), StatusCode::CONFLICT);

        let text = node.licence.document.qr_text().unwrap();
        let (_, page) = node.verify(&text, None).await;
        assert!(page.contains("已吊销"), "{page}");
        let (_, page) = node.get("holder", &node.path("")).await;
        for part in ["撤销登记", "Article 40", "大理市市场监督管理局"] {
            assert!(page.contains(part), "{part}");
        }
        let (status, _) = node.get("officer", &format!("{work}/paint")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_api_does_what_the_pages_do() {
    let node = Node::new(On::Sqlite).await;
    let base = format!("/api/v1/licences/{}", node.licence.id);
    let (status, list) = node.get("holder", "/api/v1/licences").await;
    assert_eq!(status, StatusCode::OK);
    let list: Json = serde_json::from_str(&list).unwrap();
    assert_eq!(list["licences"][0]["status"], "valid");
    assert_eq!(list["licences"][0]["fields"]["uscc"], "92532901MA6K0000XY");
    let (_, one) = node.get("holder", &base).await;
    assert_eq!(serde_json::from_str::<Json>(&one).unwrap()["history"][0]["kind"], "issued");

    let (status, made) =
        node.post_json("holder", &format!("{base}/presentations"), json!({"scene": "show-customer"})).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let wish = json!({"code": made["code"], "verifier": "顾客"});
    let (status, seen) = node.post_json("nobody", "/api/v1/verifications", wish.clone()).await;
    assert_eq!((status, seen["verdict"].as_str()), (StatusCode::OK, Some("valid")));
    let (status, gone) = node.post_json("nobody", "/api/v1/verifications", wish).await;
    assert_eq!((status, gone["code"].as_str()), (StatusCode::GONE, Some("licence.code_gone")));
    let (status, _) = node.post_json("holder", &format!("{base}/presentations"), json!({"scene": "x"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, bad) = node.post_json("nobody", "/api/v1/verifications", json!({})).await;
    assert_eq!(
        (status, bad["errors"][0]["field"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("text"))
    );

    let (_, made) =
        node.post_json("holder", &format!("{base}/credentials"), json!({"fields": ["scope"]})).await;
    let (_, seen) =
        node.post_json("nobody", "/api/v1/verifications", json!({"text": made["credential"]})).await;
    assert_eq!(seen["verdict"], "valid");
    assert!(seen["claims"].as_array().unwrap().iter().any(|claim| claim["label"]["zh"] == "经营范围"));
    assert!(seen["claims"].as_array().unwrap().iter().all(|claim| claim["id"] != "operator"));

    let copy = json!({"purpose": "备案", "recipient": "住建局", "valid_to": "2026-12-01"});
    let (status, made) = node.post_json("holder", &format!("{base}/copies"), copy).await;
    assert_eq!((status, made["purpose"].as_str()), (StatusCode::OK, Some("备案")));
    let (_, uses) = node.get("holder", &format!("{base}/uses")).await;
    assert_eq!(serde_json::from_str::<Json>(&uses).unwrap()["uses"].as_array().unwrap().len(), 2);

    let grounds = json!({"reason": "检查", "legal_basis": "条例第四十条"});
    let work = format!("/api/v1/work/licences/{}/actions", node.licence.id);
    let (status, _) = node.post_json("clerk", &format!("{work}/suspend"), grounds.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, changed) = node.post_json("officer", &format!("{work}/suspend"), grounds.clone()).await;
    assert_eq!((status, changed["status"].as_str()), (StatusCode::OK, Some("suspended")));
    let (status, _) = node.post_json("holder", &format!("{base}/presentations"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, changed) = node.post_json("officer", &format!("{work}/restore"), grounds).await;
    assert_eq!(changed["status"], "valid");
    let (status, found) = node.get("officer", "/api/v1/work/licences?q=92532901MA6K0000XY").await;
    assert!(status == StatusCode::OK && found.contains("business-licence"));
}

#[tokio::test]
async fn the_published_lists_are_enough_to_verify_elsewhere() {
    let node = Node::new(On::Sqlite).await;
    let (_, trust) = node.get("nobody", "/.well-known/yiwang-trust.json").await;
    let (_, status) = node.get("nobody", "/.well-known/yiwang-status.json").await;
    let trust = serde_json::from_str(&trust).unwrap();
    let status = serde_json::from_str(&status).unwrap();
    let file = licences::verify::file_document(&node.licence).unwrap().to_file_json().unwrap();
    let now = node.test.store.env().now();
    assert!(licences::verify::verify_file(&file, &trust, Some(&status), now).is_good());
    let (status, token) = node.get("nobody", "/.well-known/status/0").await;
    assert!(status == StatusCode::OK && token.split('.').count() == 3);
    assert_eq!(node.get("nobody", "/.well-known/status/x").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn jobs_expire_and_publish_and_leave_other_kinds_alone() {
    for on in BOTH {
        let node = Node::new(on).await;
        for (kind, known) in [("licences.expire", true), ("cases.sweep", false)] {
            let tx = node.test.store.begin().await.unwrap();
            tx.enqueue(store::jobs::NewJob::new(kind, &json!({})).unwrap());
            tx.commit().await.unwrap();
            let job = store::jobs::lease(&node.test.store).await.unwrap().unwrap();
            assert_eq!(licences::jobs::handle(&node.app, &job).await.unwrap(), known);
            let left = store::jobs::counts(&node.test.store).await.unwrap();
            assert_eq!(left, (i64::from(!known), 0));
        }
    }
}

#[test]
fn every_resource_of_the_api_is_described() {
    let described = licences::openapi();
    for route in licences::routes().list() {
        if route.path.starts_with("/api/") || route.path.starts_with("/.well-known/") {
            assert!(described.paths.paths.contains_key(route.path), "{}", route.path);
        }
    }
}

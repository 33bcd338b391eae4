//! Whole submissions a second: `POST /api/v1/drafts/{draft}/submit` through the whole router, less the socket.
//! Each is validated, decided by its table, encrypted, receipted in two suites, audited and told; the answer comes
//! after the commit is on disk. Beside it: rows a second, one commit each, by the bare library.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use identity::accounts::{AccountKind, NewAccount};
use identity::people::{MaritalStatus, PersonRecord};
use kernel::citizen_id::CitizenId;
use kernel::division::{DivisionCode, Divisions};
use kernel::entropy::OsEntropy;
use kernel::time::SystemClock;
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use serde_json::{Value as Json, json};
use store::{Env, Faults};
use tower::ServiceExt;
use web::NodeInfo;

const ITEM: &str = "individual-business-registration";
/// People who send at once.
const PEOPLE: u16 = 64;
/// Drafts that each of them sends, one after another.
const EACH: usize = 48;
/// Rows of the bare measurement.
const ROWS: usize = 2_000;
const PASSWORD: &str = "a-password-of-the-measurement";

/// Measures on SQLite and, where `YIWANG_TEST_POSTGRES` names a server, on PostgreSQL.
pub(crate) async fn run() -> anyhow::Result<()> {
    one("sqlite", None).await?;
    let server = std::env::var("YIWANG_TEST_POSTGRES").context("YIWANG_TEST_POSTGRES names no server")?;
    let admin = Database::connect(format!("{server}/postgres")).await?;
    admin.execute_unprepared("DROP DATABASE IF EXISTS bench").await?;
    admin.execute_unprepared("CREATE DATABASE bench").await?;
    one("postgresql", Some(format!("{server}/bench"))).await
}

async fn one(name: &str, ledger: Option<String>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::open(folder.path(), ledger.clone()).await?;
    let people = node.people().await?;
    let mut drafts = Vec::new();
    for (number, token) in people.iter().enumerate() {
        let mut own = Vec::new();
        for draft in 0..EACH {
            own.push(node.draft(token, number, draft).await?);
        }
        drafts.push((token.clone(), own));
    }
    let used = processor_time()?;
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for (token, own) in drafts {
        let node = node.clone();
        senders.spawn(async move {
            for draft in own {
                let path = format!("/api/v1/drafts/{draft}/submit");
                let (status, body) = node.call("POST", &path, Some(&token), None).await?;
                ensure!(status == StatusCode::OK, "{status}: {body}");
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let used = processor_time()? - used;
    let all = usize::from(PEOPLE) * EACH;
    let rate = all as f64 / seconds;
    let cases = node.app_count("SELECT COUNT(*) AS n FROM cases_case").await?;
    ensure!(cases == i64::try_from(all)?, "{cases} cases of {all} submissions");
    let ceiling = bare_commits(folder.path(), ledger.as_deref()).await?;
    println!(
        "{}",
        json!({
            "name": format!("submissions on {name}"), "value": rate, "unit": "1/s",
            "ceiling": ceiling, "ceiling_name": "rows, one commit each, one connection",
            "peer": 24.0, "peer_name": "a known case API, as it published; not run here",
        })
    );
    println!(
        "{}",
        json!({
            "name": format!("processor time a submission on {name}"), "value": used * 1000.0 / all as f64,
            "unit": "ms", "ceiling": null, "peer": null,
        })
    );
    Ok(())
}

/// Seconds that this process has used of all processors, its own and the system's for it.
fn processor_time() -> anyhow::Result<f64> {
    /// Linux counts in hundredths of a second, whatever the machine.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').context("no name in /proc/self/stat")?.1.split_whitespace().collect();
    let ticks = |place: usize| anyhow::Ok(fields.get(place).context("a short line")?.parse::<f64>()?);
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Rows a second with a commit each, by the library that the store uses, with the store's own settings.
async fn bare_commits(folder: &std::path::Path, ledger: Option<&str>) -> anyhow::Result<f64> {
    let url = match ledger {
        Some(url) => url.to_owned(),
        None => format!("sqlite:{}?mode=rwc", folder.join("bare.sqlite").display()),
    };
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    if ledger.is_none() {
        connection.execute_unprepared("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").await?;
    }
    connection
        .execute_unprepared("CREATE TABLE bare (id BIGINT NOT NULL PRIMARY KEY, body TEXT NOT NULL)")
        .await?;
    let began = Instant::now();
    for row in 0..ROWS {
        connection
            .execute_unprepared(&format!("INSERT INTO bare VALUES ({row}, 'a row of the measurement')"))
            .await?;
    }
    Ok(ROWS as f64 / began.elapsed().as_secs_f64())
}

#[derive(Clone)]
struct Node {
    app: web::App,
    router: Router,
}

impl Node {
    async fn open(folder: &std::path::Path, ledger: Option<String>) -> anyhow::Result<Self> {
        let env =
            Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults: Faults::default() };
        let pack = Arc::new(server::node::load_pack(std::path::Path::new("packs"))?);
        let place = store::Config {
            url: ledger,
            data_dir: folder.to_owned(),
            issuer: Some("urn:yiwang:node:bench".to_owned()),
        };
        let root = crypto::root::RootKey::generate(&*env.entropy);
        let store = store::Store::open(&place, env, root, &server::node::migrations()).await?;
        let info = NodeInfo {
            division: "532900".to_owned(),
            name_zh: "大理州一网通办".to_owned(),
            name_en: "Dali".to_owned(),
            base_url: "http://127.0.0.1:8080".to_owned(),
            demo: false,
            secure_cookies: false,
        };
        let app = server::node::app(store, pack, info).await?;
        Ok(Self { router: server::router::service(app.clone())?, app })
    }

    async fn app_count(&self, sql: &str) -> anyhow::Result<i64> {
        use store::Reads;
        Ok(self.app.store.read().count(sql, vec![]).await?)
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Json>,
    ) -> anyhow::Result<(StatusCode, Json)> {
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
        let (parts, body) = self.router.clone().oneshot(request.body(body)?).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok((parts.status, serde_json::from_slice(&bytes).unwrap_or(Json::Null)))
    }

    /// Everybody who will send, signed in.
    async fn people(&self) -> anyhow::Result<Vec<String>> {
        let hash = identity::sign_in::hash(&self.app, PASSWORD.to_owned()).await?;
        let division = DivisionCode::parse("532901")?;
        let now = self.app.now();
        let tx = self.app.store.begin().await?;
        for number in 0..PEOPLE {
            let birth = jiff::civil::date(1990, 3, 7);
            let citizen =
                CitizenId::compose(division, birth, 100 + number, now.china_date(), Divisions::embedded())?;
            let address = "云南省大理白族自治州大理市大理镇复兴路1号".to_owned();
            let sources = ["person", "address", "household", "marriage", "bank_account"];
            let record = PersonRecord {
                name: "测量".to_owned(),
                citizen_id: citizen.as_str().to_owned(),
                phone: "19900000000".to_owned(),
                address: address.clone(),
                household_address: address,
                household_division: "532901".to_owned(),
                alive: true,
                marital_status: Some(MaritalStatus::Single),
                bank_account: None,
                as_of: sources.iter().map(|source| ((*source).to_owned(), now)).collect(),
            };
            let subject = identity::people::create(&tx, record, true).await?;
            let account = NewAccount {
                subject,
                login: format!("bench-{number}"),
                kind: AccountKind::Citizen,
                password_hash: Some(hash.clone()),
                totp: None,
            };
            identity::accounts::create(&tx, account).await?;
        }
        tx.commit().await?;
        let mut tokens = Vec::new();
        for number in 0..PEOPLE {
            let body = json!({ "login": format!("bench-{number}"), "password": PASSWORD });
            let (status, session) = self.call("POST", "/api/v1/sessions", None, Some(body)).await?;
            ensure!(status == StatusCode::CREATED, "{status}: {session}");
            tokens.push(text(&session, "token")?);
        }
        Ok(tokens)
    }

    /// A draft that may be submitted and is decided at once.
    async fn draft(&self, token: &str, person: usize, number: usize) -> anyhow::Result<String> {
        let (status, begun) =
            self.call("POST", "/api/v1/drafts", Some(token), Some(json!({ "item": ITEM }))).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {begun}");
        let id = text(&begun, "id")?;
        let mut answers = serde_json::Map::new();
        let pages = begun.get("pages").and_then(Json::as_array).cloned().unwrap_or_default();
        for field in pages.iter().filter_map(|page| page.get("fields")?.as_array()).flatten() {
            if let Some(value) = field.get("value").filter(|value| !value.is_null()) {
                answers.insert(text(field, "id")?, value.clone());
            }
        }
        answers.insert("shop.name".to_owned(), shop_name(person, number).into());
        answers.insert("shop.place_kind".to_owned(), "online".into());
        let address = "云南省大理白族自治州大理市大理镇复兴路1号";
        answers.insert("shop.address".to_owned(), address.into());
        answers.insert("shop.scope".to_owned(), json!(["retail"]));
        answers.insert("operator.declares".to_owned(), true.into());
        let path = format!("/api/v1/drafts/{id}/answers");
        let (status, put) = self.call("PUT", &path, Some(token), Some(json!({ "answers": answers }))).await?;
        ensure!(status == StatusCode::OK, "{status}: {put}");
        Ok(id)
    }
}

fn text(value: &Json, member: &str) -> anyhow::Result<String> {
    Ok(value
        .get(member)
        .and_then(Json::as_str)
        .with_context(|| format!("no `{member}` in {value}"))?
        .to_owned())
}

/// A name of its own in Chinese characters, as the rules for names want it.
fn shop_name(person: usize, number: usize) -> String {
    const SIGNS: [char; 16] =
        ['春', '夏', '秋', '冬', '山', '水', '云', '月', '花', '竹', '松', '梅', '石', '泉', '风', '雪'];
    let sign = |at: usize| SIGNS.get(at % SIGNS.len()).copied().unwrap_or('春');
    [sign(person), sign(person / 16), sign(number), sign(number / 16), '店'].iter().collect()
}

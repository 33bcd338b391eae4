//! A case of the shipped content, its people and its ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cases::actions::{NewCase, OpenedCase, open, prepare};
use cases::model::{Payload, Point, Reason, Row, Section, Terms, Words};
use cases::{CaseKey, Loaded};
use kernel::actor::{Actor, PostHolding};
use kernel::case_no::CaseNo;
use kernel::entropy::{Entropy, SeededEntropy};
use kernel::ids::{AccountId, CaseId, SubjectId};
use kernel::legal_clock::{ClockRule, Limit, StartEvent, Unit};
use kernel::time::{ManualClock, Timestamp};
use packs::Pack;
use store::Store;
use store::test::{On, TestStore};

pub(crate) static PACK: LazyLock<Pack> = LazyLock::new(|| {
    Pack::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"))).unwrap()
});

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
}

/// Someone of the tests: the same number is the same person.
pub(crate) fn subject(number: u64) -> SubjectId {
    SubjectId::generate(&ManualClock::new(at("2026-01-01T00:00")), &SeededEntropy::new(number))
}

pub(crate) fn account(number: u64) -> AccountId {
    AccountId::generate(&ManualClock::new(at("2026-01-01T00:00")), &SeededEntropy::new(1000 + number))
}

pub(crate) fn citizen(number: u64) -> Actor {
    Actor::Citizen { account: account(number), subject: subject(number), on_behalf_of: None }
}

/// An officer with these roles in one organisation.
pub(crate) fn officer(number: u64, org: &str, roles: &[&str]) -> Actor {
    let posts = roles
        .iter()
        .map(|role| PostHolding {
            post: format!("{org}-{role}").parse().unwrap(),
            org: org.parse().unwrap(),
            role: (*role).to_owned(),
        })
        .collect();
    Actor::Officer { account: account(number), subject: subject(number), posts }
}

pub(crate) const MARKET: &str = "dali-city-market";

pub(crate) fn registrar() -> Actor {
    officer(11, MARKET, &["registrar"])
}

pub(crate) fn approver() -> Actor {
    officer(12, MARKET, &["approver", "registrar"])
}

pub(crate) fn deputy() -> Actor {
    officer(13, MARKET, &["deputy-director"])
}

pub(crate) fn point(text: &str) -> Point {
    Point { text: text.to_owned() }
}

pub(crate) fn reason(text: &str) -> Reason {
    Reason { text: Words::new(text, text), article: None }
}

pub(crate) async fn ledger(on: On) -> TestStore {
    store::test::open(on, cases::MIGRATIONS).await
}

/// An application of person 1 for a shop, as it would come in now.
pub(crate) fn new_case(store: &Store) -> NewCase {
    new_case_of(store, "registration-confirmation", subject(1))
}

pub(crate) fn new_case_of(store: &Store, procedure: &str, subject: SubjectId) -> NewCase {
    let env = store.env();
    let today = env.now().china_date();
    let procedure = PACK.procedure(procedure).unwrap().clone();
    NewCase {
        subject,
        case_id: CaseId::generate(&*env.clock, &*env.entropy),
        case_no: number(today, &*env.entropy),
        item_id: "individual-business-registration".to_owned(),
        item_hash: "sm3:00".to_owned(),
        item_name: Words::new("个体工商户设立登记", "Registering an individual business"),
        terms: Terms::resolve(&procedure, PACK.rules(), today).unwrap(),
        procedure,
        org: MARKET.parse().unwrap(),
        division: "532901".to_owned(),
        applicant: "段誉和".to_owned(),
        payload: Payload {
            sections: vec![Section {
                title: Words::new("经营者", "Owner"),
                rows: vec![Row {
                    field: "name".to_owned(),
                    label: Words::new("姓名", "Name"),
                    value: "段誉和".into(),
                    source: None,
                }],
            }],
            facts: serde_json::json!({"owner": {"age": 30}}),
            materials: Vec::new(),
        },
        received_at: env.now(),
        statutory: Some(rule(20)),
        promised: rule(3),
        parent: None,
        at_once: None,
    }
}

pub(crate) fn rule(days: u32) -> ClockRule {
    ClockRule {
        limit: Limit { days, unit: Unit::WorkingDays },
        start: StartEvent::Accepted,
        source: "行政许可法 42".to_owned(),
    }
}

pub(crate) fn number(today: kernel::time::Date, entropy: &dyn Entropy) -> String {
    CaseNo::generate("532901".parse().unwrap(), today, entropy).as_str().to_owned()
}

pub(crate) async fn opened(store: &Store, new: NewCase) -> (CaseKey, OpenedCase) {
    let actor = citizen(1);
    let key = CaseKey { subject: new.subject, id: new.case_id };
    let prepared = prepare(store, &actor, new).unwrap();
    let tx = store.begin().await.unwrap();
    let told = open(&tx, &actor, prepared).await.unwrap();
    tx.commit().await.unwrap();
    (key, told)
}

pub(crate) async fn loaded(store: &Store, key: CaseKey) -> Loaded {
    cases::find(&store.read(), key).await.unwrap().unwrap()
}

pub(crate) fn code(error: &cases::ActionError) -> &'static str {
    kernel::error::Coded::code(error)
}

pub(crate) fn set(clock: &Arc<ManualClock>, text: &str) {
    clock.set(at(text));
}

pub(crate) fn no_values() -> BTreeMap<String, serde_json::Value> {
    BTreeMap::new()
}

/// Runs one action in a transaction of its own.
macro_rules! act {
    ($store:expr, $action:ident $(, $arg:expr)*) => {{
        let tx = $store.begin().await.unwrap();
        match cases::actions::$action(&tx $(, $arg)*).await {
            Ok(done) => { tx.commit().await.unwrap(); Ok(done) }
            Err(error) => Err(error),
        }
    }};
}

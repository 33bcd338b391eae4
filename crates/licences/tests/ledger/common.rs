//! A ledger with the shipped pack, and licences in it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, OrgCode, PostCode, SubjectId, Uuid};
use licences::actions::{self, LicenceError};
use licences::{Licence, MIGRATIONS, NewLicence, Registry};
use packs::Pack;
use serde_json::{Map, Value as Json, json};
use store::test::{On, TestStore, open};

pub(crate) static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    Arc::new(Pack::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs").as_path()).unwrap())
});

pub(crate) fn registry() -> Registry<'static> {
    Registry { pack: &PACK, base_url: "http://127.0.0.1:8080" }
}

pub(crate) async fn ledger(on: On) -> TestStore {
    open(on, MIGRATIONS).await
}

pub(crate) fn holder() -> SubjectId {
    SubjectId::from_uuid(Uuid::from_u128(0x11))
}

pub(crate) fn officer() -> Actor {
    Actor::Officer {
        account: AccountId::from_uuid(Uuid::from_u128(1)),
        subject: SubjectId::from_uuid(Uuid::from_u128(2)),
        posts: vec![PostHolding {
            post: PostCode::new("dali-city-amr-approver").unwrap(),
            org: issuer(),
            role: "deputy-director".to_owned(),
        }],
    }
}

pub(crate) fn citizen() -> Actor {
    Actor::Citizen {
        account: AccountId::from_uuid(Uuid::from_u128(3)),
        subject: holder(),
        on_behalf_of: None,
    }
}

/// The first organisation of the pack that is of a city's market regulation.
pub(crate) fn issuer() -> OrgCode {
    let org = PACK.orgs().orgs.iter().find(|org| org.code.contains("market")).unwrap();
    OrgCode::new(org.code.clone()).unwrap()
}

pub(crate) fn business_fields() -> Map<String, Json> {
    json!({
        "uscc": "92532901MA6K0000XY",
        "name": "大理市古城苍洱扎染小店",
        "kind": "个体工商户",
        "operator": "段小慧",
        "premises": "云南省大理白族自治州大理市大理镇复兴路112号",
        "scope": ["扎染工艺品零售", "旅游工艺品零售", "服装服饰零售"],
        "operator_citizen_id": "532901199003071244",
    })
    .as_object()
    .unwrap()
    .clone()
}

pub(crate) fn business(fields: Map<String, Json>) -> NewLicence {
    NewLicence {
        type_id: "business-licence".to_owned(),
        holder: holder(),
        fields,
        issuer: issuer(),
        case: None,
        valid_from: jiff::civil::date(2026, 11, 24),
        valid_to: None,
    }
}

pub(crate) async fn issued(test: &TestStore, new: NewLicence) -> Result<Licence, LicenceError> {
    let tx = test.store.begin().await.unwrap();
    let licence = actions::issue(&tx, &registry(), &officer(), new).await?;
    tx.commit().await.unwrap();
    Ok(licence)
}

//! What becomes of a concluded case: the licence that was promised, the firm that was registered, the name
//! that is free again.
//!
//! It answers `cases.concluded` and is one write: issued, delivered and done, or nothing of it. Run again, it
//! finds the case delivered and does nothing.

use cases::events::CaseTold;
use cases::model::Stage;
use kernel::division::DivisionCode;
use kernel::ids::{LicenceId, OrgCode, SubjectId};
use packs::Item;
use packs::model::LicenceType;
use serde_json::{Map, Value as Json};
use store::Tx;
use store::jobs::{self, Job};
use web::App;

use super::appointments;
use crate::catalogue::item_version;
use crate::error::ServiceError;
use crate::outside;
use crate::store::{bookings, names, receipts};

/// Works off one concluded case.
pub async fn issue_result(app: &App, job: &Job) -> Result<(), ServiceError> {
    let told: CaseTold = job.payload()?;
    let faults = &app.store.env().faults;
    faults.reached("issue.leased").await;
    let receipt = receipts::of_case_no(&app.store.read(), told.subject, &told.case_no).await?;
    let tx = app.store.begin().await?;
    // Complaints and reviews are cases too, but were not submitted here.
    if let Some(receipt) = receipt {
        let booking = bookings::of_draft(&tx, told.subject, receipt.draft).await?;
        if told.favourable {
            granted(app, &tx, &told, booking.as_ref().and_then(|booking| booking.partner_id)).await?;
        } else {
            not_granted(&tx, &told, booking).await?;
        }
    }
    jobs::finish(&tx, job).await?;
    faults.reached("issue.before_commit").await;
    tx.commit().await?;
    faults.reached("issue.after_commit").await;
    Ok(())
}

async fn granted(
    app: &App,
    tx: &Tx,
    told: &CaseTold,
    partner: Option<SubjectId>,
) -> Result<(), ServiceError> {
    names::register(tx, told.case_id).await?;
    receipts::conclude(tx, told.subject, told.case_id, receipts::GRANTED).await?;
    let key = cases::CaseKey { subject: told.subject, id: told.case_id };
    let case = cases::find(tx, key).await?.ok_or(ServiceError::NotFound)?.case;
    if case.delivered.is_some() {
        return Ok(());
    }
    let item = item_version(tx, &app.pack, &told.item_id, &told.item_hash).await?;
    let Some(kind) = item.result.licence.as_deref().and_then(|id| app.pack.licence_type(id)) else {
        return deliver(tx, &case, key, None).await;
    };
    let facts = known(&case);
    let mut fields = Map::new();
    for (field, fact) in &item.result.fields {
        if let Some(value) = facts.get(fact.as_str()) {
            fields.insert(field.clone(), in_words(&item, fact, value));
        }
    }
    if registers_business(kind, &item) {
        let code = register(app, tx, told.subject, &item, &fields).await?;
        fields.insert("uscc".to_owned(), code.into());
    }
    let new = licences::NewLicence {
        type_id: kind.id.clone(),
        holder: told.subject,
        fields,
        issuer: OrgCode::new(item.authority.clone())
            .map_err(|error| ServiceError::Outside(Box::new(error)))?,
        case: Some((told.case_id, told.case_no.clone())),
        valid_from: app.now().china_date(),
        valid_to: None,
    };
    if let Some(partner) = partner {
        outside::issue(tx, app, licences::NewLicence { holder: partner, ..new.clone() }).await?;
    }
    let licence = outside::issue(tx, app, new).await?;
    deliver(tx, &case, key, Some(licence)).await
}

async fn not_granted(
    tx: &Tx,
    told: &CaseTold,
    booking: Option<bookings::Booking>,
) -> Result<(), ServiceError> {
    names::release(tx, told.case_id).await?;
    receipts::conclude(tx, told.subject, told.case_id, receipts::NOT_GRANTED).await?;
    if let Some(booking) = booking {
        appointments::end(tx, &booking, &["booked", "waiting"], "cancelled").await?;
    }
    let key = cases::CaseKey { subject: told.subject, id: told.case_id };
    let case = cases::find(tx, key).await?.ok_or(ServiceError::NotFound)?.case;
    deliver(tx, &case, key, None).await
}

/// Delivers where the procedure has something to deliver.
async fn deliver(
    tx: &Tx,
    case: &cases::model::Case,
    key: cases::CaseKey,
    licence: Option<LicenceId>,
) -> Result<(), ServiceError> {
    if matches!(case.stage(), Stage::Production | Stage::Delivery) {
        cases::actions::deliver(tx, key, licence).await?;
    }
    Ok(())
}

/// What the case knows: the facts that were submitted, and over them what the decision fixed.
fn known(case: &cases::model::Case) -> Map<String, Json> {
    let mut facts = case.opened.payload.facts.as_object().cloned().unwrap_or_default();
    if let Some(decision) = &case.decision {
        facts.extend(decision.values.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    facts
}

/// The words of chosen options: a licence says 日用百货零售, not `retail`.
fn in_words(item: &Item, fact: &str, value: &Json) -> Json {
    let Some(field) = item.form.field(fact) else { return value.clone() };
    let word = |chosen: &str| {
        let option = field.options.iter().find(|option| option.value == chosen);
        Json::from(option.map_or(chosen, |option| option.label.zh.as_str()))
    };
    match value {
        Json::String(text) if !field.options.is_empty() => word(text),
        Json::Array(list) => list.iter().map(|one| one.as_str().map_or_else(|| one.clone(), word)).collect(),
        other => other.clone(),
    }
}

/// A licence whose type has a credit code that the application cannot know registers a business.
fn registers_business(kind: &LicenceType, item: &Item) -> bool {
    kind.field("uscc").is_some() && !item.result.fields.contains_key("uscc")
}

async fn register(
    app: &App,
    tx: &Tx,
    owner: SubjectId,
    item: &Item,
    fields: &Map<String, Json>,
) -> Result<String, ServiceError> {
    let place = super::drafts::place_of(app, item);
    let division = DivisionCode::parse(&place).map_err(|error| ServiceError::Outside(Box::new(error)))?;
    let text = |field: &str| fields.get(field).and_then(Json::as_str).unwrap_or_default();
    Ok(outside::register_business(tx, owner, division, text("name"), text("premises")).await?)
}

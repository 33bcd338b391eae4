//! What this crate asks of its neighbours, in its own words: registers of persons, wallets, firms.
//!
//! One file, so that the edges are seen at a glance.

use identity::people::MaritalStatus;
use kernel::actor::Actor;
use kernel::citizen_id::Sex;
use kernel::division::DivisionCode;
use kernel::ids::{CaseId, LicenceId, SubjectId};
use kernel::time::Timestamp;
use kernel::uscc::Uscc;
use licences::Standing;
use licences::model::record::FieldValue;
use packs::Item;
use packs::expr::Value;
use store::{Reads, StoreError, Tx};
use web::App;

use crate::error::ServiceError;
use crate::store::bookings::Booking;

/// A person as the registers know them at this moment.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// Who.
    pub(crate) subject: SubjectId,
    /// 姓名.
    pub(crate) name: String,
    /// 公民身份号码.
    pub(crate) citizen_id: String,
    /// Whether the register counts them among the living.
    pub(crate) alive: bool,
    /// Whether the marriage register has a spouse; none where it was not asked or did not answer.
    pub(crate) has_spouse: Option<bool>,
    /// What each source says, by `source.field` of the share catalogue.
    pub(crate) values: Vec<(String, Value, Timestamp)>,
}

impl Registered {
    /// What a source says.
    pub(crate) fn value(&self, path: &str) -> Option<(&Value, Timestamp)> {
        self.values.iter().find(|(known, ..)| known == path).map(|(_, value, as_of)| (value, *as_of))
    }

    /// Which sources answered, and when.
    pub(crate) fn sources(&self) -> Vec<(String, Timestamp)> {
        let mut sources: Vec<(String, Timestamp)> = Vec::new();
        for (path, _, as_of) in &self.values {
            let source = path.split('.').next().unwrap_or_default();
            if !sources.iter().any(|(known, _)| known == source) {
                sources.push((source.to_owned(), *as_of));
            }
        }
        sources
    }
}

/// A valid licence in somebody's wallet.
#[derive(Clone, Debug)]
pub(crate) struct HeldLicence {
    /// Its type.
    pub(crate) kind: String,
    /// Its id.
    pub(crate) id: LicenceId,
    /// Its number, for the reader.
    pub(crate) number: String,
    /// Its fields as text.
    pub(crate) fields: Vec<(String, String)>,
    /// Since when it holds.
    pub(crate) since: Timestamp,
}

/// The person with what the registers know for this item; none where the subject is a firm.
pub(crate) async fn person(
    db: &impl Reads,
    item: &Item,
    subject: SubjectId,
) -> Result<Option<Registered>, StoreError> {
    let Some(person) = identity::people::get(db, subject).await? else { return Ok(None) };
    let now = db.store().env().now();
    let record = &person.record;
    let text = |value: &str| (!value.is_empty()).then(|| Value::Text(value.to_owned()));
    let sex = match person.sex {
        Sex::Female => "female",
        Sex::Male => "male",
    };
    let known = [
        ("person.name", text(&record.name)),
        ("person.citizen_id", text(&record.citizen_id)),
        ("person.sex", text(sex)),
        ("person.birth_date", Some(Value::Date(person.birth))),
        ("person.phone", text(&record.phone)),
        ("address.home", text(&record.address)),
        ("household.address", text(&record.household_address)),
        ("household.division", text(&record.household_division)),
        ("marriage.status", record.marital_status.and_then(|status| text(status_word(status)))),
        ("bank_account.number", record.bank_account.as_deref().and_then(text)),
    ];
    let mut values: Vec<(String, Value, Timestamp)> = known
        .into_iter()
        .filter_map(|(path, value)| {
            let source = path.split('.').next().unwrap_or_default();
            Some((path.to_owned(), value?, person.as_of(source).unwrap_or(now)))
        })
        .collect();
    if uses_source(item, "housing")
        && let Some(held) = held(db, subject, &["real-estate-certificate"]).await?.pop()
        && let Some((_, location)) = held.fields.iter().find(|(field, _)| field == "location")
    {
        values.push(("housing.own_address".to_owned(), Value::Text(location.clone()), held.since));
    }
    Ok(Some(Registered {
        subject,
        name: record.name.clone(),
        citizen_id: record.citizen_id.clone(),
        alive: record.alive,
        has_spouse: record.marital_status.map(|status| status == MaritalStatus::Married),
        values,
    }))
}

fn status_word(status: MaritalStatus) -> &'static str {
    match status {
        MaritalStatus::Single => "single",
        MaritalStatus::Married => "married",
        MaritalStatus::Divorced => "divorced",
        MaritalStatus::Widowed => "widowed",
    }
}

/// Whether an item asks a source for anything.
fn uses_source(item: &Item, source: &str) -> bool {
    let of = |path: &Option<String>| path.as_deref().and_then(|path| path.split('.').next()) == Some(source);
    item.form.fields().any(|(_, field)| of(&field.source)) || item.facts.iter().any(|fact| of(&fact.source))
}

/// The person with that citizen number.
pub(crate) async fn find_person(db: &impl Reads, number: &str) -> Result<Option<SubjectId>, StoreError> {
    identity::people::find_by_citizen_id(db, number).await
}

/// What a person is called.
pub(crate) async fn name_of(db: &impl Reads, subject: SubjectId) -> Result<String, StoreError> {
    identity::people::display_name(db, subject).await
}

/// The valid licences of these types, one of each.
pub(crate) async fn held(
    db: &impl Reads,
    subject: SubjectId,
    types: &[&str],
) -> Result<Vec<HeldLicence>, StoreError> {
    let text = |value: &FieldValue| match value {
        FieldValue::Text(text) => Some(text.clone()),
        FieldValue::List(list) => Some(list.join("、")),
        FieldValue::Truth(_) | FieldValue::Whole(_) => None,
    };
    let licences = licences::find_valid(db, subject, types).await?;
    let held = licences.into_iter().map(|licence| HeldLicence {
        id: licence.id,
        number: licence.identifier().to_string(),
        fields: licence
            .record
            .fields
            .iter()
            .filter_map(|(id, value)| Some((id.clone(), text(value)?)))
            .collect(),
        since: licence.issued_at,
        kind: licence.type_id,
    });
    Ok(held.collect())
}

/// The types of every valid licence in a wallet, and how many there are.
pub(crate) async fn held_types(db: &impl Reads, subject: SubjectId) -> Result<Vec<String>, StoreError> {
    let today = db.store().env().now().china_date();
    let wallet = licences::wallet_of(db, subject).await?;
    let valid = wallet.into_iter().filter(|licence| licence.standing(today) == Standing::Valid);
    Ok(valid.map(|licence| licence.type_id).collect())
}

/// Registers an individual business and gives its credit code.
pub(crate) async fn register_business(
    tx: &Tx,
    owner: SubjectId,
    division: DivisionCode,
    name: &str,
    address: &str,
) -> Result<String, StoreError> {
    let uscc = Uscc::individual_business(division, &*tx.store().env().entropy);
    let record = identity::firms::FirmRecord {
        uscc: uscc.as_str().to_owned(),
        name: name.to_owned(),
        division: division.six(),
        address: address.to_owned(),
    };
    identity::firms::register(tx, owner, &uscc, record).await?;
    Ok(uscc.as_str().to_owned())
}

/// Issues a licence of a case.
pub(crate) async fn issue(tx: &Tx, app: &App, new: licences::NewLicence) -> Result<LicenceId, ServiceError> {
    let licence = licences::actions::issue(tx, &licences::Registry::of(app), &Actor::Node, new)
        .await
        .map_err(|error| ServiceError::Outside(Box::new(error)))?;
    Ok(licence.id)
}

/// Takes in a licence that was issued elsewhere.
pub(crate) async fn take_in(tx: &Tx, app: &App, new: licences::NewLicence) -> Result<(), ServiceError> {
    licences::actions::take_in(tx, &licences::Registry::of(app), &Actor::Node, new)
        .await
        .map(drop)
        .map_err(|error| ServiceError::Outside(Box::new(error)))
}

/// Takes back the slips of a booking that was given up.
pub(crate) async fn revoke_slips(tx: &Tx, booking: &Booking, case: CaseId) -> Result<(), ServiceError> {
    let holders = std::iter::once(booking.subject_id).chain(booking.partner_id);
    for holder in holders {
        for licence in licences::wallet_of(tx, holder).await? {
            let of_case = licence.case.as_ref().is_some_and(|(id, _)| *id == case);
            if !of_case || licence.state.status != licences::model::state::Status::Valid {
                continue;
            }
            let grounds = licences::model::state::Grounds {
                reason: "预约已由当事人取消".to_owned(),
                legal_basis: "预约程序：当事人可以取消或者改约".to_owned(),
            };
            licences::actions::revoke(tx, &Actor::Node, licence, grounds)
                .await
                .map_err(|error| ServiceError::Outside(Box::new(error)))?;
        }
    }
    Ok(())
}

//! Bulk uses as a person sees them: more persons than are told one by one were in the rows that passed, and theirs may
//! have been. They are told of resources that hold a row of theirs.

use grants::Resource;
use kernel::ids::SubjectId;
use lake::policy::Shown;
use lake::session::Granted;
use lake::{Policy, RowRule, Scalar};
use web::App;

use super::record::Record;
use super::{State, UseError, ledger};

/// Bulk uses of one resource.
#[derive(Clone, Debug)]
pub struct BulkUses {
    /// The resource, which holds a row of the person.
    pub resource: Resource,
    /// The uses, newest first.
    pub uses: Vec<Record>,
    /// Whether there are earlier ones.
    pub more: bool,
}

/// The latest bulk uses of every resource that holds a row of a person, so many of each.
pub async fn of_person(app: &App, person: SubjectId, most: u32) -> Result<Vec<BulkUses>, UseError> {
    let db = app.store.read();
    let Some(known) = identity::people::get(&db, person).await? else { return Ok(Vec::new()) };
    let number = known.record.citizen_id;
    let mut found = Vec::new();
    for resource in grants::resources::list(&db).await? {
        let mut uses = ledger::bulk_of_resource(&db, resource.id.as_str(), most + 1).await?;
        if uses.is_empty() || !holds(app, &resource, &number).await? {
            continue;
        }
        let more = uses.len() > most as usize;
        uses.truncate(most as usize);
        found.push(BulkUses { resource, uses, more });
    }
    Ok(found)
}

/// Whether a resource holds a row of the person with this number. The node asks behind the barrier like everybody else,
/// and is shown nothing but the rows of this one person.
async fn holds(app: &App, resource: &Resource, number: &str) -> Result<bool, UseError> {
    let description = &resource.description;
    let Some(entity) = description.entity.as_ref().filter(|_| description.of_persons) else {
        return Ok(false);
    };
    let policy = Policy {
        columns: vec![Shown::plain(entity)],
        rows: Some(RowRule::equal(entity, Scalar::Text(number.to_owned()))),
    };
    let granted = Granted { name: resource.id.clone(), table: resource.id.clone(), policy, witness: None };
    let session = State::of(app)?.lake().session(&[granted]).await?;
    let mut answer = session.query(&format!("SELECT 1 FROM {} LIMIT 1", resource.id)).await?;
    Ok(answer.all().await?.iter().any(|rows| !rows.is_empty()))
}

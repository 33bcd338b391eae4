//! Where the answer of a use comes from: kept once for all uses that have it, and told as an OpenLineage event.

use crypto::hash::sm3;
use kernel::ids::UseId;
use lake::lineage::{Facts, Lineage, Stage};
use serde_json::Value as Json;
use store::{Reads, StoreError, params};
use web::App;

use super::record::Record;

/// A lineage as it is kept: its text, and the hash by which uses name it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) hash: String,
    pub(crate) text: String,
}

impl Kept {
    pub(crate) fn of(lineage: &Lineage) -> Result<Self, StoreError> {
        let text = serde_json::to_string(lineage)?;
        Ok(Self { hash: hex::encode(sm3(text.as_bytes())), text })
    }
}

store::row! {
    struct LineageRow { lineage: String }
}

/// The lineage of a use; none of one that was refused before there was a plan.
pub async fn find(db: &impl Reads, id: UseId) -> Result<Option<Lineage>, StoreError> {
    let sql = "SELECT l.lineage
                 FROM sharing_use u
                 JOIN sharing_lineage l ON l.lineage_hash = u.lineage_hash
                WHERE u.use_id = $1";
    let row: Option<LineageRow> = db.optional(sql, params![id]).await?;
    row.map(|row| serde_json::from_str(&row.lineage).map_err(StoreError::from)).transpose()
}

/// The use as an OpenLineage event: the node is the namespace, statements of one plan are runs of one job.
pub fn event(app: &App, record: &Record, lineage: &Lineage) -> Json {
    let stage = match record.outcome.code.as_str() {
        "ok" => Stage::Complete,
        "open" => Stage::Start,
        code => Stage::Fail(code.to_owned()),
    };
    let grants: Vec<String> = record.grants.iter().map(|used| used.grant.to_string()).collect();
    lineage.event(
        &stage,
        &Facts {
            run_id: &record.use_id.to_string(),
            namespace: &format!("yiwang://{}", app.node.division),
            job: &format!("{}/{}", record.door, record.plan_hash),
            grant: &grants.join(","),
            purpose: record.purpose.as_str(),
            at: record.at,
        },
    )
}

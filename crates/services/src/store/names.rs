//! Names of businesses: one holder in one place.

use kernel::ids::{CaseId, SubjectId};
use store::{Reads, StoreError, Tx, params};

/// Whether nobody holds or has registered that name in that place.
pub(crate) async fn is_free(db: &impl Reads, division: &str, distinctive: &str) -> Result<bool, StoreError> {
    let taken = db
        .count(
            "SELECT COUNT(*) AS n FROM services_business_name WHERE division = $1 AND distinctive = $2",
            params![division, distinctive],
        )
        .await?;
    Ok(taken == 0)
}

/// Holds a name for a case; says whether it was still free.
pub(crate) async fn hold(
    tx: &Tx,
    division: &str,
    name: &crate::model::TradeName,
    subject: SubjectId,
    case: CaseId,
) -> Result<bool, StoreError> {
    let held = tx
        .execute(
            "INSERT INTO services_business_name
                    (division, distinctive, shown, state, subject_id, case_id, since)
             VALUES ($1, $2, $3, 'held', $4, $5, $6)
             ON CONFLICT (division, distinctive) DO NOTHING",
            params![division, name.distinctive(), name.as_str(), subject, case, tx.store().env().now()],
        )
        .await?;
    Ok(held == 1)
}

/// Enters a name that is used already.
pub(crate) async fn enter(tx: &Tx, division: &str, name: &crate::model::TradeName) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_business_name (division, distinctive, shown, state, since)
         VALUES ($1, $2, $3, 'registered', $4)
         ON CONFLICT (division, distinctive) DO NOTHING",
        params![division, name.distinctive(), name.as_str(), tx.store().env().now()],
    )
    .await?;
    Ok(())
}

/// The case was decided in favour: the name is registered for good.
pub(crate) async fn register(tx: &Tx, case: CaseId) -> Result<(), StoreError> {
    tx.execute("UPDATE services_business_name SET state = 'registered' WHERE case_id = $1", params![case])
        .await?;
    Ok(())
}

/// The case came to nothing: the name is free again.
pub(crate) async fn release(tx: &Tx, case: CaseId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM services_business_name WHERE case_id = $1 AND state = 'held'", params![case])
        .await?;
    Ok(())
}

//! The sweeper: what time brings without anybody acting.
//!
//! Every case keeps the first day on which time will do something to it. The sweeper takes whatever that day
//! has reached, so it does not matter when it last ran: a day switched off is made up for at the next run,
//! and a second run finds nothing to do.

use kernel::calendar::WorkCalendar;
use kernel::ids::{CaseId, SubjectId};
use kernel::time::Date;
use store::jobs::{Job, finish};
use store::{Reads, Store, params};
use web::App;

use crate::actions::append;
use crate::error::ActionError;
use crate::model::{Case, CaseError, CaseEventKind, EventActor};
use crate::store::{self as ledger, CaseKey};

/// The kind of the sweeper's job.
pub const SWEEP: &str = "cases.sweep";

/// How many cases are looked up at a time.
const BATCH: u32 = 200;

/// What a run has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Cases that something happened to.
    pub cases: u32,
    /// Events that were recorded.
    pub events: u32,
    /// Cases whose dates were reckoned again because the calendar has grown.
    pub reckoned: u32,
    /// Cases that could not be worked on; they are tried again at the next run.
    pub failed: u32,
}

store::row! {
    struct WakeRow { subject_id: SubjectId, case_id: CaseId, wake_on: String }
}

/// Runs a job of this crate; false when it is none.
pub async fn handle(app: &App, job: &Job) -> Result<bool, ActionError> {
    if job.kind != SWEEP {
        return Ok(false);
    }
    let swept = sweep(&app.store, WorkCalendar::embedded()).await?;
    if swept.failed > 0 {
        tracing::error!(failed = swept.failed, "cases could not be swept");
    }
    let tx = app.store.begin().await?;
    finish(&tx, job).await?;
    tx.commit().await?;
    Ok(true)
}

/// Does everything that time has brought up to now.
pub async fn sweep(store: &Store, calendar: &WorkCalendar) -> Result<Swept, ActionError> {
    let today = store.env().now().china_date();
    let mut swept = Swept::default();
    let mut after = (String::new(), String::new());
    loop {
        let due: Vec<WakeRow> = store
            .read()
            .query(
                "SELECT subject_id, case_id, wake_on
                   FROM cases_case
                  WHERE wake_on <= $1 AND (wake_on > $2 OR (wake_on = $2 AND case_id > $3))
                  ORDER BY wake_on, case_id
                  LIMIT $4",
                params![today, &after.0, &after.1, BATCH],
            )
            .await?;
        let Some(last) = due.last() else { break };
        after = (last.wake_on.clone(), last.case_id.to_string());
        for row in &due {
            let key = CaseKey { subject: row.subject_id, id: row.case_id };
            match wake(store, key, calendar, today).await {
                Ok(0) => {}
                Ok(events) => {
                    swept.cases += 1;
                    swept.events += events;
                }
                // Somebody acted at this very moment: the next run sees what is left.
                Err(ActionError::Case(CaseError::ChangedMeanwhile)) => {}
                Err(error) => {
                    tracing::error!(case.id = %row.case_id, %error, "a case could not be swept");
                    swept.failed += 1;
                }
            }
        }
    }
    swept.reckoned = reckon_again(store, calendar).await?;
    Ok(swept)
}

/// Does what time has brought to one case.
async fn wake(store: &Store, key: CaseKey, calendar: &WorkCalendar, today: Date) -> Result<u32, ActionError> {
    let tx = store.begin().await?;
    let Some(mut loaded) = ledger::find(&tx, key).await? else { return Ok(0) };
    let mut happened = 0;
    // An acceptance by silence starts the clocks in the past, and they may have cards to show at once.
    loop {
        let kinds = due_now(&loaded.case, calendar, today)?;
        if kinds.is_empty() {
            break;
        }
        happened += u32::try_from(kinds.len()).unwrap_or(u32::MAX);
        append(&tx, &mut loaded, EventActor::node(), kinds).await?;
    }
    if happened == 0 {
        // Its day was kept under an older calendar or by an older program.
        ledger::refresh(&tx, &loaded.case, calendar).await?;
    }
    tx.commit().await?;
    Ok(happened)
}

/// What time has brought to a case and is not recorded yet.
pub(crate) fn due_now(
    case: &Case,
    calendar: &WorkCalendar,
    today: Date,
) -> Result<Vec<CaseEventKind>, CaseError> {
    if let Some(accepted) = case.accept_by_silence(calendar, today)? {
        return Ok(vec![accepted]);
    }
    let mut kinds = Vec::new();
    for watch in case.agenda(calendar).watches {
        for light in watch.cards_due(&case.cards, today) {
            kinds.push(CaseEventKind::CardShown { clock: watch.clock, light, due: watch.due });
        }
    }
    kinds.extend(case.archive(today));
    Ok(kinds)
}

/// Reckons dates again that lay past an older calendar's last year.
async fn reckon_again(store: &Store, calendar: &WorkCalendar) -> Result<u32, ActionError> {
    let due: Vec<WakeRow> = store
        .read()
        .query(
            "SELECT subject_id, case_id, wake_on
               FROM cases_case
              WHERE beyond_year > 0 AND beyond_year < $1",
            params![i64::from(calendar.last_year())],
        )
        .await?;
    for row in &due {
        let tx = store.begin().await?;
        if let Some(loaded) = ledger::find(&tx, CaseKey { subject: row.subject_id, id: row.case_id }).await? {
            ledger::refresh(&tx, &loaded.case, calendar).await?;
        }
        tx.commit().await?;
    }
    Ok(u32::try_from(due.len()).unwrap_or(u32::MAX))
}

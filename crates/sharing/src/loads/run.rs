//! The load itself, behind the page.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::error::Coded;
use lake::Lake;
use lake::loading::{Cancel, LoadId, Loaded, Settings, State};
use tokio::sync::Semaphore;
use web::App;

use super::{Doors, Loading, LoadingError, LoadingId, Stage, ledger, open, remove};

/// Loads that run at once in a process; others wait their turn.
const AT_ONCE: usize = 2;

/// The loads that this process runs. Cheap to clone.
#[derive(Clone)]
pub struct Bench {
    places: Arc<Semaphore>,
    running: Arc<Mutex<HashSet<LoadingId>>>,
}

impl Default for Bench {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), running: Arc::default() }
    }
}

impl Bench {
    /// Takes a loading in hand; nothing if it is already.
    fn take(&self, id: LoadingId) -> Option<InHand> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(id).then(|| InHand { bench: self.clone(), id })
    }
}

/// A loading in the hands of this process, until it is dropped.
struct InHand {
    bench: Bench,
    id: LoadingId,
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut running = self.bench.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}

/// Starts a loading that was confirmed and does not wait for it.
pub async fn start(app: &App, mut loading: Loading) -> Result<(), LoadingError> {
    let doors = Doors::of(app)?;
    let Some(in_hand) = doors.bench().take(loading.id) else { return Ok(()) };
    let env = app.store.env();
    loading.fault = None;
    loading.load = Some(LoadId::generate(&*env.clock, &*env.entropy));
    let tx = app.store.begin().await?;
    ledger::write(&tx, &loading, Stage::Running).await?;
    tx.commit().await?;
    let app = app.clone();
    tokio::spawn(async move {
        let places = in_hand.bench.places.clone();
        let _place = places.acquire().await;
        work(&app, &doors, loading).await;
        drop(in_hand);
    });
    Ok(())
}

/// Goes on with what a process left when it died. Whoever works on a load notes so every second; one that was not
/// noted for a minute is nobody's.
pub async fn resume(app: &App) -> Result<(), LoadingError> {
    let minute = jiff::SignedDuration::from_secs(60);
    for loading in ledger::running(&app.store.read()).await? {
        let load = match loading.load {
            Some(id) => lake::loading::find_load(&app.store.read(), id).await?,
            None => None,
        };
        let seen = load.map_or(loading.created_at, |load| load.updated_at);
        if seen.plus(minute) < app.store.env().now() {
            start(app, loading).await?;
        }
    }
    Ok(())
}

async fn work(app: &App, doors: &Doors, loading: Loading) {
    let outcome = run(app, doors, &loading).await;
    if let Err(error) = &outcome {
        // The steward reads the load's own note of it.
        tracing::warn!(loading.id = %loading.id, error.code = error.code(), %error, "a load ended with an error");
    }
    if let Err(error) = end(app, loading, &outcome).await {
        tracing::error!(error.code = error.code(), %error, "the end of a loading could not be noted");
    }
}

async fn run(app: &App, doors: &Doors, loading: &Loading) -> Result<Loaded, LoadingError> {
    let order = loading.content.order.as_ref().ok_or(LoadingError::Stage)?;
    let lake: &Lake = doors.lake();
    let opened = open(app, doors, &loading.content.source).await?.shown_as(&loading.content.proposal.source);
    let table = Lake::table(&app.store.read(), &loading.resource).await?;
    let settings = Settings {
        id: loading.load,
        occasion: order.occasion.clone(),
        max_rejected: order.max_rejected,
        ..Settings::default()
    };
    let cancel = Cancel::default();
    Ok(lake::loading::load(lake, &table, &opened, &order.mapping, &settings, &mut |_| {}, &cancel).await?)
}

async fn end(
    app: &App,
    mut loading: Loading,
    outcome: &Result<Loaded, LoadingError>,
) -> Result<(), LoadingError> {
    loading.fault = outcome.as_ref().err().map(|error| error.code().to_owned());
    loading.stage = Stage::Ended;
    let tx = app.store.begin().await?;
    ledger::write(&tx, &loading, Stage::Running).await?;
    tx.commit().await?;
    // What is not whole may be gone on with.
    if matches!(outcome, Ok(loaded) if matches!(loaded.state, State::Done | State::Repeated)) {
        remove(app, &loading.content.source);
    }
    Ok(())
}

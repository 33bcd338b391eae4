//! Loading by a steward (装载): a source is looked at, what was found is confirmed, and then it is loaded into the
//! table of a resource while the steward watches or does something else.
//!
//! The work itself is [`lake::loading`]; here is what a page needs beside it: who may, which source was handed in, what
//! was confirmed, and that a load which dies with its process goes on in the next.
//!
//! # Invariants
//!
//! - Only a steward of the organisation that provides a resource loads into it, sees its rejected rows, or stops a load.
//! - What was handed in and what was found in it may hold personal data: the ledger has both encrypted; the file
//!   itself lies in the data folder for the node alone, and goes when its rows are there or a week later. One whose
//!   hand-in a killed process cut off is known to no loading and stays.
//! - Addresses are read only from hosts that the operator has named.

mod ledger;
mod run;

use std::path::PathBuf;

use grants::actions::{STEWARD, register_resource};
use grants::resources::{ColumnTitle, Description, NewResource, UpdateCycle};
use grants::{Grade, GrantError};
use kernel::actor::Actor;
use kernel::error::Coded;
use kernel::ids::{AccountId, OrgCode};
use kernel::time::Timestamp;
use lake::loading::{Addresses, LoadError, LoadId, Mapping, Opened, Proposal, Reading, Source};
use lake::{Lake, LakeError, TableId};
use packs::model::Words;
use serde::{Deserialize, Serialize};
use store::{AuditEntry, Purpose, StoreError, Tx};
use tempfile::TempPath;
use web::App;

pub use ledger::{find, list};
pub use run::{Bench, resume, start};

use crate::uses::{State as Doors, UseError};

/// The folder in the data folder for what was handed in.
const FOLDER: &str = "loading";

kernel::uuid_ids! {
    /// A loading: one source on its way into one resource, from the hand-in to its last row.
    LoadingId,
}

/// How far a loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was looked at, and somebody has to confirm what was found.
    Draft,
    /// It is loaded.
    Running,
    /// It came to an end, whichever; the load of the lake says which.
    Ended,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Draft, Self::Running, Self::Ended];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Ended => "ended",
        }
    }
}

/// A source on its way into a resource.
#[derive(Clone, Debug)]
pub struct Loading {
    /// Its id.
    pub id: LoadingId,
    /// Who provides the resource.
    pub provider: OrgCode,
    /// The resource.
    pub resource: TableId,
    /// Who handed it in.
    pub made_by: AccountId,
    /// What was handed in and found.
    pub content: Content,
    /// How far it is.
    pub stage: Stage,
    /// The load of the lake that runs or ran last.
    pub load: Option<LoadId>,
    /// The code of the error that ended it.
    pub fault: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// What was handed in, what was found in it, and what was confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Content {
    /// The source.
    pub source: Kept,
    /// What was found.
    pub proposal: Proposal,
    /// What is said of a resource that is made for it; none if it is there.
    pub fresh: Option<Fresh>,
    /// What was confirmed.
    pub order: Option<Order>,
}

/// A source as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// A file that was handed in.
    File {
        /// Its name in the folder.
        file: String,
        /// The name that it had.
        name: String,
    },
    /// An address, with the table if it is one of a database.
    Address {
        /// As it was typed.
        address: String,
        /// The table.
        table: Option<String>,
    },
}

/// A resource that is made for what is loaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fresh {
    /// Its title.
    pub title: Words,
    /// What it holds.
    pub about: Words,
    /// How sensitive it is.
    pub grade: Grade,
    /// How often it is brought up to date.
    pub cycle: UpdateCycle,
}

/// What was confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// What becomes of each column.
    pub mapping: Mapping,
    /// The column that tells whose entity a row is, for a resource that is made.
    pub entity: Option<String>,
    /// Why content that is there already comes again.
    pub occasion: Option<String>,
    /// With more rejected rows than so many, nothing arrives.
    pub max_rejected: Option<u64>,
}

/// Why a loading is refused. Rows that do not fit are none of these.
#[derive(Debug, thiserror::Error)]
pub enum LoadingError {
    /// Only a steward of the providing organisation may.
    #[error("only a steward of the organisation that provides the resource loads into it")]
    NotYourPost,
    /// It is not at that stage any more: somebody confirmed, stopped or discarded it meanwhile.
    #[error("the loading is not at that stage")]
    Stage,
    /// What was handed in is there no more.
    #[error("what was handed in is there no more")]
    Gone,
    /// There is a table of that name that is no resource of the organisation.
    #[error("the name `{0}` is taken")]
    Taken(TableId),
    /// The source or what was confirmed does not fit.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The registry refused.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The node has no lake.
    #[error(transparent)]
    Use(#[from] UseError),
    /// The file could not be kept.
    #[error("the file cannot be kept")]
    File(#[from] std::io::Error),
}

impl Coded for LoadingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotYourPost => "grants.not_your_post",
            Self::Stage => "sharing.loading_stage",
            Self::Gone => "sharing.loading_gone",
            Self::Taken(_) => "grants.resource_taken",
            Self::Load(error) => error.code(),
            Self::Grant(error) => error.code(),
            Self::Use(error) => error.code(),
            Self::File(_) => "sharing.loading_file",
        }
    }
}

impl From<StoreError> for LoadingError {
    fn from(error: StoreError) -> Self {
        Self::Load(error.into())
    }
}

impl From<LakeError> for LoadingError {
    fn from(error: LakeError) -> Self {
        Self::Load(error.into())
    }
}

/// What is handed in.
#[derive(Debug)]
pub enum HandedIn {
    /// A file, and the name that it had.
    File(TempPath, String),
    /// An address, with the table of a database.
    Address(String, Option<String>),
}

/// Looks at a source and keeps it with what was found, for somebody to confirm.
pub async fn hand_in(
    app: &App,
    actor: &Actor,
    to: (OrgCode, TableId, Option<Fresh>),
    handed_in: HandedIn,
    reading: &Reading,
) -> Result<LoadingId, LoadingError> {
    let (provider, resource, fresh) = to;
    let made_by = steward(actor, &provider)?;
    let doors = Doors::of(app)?;
    let there = table(doors.lake(), &resource).await?;
    if fresh.is_some() && there.is_some() {
        return Err(LoadingError::Taken(resource));
    }
    let id = LoadingId::generate(&*app.store.env().clock, &*app.store.env().entropy);
    let source = keep(app, id, handed_in)?;
    let loading = async {
        let proposal = look(app, &doors, &source, there.as_ref(), reading).await?;
        let content = Content { source: source.clone(), proposal, fresh, order: None };
        Ok::<_, LoadingError>(Loading {
            id,
            provider,
            resource,
            made_by,
            content,
            stage: Stage::Draft,
            load: None,
            fault: None,
            created_at: app.store.env().now(),
        })
    };
    match loading.await {
        Ok(loading) => {
            let tx = app.store.begin().await?;
            ledger::insert(&tx, &loading).await?;
            tx.audit(noted(actor, "sharing.loading_hand_in", &loading));
            tx.commit().await?;
            Ok(id)
        }
        Err(error) => {
            remove(app, &source);
            Err(error)
        }
    }
}

/// Looks at the source of a draft again, read in another way.
pub async fn look_again(app: &App, loading: &mut Loading, reading: &Reading) -> Result<(), LoadingError> {
    let doors = Doors::of(app)?;
    let there = table(doors.lake(), &loading.resource).await?;
    loading.content.proposal = look(app, &doors, &loading.content.source, there.as_ref(), reading).await?;
    let tx = app.store.begin().await?;
    ledger::write(&tx, loading, Stage::Draft).await?;
    Ok(tx.commit().await?)
}

async fn look(
    app: &App,
    doors: &Doors,
    source: &Kept,
    there: Option<&lake::Table>,
    reading: &Reading,
) -> Result<Proposal, LoadingError> {
    let opened = open(app, doors, source).await?;
    let mut proposal = lake::loading::inspect(doors.lake(), &opened, reading).await?;
    if let Some(table) = there {
        proposal.fit(table);
    }
    source.shown().clone_into(&mut proposal.source);
    Ok(proposal)
}

/// Confirms a draft. The resource is made if it is not there; then the rows begin to arrive.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    mut loading: Loading,
    order: Order,
) -> Result<(), LoadingError> {
    steward(actor, &loading.provider)?;
    let tx = app.store.begin().await?;
    if let Some(fresh) = &loading.content.fresh {
        if !Lake::create_table(&tx, &loading.resource, &order.mapping.schema()?).await? {
            return Err(LoadingError::Taken(loading.resource));
        }
        let new = described(&loading, fresh, &order);
        register_resource(&tx, actor, &new).await?;
    }
    order.mapping.check(&Lake::table(&tx, &loading.resource).await?)?;
    loading.content.order = Some(order);
    loading.stage = Stage::Running;
    ledger::write(&tx, &loading, Stage::Draft).await?;
    tx.audit(noted(actor, "sharing.loading_confirm", &loading));
    tx.commit().await?;
    start(app, loading).await
}

/// What is said of a resource that is made for a loading: its columns are called what the source calls them.
fn described(loading: &Loading, fresh: &Fresh, order: &Order) -> NewResource {
    let columns = order.mapping.columns.iter().filter_map(|mapped| {
        let column = mapped.column.as_ref()?;
        let title = Words { zh: mapped.source.clone(), en: column.name.replace('_', " ") };
        Some(ColumnTitle { column: column.name.clone(), title })
    });
    let of_persons = order.mapping.columns.iter().any(|mapped| {
        mapped
            .column
            .as_ref()
            .is_some_and(|column| column.personal && Some(&column.name) == order.entity.as_ref())
    });
    NewResource {
        id: loading.resource.clone(),
        provider: loading.provider.clone(),
        grade: fresh.grade,
        description: Description {
            title: fresh.title.clone(),
            about: fresh.about.clone(),
            update_cycle: fresh.cycle,
            entity: order.entity.clone(),
            of_persons,
            synthetic: false,
            columns: columns.collect(),
        },
    }
}

/// Runs an ended loading once more: from where it stopped, if rows had arrived.
pub async fn go_on(app: &App, actor: &Actor, mut loading: Loading) -> Result<(), LoadingError> {
    steward(actor, &loading.provider)?;
    loading.stage = Stage::Running;
    let tx = app.store.begin().await?;
    ledger::write(&tx, &loading, Stage::Ended).await?;
    tx.audit(noted(actor, "sharing.loading_go_on", &loading));
    tx.commit().await?;
    start(app, loading).await
}

/// Throws a draft away, with what was handed in.
pub async fn discard(app: &App, actor: &Actor, loading: &Loading) -> Result<(), LoadingError> {
    steward(actor, &loading.provider)?;
    let tx = app.store.begin().await?;
    ledger::remove(&tx, loading, Stage::Draft).await?;
    tx.audit(noted(actor, "sharing.loading_discard", loading));
    tx.commit().await?;
    remove(app, &loading.content.source);
    Ok(())
}

/// Asks a running load to stop. What has arrived stays.
pub async fn cancel(tx: &Tx, actor: &Actor, loading: &Loading) -> Result<(), LoadingError> {
    steward(actor, &loading.provider)?;
    let load = loading.load.filter(|_| loading.stage == Stage::Running).ok_or(LoadingError::Stage)?;
    lake::loading::ask_to_cancel(tx, load).await?;
    tx.audit(noted(actor, "sharing.loading_cancel", loading));
    Ok(())
}

/// Forgets the rejected rows, once somebody has put them right. Their number stays.
pub async fn forget_rejected(tx: &Tx, actor: &Actor, loading: &Loading) -> Result<(), LoadingError> {
    steward(actor, &loading.provider)?;
    let load = loading.load.filter(|_| loading.stage == Stage::Ended).ok_or(LoadingError::Stage)?;
    lake::loading::forget_rejected(tx, load).await?;
    tx.audit(noted(actor, "sharing.loading_forget_rejected", loading));
    Ok(())
}

/// Throws away drafts that nobody confirmed and files that nobody goes on with, a week after they were handed in.
pub(crate) async fn clear(app: &App) -> Result<(), LoadingError> {
    let week = jiff::SignedDuration::from_hours(7 * 24);
    let before = app.store.env().now().plus(-week);
    for loading in ledger::older(&app.store.read(), before).await? {
        if loading.stage == Stage::Draft {
            let tx = app.store.begin().await?;
            ledger::remove(&tx, &loading, Stage::Draft).await?;
            tx.commit().await?;
        }
        remove(app, &loading.content.source);
    }
    Ok(())
}

/// That the rejected rows of a loading were looked at: they may hold personal data.
pub(crate) fn noted(actor: &Actor, what: &'static str, loading: &Loading) -> AuditEntry {
    AuditEntry::new(actor, what, Purpose::Operation)
        .object(format!("sharing.loading:{}/{}", loading.resource, loading.id))
}

/// Who the actor is, if they are a steward of the organisation.
fn steward(actor: &Actor, provider: &OrgCode) -> Result<AccountId, LoadingError> {
    actor.account().filter(|_| actor.has_role(provider, STEWARD)).ok_or(LoadingError::NotYourPost)
}

async fn table(lake: &Lake, id: &TableId) -> Result<Option<lake::Table>, LoadingError> {
    match Lake::table(&lake.store().read(), id).await {
        Ok(table) => Ok(Some(table)),
        Err(LakeError::NoTable(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Kept {
    /// As it may be shown: without user and password.
    fn shown(&self) -> String {
        match self {
            Self::File { name, .. } => name.clone(),
            Self::Address { address, table } => {
                Source::parse(address, table.as_deref()).map(|source| source.shown()).unwrap_or_default()
            }
        }
    }
}

fn keep(app: &App, id: LoadingId, handed_in: HandedIn) -> Result<Kept, LoadingError> {
    match handed_in {
        HandedIn::Address(address, table) => Ok(Kept::Address { address, table }),
        HandedIn::File(path, name) => {
            let folder = app.store.data_dir().join(FOLDER);
            std::fs::create_dir_all(&folder)?;
            let file = id.to_string();
            path.persist(folder.join(&file)).map_err(|error| error.error)?;
            Ok(Kept::File { file, name })
        }
    }
}

async fn open(app: &App, doors: &Doors, source: &Kept) -> Result<Opened, LoadingError> {
    let folder = app.store.data_dir().join(FOLDER);
    let source = match source {
        Kept::File { file, .. } => Source::File(held(file_of(app, file))?),
        Kept::Address { address, table } => match Source::parse(address, table.as_deref())? {
            // A path of this machine is no address: whoever asks in a browser does not name the node's files.
            Source::File(_) => return Err(LoadError::NotAllowed(address.clone()).into()),
            other => other,
        },
    };
    let addresses: &Addresses = doors.load_addresses();
    Ok(Opened::open(&source, addresses, &folder).await?)
}

/// Where a file that was handed in lies.
pub(crate) fn file_of(app: &App, file: &str) -> PathBuf {
    app.store.data_dir().join(FOLDER).join(file)
}

fn held(path: PathBuf) -> Result<PathBuf, LoadingError> {
    if path.is_file() { Ok(path) } else { Err(LoadingError::Gone) }
}

/// Removes what was handed in. What is not there any more is not missed.
fn remove(app: &App, source: &Kept) {
    if let Kept::File { file, .. } = source {
        drop(std::fs::remove_file(file_of(app, file)));
    }
}

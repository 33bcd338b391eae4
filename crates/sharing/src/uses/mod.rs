//! A use of grants, whatever the door: who asks what for, what they may see, and what the use leaves behind.

mod body;
pub mod bulk;
pub mod gate;
pub mod ledger;
pub mod lineage;
pub mod record;
mod recorder;
mod stream;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use grants::model::terms::Holder;
use grants::{Admitted, Ask, Environment, GrantError, Refusal};
use kernel::actor::Actor;
use kernel::error::Coded;
use kernel::ids::{CaseId, OrgCode, UseId};
use lake::aggregates::Terms;
use lake::answer::{Answer, AnswerColumn, Rows};
use lake::loading::Addresses;
use lake::session::Granted;
use lake::{Lake, LakeError, Seen, Session, Witness};
use store::{Purpose, StoreError};
use web::App;

use crate::loads::Bench;
pub use body::body;
use record::{Outcome, UsedGrant};
pub use recorder::Recorder;
pub use stream::Running;

/// The most persons whose footprint one use is written into, one by one; a use that touches more is a bulk use.
pub const MOST_PERSONS: usize = 200;

/// Where somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The console in the browser.
    Console,
    /// A file from the console.
    Export,
    /// The REST interface.
    Rest,
    /// The PostgreSQL wire.
    Wire,
    /// A form that the node fills in.
    Prefill,
}

impl Door {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Export => "export",
            Self::Rest => "rest",
            Self::Wire => "wire",
            Self::Prefill => "prefill",
        }
    }
}

/// What the doors need beside the app. Cheap to clone.
#[derive(Clone)]
pub struct State {
    lake: Lake,
    recorder: Recorder,
    bench: Bench,
    load_addresses: Arc<Addresses>,
}

impl State {
    /// The doors of this lake.
    pub fn new(lake: Lake) -> Self {
        let recorder = Recorder::new(lake.store().clone());
        Self { lake, recorder, bench: Bench::default(), load_addresses: Arc::default() }
    }

    /// The same, where stewards may load from these addresses. Without it from none.
    #[must_use]
    pub fn with_load_addresses(self, addresses: Addresses) -> Self {
        Self { load_addresses: Arc::new(addresses), ..self }
    }

    /// The doors of the app.
    pub fn of(app: &App) -> Result<Self, UseError> {
        app.part::<Self>().cloned().ok_or(UseError::NoLake)
    }

    /// The lake.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    /// The loads that this process runs.
    pub(crate) fn bench(&self) -> &Bench {
        &self.bench
    }

    /// From where stewards may load.
    pub(crate) fn load_addresses(&self) -> &Addresses {
        &self.load_addresses
    }
}

/// Who asks, what for, and where.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Who.
    pub actor: Actor,
    /// What for.
    pub purpose: Purpose,
    /// For which case, by its number.
    pub case_no: Option<String>,
    /// Where.
    pub door: Door,
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum UseError {
    /// The node has no lake.
    #[error("the node has no lake")]
    NoLake,
    /// No grant admits it.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The case does not exist, is closed, or is none that the asker may see.
    #[error("the case is none that the asker handles now")]
    Case,
    /// A column or value of a filter that does not fit.
    #[error("the filter on `{0}` does not fit")]
    Filter(String),
    /// A statement that was refused or failed; that is on record.
    #[error("{error}")]
    Failed {
        /// Why.
        error: LakeError,
        /// The use under which it is on record.
        receipt: UseId,
    },
    /// The lake cannot be reached.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The grants could not be read.
    #[error(transparent)]
    Grants(#[from] GrantError),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for UseError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoLake => "lake.unavailable",
            Self::Refused(refusal) => refusal.code(),
            Self::Case => "sharing.case",
            Self::Filter(_) => "sharing.filter",
            Self::Failed { error, .. } | Self::Lake(error) => error.code(),
            Self::Grants(error) => error.code(),
            Self::Store(_) => "lake.unavailable",
        }
    }
}

/// A case that a use is for.
#[derive(Clone, Debug)]
pub(crate) struct NamedCase {
    pub(crate) id: CaseId,
    pub(crate) number: String,
}

/// One resource on a desk.
struct Seat {
    admitted: Admitted,
    witness: Option<Witness>,
}

/// What an asker may use at this moment. For one statement: the next one asks the grants again.
pub struct Desk {
    book: Book,
    session: Session,
}

/// What a use is written down with: who asks, what for, and on which grants.
struct Book {
    app: App,
    state: State,
    asker: Asker,
    case: Option<NamedCase>,
    seats: Vec<Seat>,
}

/// An answer that was read whole. Its use is on disk.
#[derive(Debug)]
pub struct Whole {
    /// The id of the use, under which its receipt is found.
    pub use_id: UseId,
    /// The columns.
    pub columns: Vec<AnswerColumn>,
    /// The rows.
    pub rows: Vec<Rows>,
    /// Whether there would have been more rows.
    pub more: bool,
}

impl Desk {
    /// A desk with everything that the asker's grants admit.
    pub async fn open(app: &App, asker: Asker) -> Result<Self, UseError> {
        let case = named_case(app, &asker).await?;
        let operator = operator(app)?;
        let ask = ask(&asker, &operator, case.is_some());
        let admitted = grants::decide::usable(&app.store.read(), &ask).await?;
        Self::over(app, asker, case, admitted).await
    }

    /// A desk with one resource, or why there is none. A refusal leaves a receipt.
    pub async fn open_one(app: &App, asker: Asker, resource: &str) -> Result<Self, UseError> {
        let case = named_case(app, &asker).await?;
        let operator = operator(app)?;
        let ask = ask(&asker, &operator, case.is_some());
        match grants::decide(&app.store.read(), &ask, resource).await? {
            Ok(admitted) => Self::over(app, asker, case, vec![admitted]).await,
            Err(refusal) => {
                let book = Book { app: app.clone(), state: State::of(app)?, asker, case, seats: Vec::new() };
                book.note_refusal(resource, refusal.code()).await?;
                Err(refusal.into())
            }
        }
    }

    async fn over(
        app: &App,
        asker: Asker,
        case: Option<NamedCase>,
        admitted: Vec<Admitted>,
    ) -> Result<Self, UseError> {
        let state = State::of(app)?;
        let seats: Vec<Seat> = admitted.into_iter().map(Seat::new).collect();
        // What leaves as aggregates alone has a door of its own, and no row of it is in the session.
        let in_rows = |seat: &&Seat| seat.admitted.grant.terms.environment == Environment::Rows {};
        let granted: Vec<Granted> = seats.iter().filter(in_rows).map(Seat::granted).collect();
        let session = state.lake.session(&granted).await?;
        Ok(Self { book: Book { app: app.clone(), state, asker, case, seats }, session })
    }

    /// The resources on the desk.
    pub fn resources(&self) -> impl Iterator<Item = &Admitted> {
        self.book.seats.iter().map(|seat| &seat.admitted)
    }

    /// Runs a statement. Whatever the door does with the answer, it does through what this gives back.
    pub async fn run(self, sql: &str) -> Result<Running, UseError> {
        let started = Instant::now();
        let answer = match self.book.aggregates_of(sql) {
            Some((seat, terms)) => self.book.aggregate(seat, &terms, sql).await,
            None => self.session.query(sql).await,
        };
        match answer {
            Ok(answer) => Ok(Running::new(self.book, sql, started, answer)),
            Err(error) => {
                let receipt = self.book.note_refusal(sql, error.code()).await?;
                Err(UseError::Failed { error, receipt })
            }
        }
    }
}

impl Book {
    /// The resource of aggregates that a statement names, if it names one.
    fn aggregates_of(&self, sql: &str) -> Option<(&Seat, Terms)> {
        let words: BTreeSet<String> = sql
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map(str::to_lowercase)
            .collect();
        self.seats.iter().filter(|seat| words.contains(seat.name())).find_map(|seat| {
            let Environment::Aggregates { k } = seat.admitted.grant.terms.environment else { return None };
            let entity = seat.admitted.resource.description.entity.clone()?;
            Some((seat, Terms { entity, one_row: false, k }))
        })
    }

    async fn aggregate(&self, seat: &Seat, terms: &Terms, sql: &str) -> Result<Answer, LakeError> {
        let owner = self.owner(seat);
        self.state.lake.aggregates(&seat.granted(), terms, &owner).await?.query(sql).await
    }

    /// Whose history of questions it is: the organisation's, because its people talk to each other.
    fn owner(&self, seat: &Seat) -> String {
        let posts = self.asker.actor.posts();
        let org = match &seat.admitted.grant.terms.holder {
            Holder::Org(org) => Some(org),
            Holder::Post(post) => posts.iter().find(|held| held.post == *post).map(|held| &held.org),
            Holder::Person(_) => posts.first().map(|held| &held.org),
            Holder::System(_) => None,
        };
        org.map_or_else(|| seat.admitted.grant.terms.holder.key(), |org| Holder::Org(org.clone()).key())
    }

    /// A statement that was not run leaves a receipt too.
    async fn note_refusal(&self, statement: &str, code: &'static str) -> Result<UseId, UseError> {
        let record = self.record(statement, Vec::new(), Outcome::failed(code));
        let id = record.use_id;
        self.state.recorder.whole(self.entry(record, statement, &[], 0)).await?;
        Ok(id)
    }
}

impl Seat {
    fn new(admitted: Admitted) -> Self {
        let witness = admitted
            .resource
            .description
            .entity
            .as_ref()
            .filter(|_| admitted.resource.description.of_persons)
            .map(|column| Witness::new(column, MOST_PERSONS));
        Self { admitted, witness }
    }

    /// Whether rows of persons were reckoned into aggregates: of whom, nobody took down.
    fn is_reckoned(&self) -> bool {
        let terms = &self.admitted.grant.terms;
        self.witness.is_some() && matches!(terms.environment, Environment::Aggregates { .. })
    }

    /// The name of its table.
    fn name(&self) -> &str {
        self.admitted.resource.id.as_str()
    }

    fn granted(&self) -> Granted {
        Granted {
            name: self.admitted.resource.id.clone(),
            table: self.admitted.resource.id.clone(),
            policy: self.admitted.policy.clone(),
            witness: self.witness.clone(),
        }
    }

    fn used(&self) -> UsedGrant {
        UsedGrant {
            resource: self.admitted.resource.id.to_string(),
            version: self.admitted.table.version,
            grant: self.admitted.grant.id,
            terms_hash: hex::encode(self.admitted.grant.terms_hash),
        }
    }

    fn seen(&self) -> Option<Seen> {
        self.witness.as_ref().map(Witness::seen)
    }
}

fn ask<'a>(asker: &'a Asker, operator: &'a OrgCode, has_case: bool) -> Ask<'a> {
    Ask { actor: &asker.actor, operator, purpose: asker.purpose, has_case }
}

/// The organisation that runs the node.
pub(crate) fn operator(app: &App) -> Result<OrgCode, UseError> {
    OrgCode::new(app.pack.node().operator.as_str())
        .map_err(|error| StoreError::Config(error.to_string()).into())
}

/// The case that is named, if it is open and one that the asker's posts may see. The node's own work names the
/// case that it does it for.
async fn named_case(app: &App, asker: &Asker) -> Result<Option<NamedCase>, UseError> {
    let Some(number) = asker.case_no.as_deref().map(str::trim).filter(|number| !number.is_empty()) else {
        return Ok(None);
    };
    let db = app.store.read();
    let key = cases::key_of(&db, number).await?.ok_or(UseError::Case)?;
    let loaded = cases::find(&db, key).await.map_err(|_| UseError::Case)?.ok_or(UseError::Case)?;
    let own = matches!(asker.actor, Actor::Node);
    if !loaded.case.stage().is_open() || !own && loaded.case.seen_by(&asker.actor).is_err() {
        return Err(UseError::Case);
    }
    Ok(Some(NamedCase { id: key.id, number: number.to_owned() }))
}

/// What the actor may use now, for whatever purpose: the newest grant of each resource and purpose that counts.
pub async fn everything(app: &App, actor: &Actor) -> Result<Vec<Admitted>, UseError> {
    let operator = operator(app)?;
    let mut all = Vec::new();
    for purpose in grants::model::terms::PURPOSES {
        // Which case a use is for is asked when it is used.
        let ask = Ask { actor, operator: &operator, purpose, has_case: true };
        all.extend(grants::decide::usable(&app.store.read(), &ask).await?);
    }
    Ok(all)
}

//! What can be done with resources and grants, one function a use case.

use identity::orgs;
use kernel::actor::Actor;
use kernel::ids::{GrantId, OrgCode};
use lake::Lake;
use packs::Pack;
use store::{AuditEntry, Purpose, Reads, Tx};

use crate::GrantError;
use crate::decide::token_key;
use crate::model::grant::{Grant, Recorded};
use crate::model::state::{GrantEvent, Status};
use crate::model::terms::{Environment, Holder, MAX_TEXT, Terms, TermsError};
use crate::resources::{self, NewResource, Resource};
use crate::store as sql;

/// Keeps the data of an organisation: registers and loads resources, proposes grants.
pub const STEWARD: &str = "data-steward";
/// Decides on grants that another proposed.
pub const APPROVER: &str = "data-approver";

/// Registers a table of the lake as a resource of an organisation whose steward the actor is.
pub async fn register_resource(tx: &Tx, actor: &Actor, new: &NewResource) -> Result<Resource, GrantError> {
    if !matches!(actor, Actor::Node) && !actor.has_role(&new.provider, STEWARD) {
        return Err(GrantError::NotYourPost);
    }
    let table = Lake::table(tx, &new.id).await?;
    resources::insert(tx, &table, new).await?;
    tx.audit(
        AuditEntry::new(actor, "grants.register_resource", Purpose::Operation)
            .object(format!("grants.resource:{}", new.id)),
    );
    resources::get(tx, new.id.as_str()).await
}

/// Issues a grant. Where the grade asks for four eyes, it counts only after another has approved it.
pub async fn issue(tx: &Tx, actor: &Actor, terms: Terms) -> Result<Grant, GrantError> {
    let resource = resources::get(tx, &terms.resource).await?;
    if !matches!(actor, Actor::Node) && !actor.has_role(&resource.provider, STEWARD) {
        return Err(GrantError::NotYourPost);
    }
    check(tx, &resource, &terms).await?;
    let env = tx.store().env().clone();
    let four_eyes = resource.grade.needs_four_eyes();
    let (_, terms_hash) = terms.to_document()?;
    let grant = Grant {
        id: GrantId::generate(&*env.clock, &*env.entropy),
        terms,
        terms_hash,
        status: if four_eyes { Status::Proposed } else { Status::Active },
        seq: 1,
        uses: 0,
        rows: 0,
        created_at: env.now(),
    };
    sql::insert(tx, &grant).await?;
    let event = recorded(tx, actor, 1, GrantEvent::Issued { four_eyes });
    sql::append(tx, &grant, grant.status, &event).await?;
    tx.audit(noted(actor, "grants.issue", &grant));
    Ok(grant)
}

/// Whether the terms make sense and fit the resource as it is now.
pub async fn check(db: &impl Reads, resource: &Resource, terms: &Terms) -> Result<(), GrantError> {
    terms.check()?;
    let table = Lake::table(db, &resource.id).await?;
    if !terms.versions.holds(table.version) {
        return Err(TermsError::Versions.into());
    }
    if matches!(terms.environment, Environment::Aggregates { .. }) && resource.description.entity.is_none() {
        return Err(TermsError::NoEntity.into());
    }
    let policy = terms.policy(|family| token_key(db.store(), family));
    policy.check(&table.schema).map_err(|error| TermsError::Policy(error.to_string()))?;
    let known = match &terms.holder {
        Holder::Person(subject) => identity::people::get(db, *subject).await?.is_some(),
        Holder::Post(post) => {
            orgs::all(db).await?.iter().any(|org| org.posts.iter().any(|known| known.code == *post))
        }
        Holder::Org(code) => orgs::all(db).await?.iter().any(|org| org.code == *code),
        Holder::System(token) => {
            identity::tokens::list(db).await?.iter().any(|known| known.id == *token)
        }
    };
    if known { Ok(()) } else { Err(GrantError::NoHolder) }
}

/// What a second person or a keeper of the data does to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Approve what another proposed.
    Approve,
    /// Refuse it.
    Refuse,
    /// Not for the time being.
    Suspend,
    /// Again.
    Resume,
    /// Never again.
    Revoke,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 5] = [Self::Approve, Self::Refuse, Self::Suspend, Self::Resume, Self::Revoke];

    /// The word of addresses and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke => "revoke",
        }
    }

    /// The change of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == word)
    }

    /// Whether it is the word of the second pair of eyes.
    pub fn is_decision(self) -> bool {
        matches!(self, Self::Approve | Self::Refuse)
    }

    /// The event that it leads to.
    pub fn event(self, reason: String) -> GrantEvent {
        match self {
            Self::Approve => GrantEvent::Approved { reason },
            Self::Refuse => GrantEvent::Refused { reason },
            Self::Suspend => GrantEvent::Suspended { reason },
            Self::Resume => GrantEvent::Resumed { reason },
            Self::Revoke => GrantEvent::Revoked { reason },
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Approve => "grants.approve",
            Self::Refuse => "grants.refuse",
            Self::Suspend => "grants.suspend",
            Self::Resume => "grants.resume",
            Self::Revoke => "grants.revoke",
        }
    }
}

/// Approves, refuses, suspends, resumes or revokes a grant, for a reason.
pub async fn change(
    tx: &Tx,
    pack: &Pack,
    actor: &Actor,
    id: GrantId,
    change: Change,
    reason: &str,
) -> Result<Grant, GrantError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_TEXT {
        return Err(GrantError::Reason);
    }
    let grant = sql::find(tx, id).await?.ok_or_else(|| GrantError::NoResource(id.to_string()))?;
    let resource = resources::get(tx, &grant.terms.resource).await?;
    let event = change.event(reason.to_owned());
    let status = grant.status.after(&event)?;
    may_change(actor, pack, &resource.provider, change)?;
    // A suspension may not be lifted past the second pair of eyes, so whoever proposed does not resume either.
    if change.is_decision() || change == Change::Resume && resource.grade.needs_four_eyes() {
        let history = sql::history(tx, id).await?;
        let proposer = history.first().and_then(|first| first.subject);
        if proposer.is_some() && proposer == actor.subject() {
            return Err(GrantError::FourEyes);
        }
    }
    let event = recorded(tx, actor, grant.seq + 1, event);
    sql::append(tx, &grant, status, &event).await?;
    tx.audit(noted(actor, change.action(), &grant));
    Ok(Grant { status, seq: event.seq, ..grant })
}

/// Whether one of the actor's posts allows the change: decisions are the approver's, of the provider or of the
/// node's data authority; to stop a use, the steward is enough.
pub fn may_change(actor: &Actor, pack: &Pack, provider: &OrgCode, change: Change) -> Result<(), GrantError> {
    let approver = approves(actor, pack, provider);
    let steward = actor.has_role(provider, STEWARD) && matches!(change, Change::Suspend | Change::Revoke);
    if approver || steward { Ok(()) } else { Err(GrantError::NotYourPost) }
}

/// Whether the actor keeps or decides on the data of the organisation.
pub fn keeps(actor: &Actor, pack: &Pack, provider: &OrgCode) -> bool {
    actor.has_role(provider, STEWARD) || approves(actor, pack, provider)
}

fn approves(actor: &Actor, pack: &Pack, provider: &OrgCode) -> bool {
    let authority = pack.node().data_authority.as_str();
    actor
        .posts()
        .iter()
        .any(|held| held.role == APPROVER && (held.org == *provider || held.org.as_str() == authority))
}

fn recorded(tx: &Tx, actor: &Actor, seq: i64, event: GrantEvent) -> Recorded {
    let label = actor.posts().iter().map(|held| held.post.as_str()).collect::<Vec<_>>().join(",");
    Recorded {
        seq,
        at: tx.store().env().now(),
        account: actor.account(),
        subject: actor.subject(),
        label,
        event,
    }
}

fn noted(actor: &Actor, action: &'static str, grant: &Grant) -> AuditEntry {
    AuditEntry::new(actor, action, Purpose::Operation)
        .object(format!("grants.grant:{}:{}", grant.id, hex::encode(grant.terms_hash)))
}

//! The JSON of the API, converted at the edge.

use kernel::actor::Actor;
use serde::{Deserialize, Serialize};
use store::audit::{Head, StoredEntry};
use utoipa::ToSchema;
use web::Ctx;
use web::wire::Words;

use crate::delegations::Delegation;
use crate::footprint::Line;
use crate::sessions::OpenSession;
use crate::tokens::Token;

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
    /// The code of the second factor, where the account has one.
    #[serde(alias = "code")]
    pub totp: Option<String>,
}

/// A session that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// To be sent as `Authorization: Bearer …`; shown this once.
    pub token: String,
    /// When it ends at the latest, RFC 3339.
    pub expires_at: String,
    /// Who it is of.
    pub actor: SessionActor,
}

/// Who a session is of.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionActor {
    /// `citizen`, `officer`, `auditor` or `administrator`.
    pub kind: String,
    /// The account.
    pub account: String,
    /// The person.
    pub subject: String,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// `citizen`, `officer`, `auditor`, `administrator` or `system`.
    pub kind: String,
    /// How to address them.
    pub name: Option<String>,
    /// The person; none for a system.
    pub subject: Option<String>,
    /// For whom they act now.
    pub acting_for: Option<String>,
    /// Posts held, for an officer.
    pub posts: Vec<Post>,
    /// Scopes, for a system.
    pub scopes: Vec<String>,
}

/// A post that is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct Post {
    /// The post.
    pub post: String,
    /// Its organisation.
    pub org: String,
    /// A role that it carries.
    pub role: String,
}

impl Me {
    /// Who asks, in this request.
    pub(crate) fn of(ctx: &Ctx) -> Self {
        let actor = ctx.actor();
        Self {
            kind: actor.kind().to_owned(),
            name: ctx.resolved.name.clone(),
            subject: actor.subject().map(|subject| subject.to_string()),
            acting_for: actor.acting_for().map(|subject| subject.to_string()),
            posts: actor
                .posts()
                .iter()
                .map(|held| Post {
                    post: held.post.to_string(),
                    org: held.org.to_string(),
                    role: held.role.clone(),
                })
                .collect(),
            scopes: match actor {
                Actor::System { scopes, .. } => scopes.clone(),
                _ => Vec::new(),
            },
        }
    }
}

/// For whom a session acts from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActingFor {
    /// The person or firm; none for oneself.
    pub subject: Option<String>,
}

/// A session of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionEntry {
    /// Its id.
    pub id: String,
    /// Browser and system, in a few words.
    pub device: String,
    /// `password`, `totp`, `passkey` or `real_name`.
    pub method: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used, to the minute.
    pub seen_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl From<&OpenSession> for SessionEntry {
    fn from(one: &OpenSession) -> Self {
        Self {
            id: one.id.to_string(),
            device: one.device.clone(),
            method: one.method.clone(),
            created_at: one.created_at.to_string(),
            seen_at: one.seen_at.to_string(),
            current: one.current,
        }
    }
}

/// One's sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// Newest first.
    pub sessions: Vec<SessionEntry>,
}

/// An access to a person's data, in words and as codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct FootprintEntry {
    /// Its place in the log.
    pub seq: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who, in words of the reader's language.
    pub who: String,
    /// Whether it was the person themself.
    pub own: bool,
    /// What was done, in words.
    pub what: String,
    /// What was done, such as `cases.view`.
    pub action: String,
    /// What for, in words.
    pub purpose: String,
    /// What for, such as `case_handling`.
    pub purpose_code: String,
    /// The case, if it was in one.
    pub case_no: Option<String>,
}

impl From<&Line> for FootprintEntry {
    fn from(line: &Line) -> Self {
        Self {
            seq: line.seq,
            at: line.at.to_string(),
            who: line.who.clone(),
            own: line.own,
            what: line.what.clone(),
            action: line.action.clone(),
            purpose: line.purpose.clone(),
            purpose_code: line.purpose_code.clone(),
            case_no: Some(line.case_no.clone()).filter(|number| !number.is_empty()),
        }
    }
}

/// A page of the footprint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Footprint {
    /// Newest first.
    pub entries: Vec<FootprintEntry>,
    /// The cursor of the next page: `?before=`.
    pub next: Option<i64>,
}

/// A right to act.
#[derive(Debug, Serialize, ToSchema)]
pub struct Right {
    /// Its id.
    pub id: String,
    /// For whom.
    pub subject: String,
    /// Who acts.
    pub delegate: String,
    /// `guardian`, `owner`, `agent` or `proxy`.
    pub kind: String,
    /// Items that it covers; empty for all.
    pub scope: Vec<String>,
    /// Since when.
    pub valid_from: String,
    /// Until when; none without an end.
    pub valid_to: Option<String>,
    /// The other side's name.
    pub name: String,
}

impl Right {
    pub(crate) fn new(right: &Delegation, name: String) -> Self {
        Self {
            id: right.id.to_string(),
            subject: right.subject.to_string(),
            delegate: right.delegate.to_string(),
            kind: right.kind.as_str().to_owned(),
            scope: right.scope.clone(),
            valid_from: right.valid_from.to_string(),
            valid_to: (!right.is_open_ended()).then(|| right.valid_to.to_string()),
            name,
        }
    }
}

/// Rights on both sides.
#[derive(Debug, Serialize, ToSchema)]
pub struct RightList {
    /// For whom the person may act.
    pub held: Vec<Right>,
    /// Who may act for the person, or for whom they act now.
    pub given: Vec<Right>,
}

/// A right to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRight {
    /// 姓名 of who will act.
    pub name: String,
    /// 公民身份号码 of who will act.
    pub citizen_id: String,
    /// Items that it covers; empty for all.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The last day, such as `2027-06-30`.
    #[schema(value_type = String)]
    pub last_day: kernel::time::Date,
}

/// A question of another system: may one act for the other?
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RightCheck {
    /// 公民身份号码 of who wants to act.
    pub delegate: String,
    /// 公民身份号码 or 统一社会信用代码 of whom for.
    pub subject: String,
    /// For which item.
    pub item: String,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct RightAnswer {
    /// Whether they may, at this moment.
    pub may: bool,
    /// On what ground: `guardian`, `owner`, `agent`, `proxy`.
    pub kind: Option<String>,
    /// Until when; none without an end.
    pub valid_to: Option<String>,
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Org {
    /// Its code.
    pub code: String,
    /// The organisation above.
    pub parent: Option<String>,
    /// `province` … `grid`.
    pub level: String,
    /// The division that it serves.
    pub division: String,
    /// 统一社会信用代码.
    pub uscc: String,
    /// Its name.
    pub name: Words,
    /// Its posts.
    pub posts: Vec<OrgPost>,
}

/// A post of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrgPost {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Roles that it carries.
    pub roles: Vec<String>,
}

/// Every organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrgList {
    /// By division and code.
    pub orgs: Vec<Org>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its leaf.
    pub seq: i64,
    /// When.
    pub at: String,
    /// Whose data; none for nobody in particular.
    pub subject: Option<String>,
    /// The kind of actor.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// Posts or name of the actor.
    pub actor_label: String,
    /// What was done.
    pub action: String,
    /// What for.
    pub purpose: String,
    /// In which case.
    pub case_no: Option<String>,
    /// What was touched.
    pub object: String,
}

impl From<&StoredEntry> for AuditEntry {
    fn from(entry: &StoredEntry) -> Self {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != "-");
        Self {
            seq: entry.seq,
            at: entry.at.to_string(),
            subject: some(&entry.subject_id),
            actor_kind: entry.actor_kind.clone(),
            actor_id: entry.actor_id.clone(),
            actor_label: entry.actor_label.clone(),
            action: entry.action.clone(),
            purpose: entry.purpose.clone(),
            case_no: some(&entry.case_no),
            object: entry.object.clone(),
        }
    }
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// The cursor of the next page: `?before=`.
    pub next: Option<i64>,
}

/// A signed head of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditHead {
    /// How many leaves.
    pub tree_size: i64,
    /// The root over them, hex.
    pub root: String,
    /// When it was signed, microseconds of UTC: a part of the signed text.
    pub at_micros: i64,
    /// The key of the SM2 signature.
    pub gm_kid: String,
    /// SM2 with SM3, hex.
    pub gm_signature: String,
    /// The key of the Ed25519 signature.
    pub intl_kid: String,
    /// Ed25519, hex.
    pub intl_signature: String,
}

impl From<&Head> for AuditHead {
    fn from(head: &Head) -> Self {
        Self {
            tree_size: head.tree_size,
            root: head.root.clone(),
            at_micros: head.at.micros(),
            gm_kid: head.gm.kid.clone(),
            gm_signature: hex::encode(&head.gm.bytes),
            intl_kid: head.intl.kid.clone(),
            intl_signature: hex::encode(&head.intl.bytes),
        }
    }
}

/// A page of heads.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadPage {
    /// Newest first.
    pub heads: Vec<AuditHead>,
    /// The cursor of the next page: `?before=`.
    pub next: Option<i64>,
}

/// What a check of the whole log found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerification {
    /// Whether nothing was found.
    pub intact: bool,
    /// Leaves that were read.
    pub leaves: i64,
    /// Heads that were checked.
    pub heads: i64,
    /// Every finding, in the order of the log.
    pub findings: Vec<Finding>,
}

/// A spot that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// The table or file.
    pub place: String,
    /// The leaf or tree size.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

/// A token of another system, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenEntry {
    /// Its id.
    pub id: String,
    /// The system's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Since when.
    pub created_at: String,
    /// Until when.
    pub expires_at: String,
    /// Since when it counts no longer.
    pub revoked_at: Option<String>,
}

impl From<&Token> for TokenEntry {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            revoked_at: token.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// Every token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// Newest first.
    pub tokens: Vec<TokenEntry>,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The system's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Days until it ends, 1 to 366.
    pub days: i64,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// Its id.
    pub id: String,
    /// The token itself; shown this once.
    pub token: String,
    /// Until when.
    pub expires_at: String,
}

/// Somebody of the demonstration.
#[derive(Debug, Serialize, ToSchema)]
pub struct Persona {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
    /// A code that is taken now, where one is asked; none when those of this half-minute were used.
    pub totp: Option<String>,
    /// Whether a code is asked.
    pub needs_totp: bool,
    /// 姓名.
    pub name: String,
    /// As what.
    pub kind: String,
    /// Who they are.
    pub role: Words,
    /// What to try.
    pub what_to_try: Words,
}

/// Everybody of the demonstration.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonaList {
    /// Citizens first.
    pub personas: Vec<Persona>,
}

//! One grant: what it says, what happened to it, what may be done with it.

use axum::extract::Path;
use axum::response::Response;
use grants::actions::{self, Change};
use grants::model::grant::{Grant, Standing};
use grants::model::state::Status;
use grants::model::terms::{Duty, Environment, Holder, ShowMask};
use kernel::ids::GrantId;
use lake::{Comparison, RowRule, Scalar};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::resource::use_row;
use super::{coded, last_day, purpose_text, said, uses};
use crate::problem::grant as problem;
use crate::uses::ledger;

/// Uses that are shown with a grant.
const USES: u32 = 20;

/// The grant.
pub(crate) async fn show(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let (grant, resource, part) = seen(&ctx, &id).await?;
    let terms = &grant.terms;
    let (standing, tone) = standing_pill(&ctx, &grant)?;
    let mut columns = Vec::new();
    for shown in &terms.columns {
        let matched = ctx.text(key("sharing-matched"), &[])?;
        columns.push(json!({ "cells": [
            { "text": said(&ctx, &resource.title_of(&shown.column)), "hint": shown.column },
            { "text": mask_text(&ctx, shown.mask.as_ref())? },
            { "text": if shown.matched { matched } else { String::new() } },
        ]}));
    }
    let mut history = Vec::new();
    for recorded in grants::store::history(&ctx.read(), grant.id).await.map_err(problem)? {
        let title = ctx.text(&format!("{}{}", key("sharing-event-"), recorded.event.kind()), &[])?;
        let by = if recorded.label.is_empty() {
            ctx.text(key("identity-who-node"), &[])?
        } else {
            uses::posts(&ctx, &recorded.label, Some(&resource.provider)).await?
        };
        history.push(json!({
            "title": title, "by": by, "at": recorded.at, "text": recorded.event.reason(),
        }));
    }
    history.reverse();
    let mut uses = Vec::new();
    if part == Part::Keeper {
        for record in ledger::of_grant(&ctx.read(), &grant.id.to_string(), None, USES).await? {
            uses.push(use_row(&ctx, &record).await?);
        }
    }
    let mut duties = Vec::new();
    for duty in &terms.duties {
        duties.push(match duty {
            Duty::Delete { within_days } => {
                ctx.text(key("sharing-duty-delete"), &[("days", (*within_days).into())])?
            }
            Duty::NoOnwardSharing {} => ctx.text(key("sharing-duty-no-onward"), &[])?,
            Duty::Report { every_days } => {
                ctx.text(key("sharing-duty-report"), &[("days", (*every_days).into())])?
            }
        });
    }
    let environment = match terms.environment {
        Environment::Rows {} => ctx.text(key("sharing-environment-rows"), &[])?,
        Environment::Aggregates { k } => {
            ctx.text(key("sharing-environment-aggregates"), &[("k", k.into())])?
        }
    };
    ctx.page(
        "sharing/grant.html",
        json!({
            "id": grant.id.to_string(),
            "title": said(&ctx, &resource.description.title),
            "resource": resource.id.to_string(),
            "keeper": part == Part::Keeper,
            "standing": { "text": standing, "tone": tone },
            "holder": holder_text(&ctx, &terms.holder).await?,
            "authority": coded(&ctx, key("sharing-authority-"), terms.authority.kind.as_str())?,
            "reference": terms.authority.reference,
            "purpose": purpose_text(&ctx, terms.purpose)?,
            "purpose_code": terms.purpose.as_str(),
            "versions": terms.versions.to.map_or_else(
                || terms.versions.from.to_string(),
                |to| format!("{} – {to}", terms.versions.from),
            ),
            "columns": columns,
            "rows": match &terms.rows {
                Some(rule) => rule_text(&ctx, rule)?,
                None => ctx.text(key("sharing-all-rows"), &[])?,
            },
            "uses_text": count_text(&ctx, grant.uses, terms.most_uses)?,
            "rows_text": count_text(&ctx, grant.rows, terms.most_rows)?,
            "from": terms.valid_from,
            "to": last_day(terms.valid_to),
            "environment": environment,
            "duties": duties,
            "terms_hash": hex::encode(grant.terms_hash),
            "history": history,
            "uses": uses,
            "usable": part == Part::Holder && grant.standing(ctx.now()) == Standing::Of(Status::Active),
            "actions": changes(&ctx, &grant, &resource),
        }),
    )
}

/// What part the reader has in a grant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Keeps the data.
    Keeper,
    /// Holds the grant.
    Holder,
}

async fn seen(ctx: &Ctx, id: &str) -> Result<(Grant, grants::Resource, Part), Problem> {
    let id: GrantId = id.parse().map_err(|_| Problem::not_found())?;
    let grant =
        grants::store::find(&ctx.read(), id).await.map_err(problem)?.ok_or_else(Problem::not_found)?;
    let resource = grants::resources::get(&ctx.read(), &grant.terms.resource).await.map_err(problem)?;
    let operator = crate::uses::operator(&ctx.app)?;
    if actions::keeps(ctx.actor(), &ctx.app.pack, &resource.provider) {
        return Ok((grant, resource, Part::Keeper));
    }
    if Holder::of(ctx.actor(), &operator).contains(&grant.terms.holder) {
        return Ok((grant, resource, Part::Holder));
    }
    Err(Problem::not_found())
}

/// What the reader may do next, as links.
fn changes(ctx: &Ctx, grant: &Grant, resource: &grants::Resource) -> Vec<Json> {
    Change::ALL
        .into_iter()
        .filter(|change| grant.status.after(&change.event(String::new())).is_ok())
        .filter(|change| actions::may_change(ctx.actor(), &ctx.app.pack, &resource.provider, *change).is_ok())
        .map(|change| {
            json!({
                "word": change.as_str(),
                "href": format!("/work/data/grants/{}/{}", grant.id, change.as_str()),
                "kind": if change == Change::Approve { "primary" } else { "secondary" },
            })
        })
        .collect()
}

/// Why?
pub(crate) async fn form(ctx: Ctx, Path((id, action)): Path<(String, String)>) -> Result<Response, Problem> {
    let change = Change::parse(&action).ok_or_else(Problem::not_found)?;
    let context = form_context(&ctx, &id, change, "").await?;
    ctx.page("sharing/grant_change.html", context)
}

/// Does it.
pub(crate) async fn act(
    ctx: Ctx,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let change = Change::parse(&action).ok_or_else(Problem::not_found)?;
    let reason = posted.get("reason");
    let again = form_context(&ctx, &id, change, reason).await?;
    let grant_id: GrantId = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    match actions::change(&tx, &ctx.app.pack, ctx.actor(), grant_id, change, reason).await {
        Ok(_) => {
            tx.commit().await?;
            let flash = format!("{}{}", key("flash-sharing-"), change.as_str());
            Ok(ctx.redirect(&format!("/work/data/grants/{id}"), Some(&flash)))
        }
        Err(grants::GrantError::Reason) => {
            let errors = [FieldError::new("reason", key("sharing-field-reason"))];
            ctx.form_again("sharing/grant_change.html", again, &errors)
        }
        Err(error) => Err(problem(error)),
    }
}

async fn form_context(ctx: &Ctx, id: &str, change: Change, reason: &str) -> Result<Json, Problem> {
    let (grant, resource, part) = seen(ctx, id).await?;
    if part != Part::Keeper {
        return Err(Problem::forbidden("grants.not_your_post"));
    }
    Ok(json!({
        "word": change.as_str(),
        "title": said(ctx, &resource.description.title),
        "holder": holder_text(ctx, &grant.terms.holder).await?,
        "action": format!("/work/data/grants/{id}/{}", change.as_str()),
        "back": format!("/work/data/grants/{id}"),
        "values": { "reason": reason },
    }))
}

/// Whether a grant counts, in words, and the tone of its pill.
pub(crate) fn standing_pill(ctx: &Ctx, grant: &Grant) -> Result<(String, &'static str), Problem> {
    let standing = grant.standing(ctx.now());
    let tone = match standing {
        Standing::Of(Status::Active) => "good",
        Standing::Of(Status::Proposed) | Standing::NotYet => "info",
        Standing::Of(Status::Suspended) | Standing::UsedUp => "warn",
        Standing::Of(Status::Revoked | Status::Refused) => "bad",
        Standing::Expired => "plain",
    };
    Ok((ctx.text(&format!("{}{}", key("sharing-standing-"), standing.as_str()), &[])?, tone))
}

/// Who holds a grant, in words.
pub(crate) async fn holder_text(ctx: &Ctx, holder: &Holder) -> Result<String, Problem> {
    Ok(match holder {
        Holder::Person(subject) => {
            let name = identity::people::display_name(&ctx.read(), *subject).await?;
            ctx.text(key("sharing-holder-person"), &[("name", identity::people::masked_name(&name).into())])?
        }
        Holder::Post(code) => {
            let orgs = identity::orgs::all(&ctx.read()).await?;
            let found = orgs.iter().find_map(|org| {
                let post = org.posts.iter().find(|post| post.code == *code)?;
                Some(format!("{} {}", said(ctx, &org.name), said(ctx, &post.name)))
            });
            found.unwrap_or_else(|| code.to_string())
        }
        Holder::Org(code) => said(ctx, &identity::orgs::org_name(&ctx.read(), code).await?).to_owned(),
        Holder::System(id) => {
            let tokens = identity::tokens::list(&ctx.read()).await?;
            let name = tokens.iter().find(|token| token.id == *id).map(|token| token.name.clone());
            let name = name.unwrap_or_else(|| id.to_string());
            ctx.text(key("identity-who-system"), &[("name", name.into())])?
        }
    })
}

fn count_text(ctx: &Ctx, had: u64, most: Option<u64>) -> Result<String, Problem> {
    Ok(match most {
        Some(most) => ctx.text(
            key("sharing-count-of"),
            &[("had", had.to_string().into()), ("most", most.to_string().into())],
        )?,
        None => ctx.text(key("sharing-count-open"), &[("had", had.to_string().into())])?,
    })
}

fn mask_text(ctx: &Ctx, mask: Option<&ShowMask>) -> Result<String, Problem> {
    Ok(match mask {
        None => ctx.text(key("sharing-mask-none"), &[])?,
        Some(ShowMask::Empty {}) => ctx.text(key("sharing-mask-empty"), &[])?,
        Some(ShowMask::Stars { first, last }) => ctx.text(
            key("sharing-mask-stars"),
            &[("first", u32::from(*first).into()), ("last", u32::from(*last).into())],
        )?,
        Some(ShowMask::Prefix { letters }) => {
            ctx.text(key("sharing-mask-prefix"), &[("letters", u32::from(*letters).into())])?
        }
        Some(ShowMask::Year {}) => ctx.text(key("sharing-mask-year"), &[])?,
        Some(ShowMask::Floor { step }) => ctx.text(key("sharing-mask-floor"), &[("step", (*step).into())])?,
        Some(ShowMask::Token { family }) => {
            ctx.text(key("sharing-mask-token"), &[("family", family.as_str().into())])?
        }
    })
}

/// A row rule in words that a lawyer can check: columns, signs, constants.
fn rule_text(ctx: &Ctx, rule: &RowRule) -> Result<String, Problem> {
    let several = |rules: &[RowRule], word: &str| -> Result<String, Problem> {
        let parts = rules.iter().map(|rule| rule_text(ctx, rule)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("({})", parts.join(&format!(" {} ", ctx.text(word, &[])?))))
    };
    Ok(match rule {
        RowRule::All(rules) => several(rules, key("sharing-rule-and"))?,
        RowRule::Any(rules) => several(rules, key("sharing-rule-or"))?,
        RowRule::Not(rule) => {
            format!("{} {}", ctx.text(key("sharing-rule-not"), &[])?, rule_text(ctx, rule)?)
        }
        RowRule::Compare { column, is, value } => {
            let sign = match is {
                Comparison::Equal => "=",
                Comparison::NotEqual => "≠",
                Comparison::Less => "<",
                Comparison::AtMost => "≤",
                Comparison::More => ">",
                Comparison::AtLeast => "≥",
            };
            format!("{column} {sign} {}", scalar_text(value))
        }
        RowRule::In { column, values } => {
            let values: Vec<String> = values.iter().map(scalar_text).collect();
            format!("{column} ∈ {{{}}}", values.join(", "))
        }
        RowRule::StartsWith { column, prefix } => {
            format!("{column} {} “{prefix}”", ctx.text(key("sharing-rule-starts"), &[])?)
        }
        RowRule::Empty { column } => format!("{column} {}", ctx.text(key("sharing-rule-empty"), &[])?),
    })
}

fn scalar_text(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("“{text}”"),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Boolean(truth) => truth.to_string(),
        Scalar::Date(date) => date.to_string(),
        Scalar::Timestamp(at) => at.to_china_string(),
    }
}

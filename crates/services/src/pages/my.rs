//! What a citizen has here: what waits for them, what they began, what runs, what they hold.

use axum::response::Response;
use serde_json::{Value as Json, json};
use web::{Ctx, Problem};

use crate::actions::submit::masked;
use crate::outside;
use crate::store::bookings;
use crate::store::drafts::{self, DraftState, NOTICE_DAYS};

/// `GET /my`
pub(crate) async fn home(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let db = ctx.read();
    let now = ctx.now();
    let today = now.china_date();
    let mut invitations = Vec::new();
    for one in bookings::invitations(&db, subject).await? {
        if one.state != "open" || one.until <= now {
            continue;
        }
        let item = ctx.app.pack.item(&one.item_id).map(|item| &item.name);
        let by = masked(&outside::name_of(&db, one.inviter_id).await?);
        invitations.push(json!({
            "booking": one.booking_id, "item": item, "by": by, "starts_at": one.starts_at, "until": one.until,
        }));
    }
    let mut waits = Vec::new();
    for one in bookings::waits(&db, subject).await? {
        waits.push(json!({ "day": one.day, "draft": one.draft_id, "offered": one.offered_at.is_some() }));
    }
    let page = cases::queue::list_of_subject(&db, subject, None, today).await?;
    let mut list = Vec::new();
    let mut corrections = Vec::new();
    for case in &page.cases {
        let view = json!({
            "case_no": case.case_no, "item": case.item_name, "light": cases::light_word(case.light),
            "left": cases::due_text(&ctx, case.due, case.light)?, "due": case.due,
            "stage": cases::stage_pill(&ctx, case.stage)?, "received_at": case.received_at,
        });
        if case.stage == cases::model::Stage::Correction {
            corrections.push(view.clone());
        }
        list.push(view);
    }
    let booked = bookings::list(&db, subject).await?;
    let booked: Vec<Json> = booked
        .iter()
        .filter(|one| matches!(one.state.as_str(), "held" | "waiting" | "booked") && one.starts_at > now)
        .map(|one| {
            let item = ctx.app.pack.item(&one.item_id).map(|item| &item.name);
            json!({ "id": one.booking_id, "item": item, "starts_at": one.starts_at, "state": one.state })
        })
        .collect();
    ctx.page(
        "services/my.html",
        json!({
            "invitations": invitations,
            "waits": waits,
            "corrections": corrections,
            "drafts": draft_views(&ctx).await?,
            "cases": list,
            "more_cases": page.next.is_some(),
            "bookings": booked,
            "licences": outside::held_types(&db, subject).await?.len(),
        }),
    )
}

/// `GET /my/drafts`
pub(crate) async fn drafts_page(ctx: Ctx) -> Result<Response, Problem> {
    ctx.page("services/drafts.html", json!({ "drafts": draft_views(&ctx).await? }))
}

async fn draft_views(ctx: &Ctx) -> Result<Vec<Json>, Problem> {
    let (_, subject) = ctx.citizen()?;
    let now = ctx.now();
    let soon = now.plus(jiff::SignedDuration::from_hours(24 * NOTICE_DAYS));
    let list = drafts::list(&ctx.read(), subject).await?;
    Ok(list
        .iter()
        .map(|draft| {
            let item = ctx.app.pack.item(&draft.item_id).map(|item| &item.name);
            json!({
                "id": draft.id, "item": item, "changed_at": draft.changed_at, "expires_at": draft.expires_at,
                "waiting": draft.state == DraftState::Waiting, "soon": draft.expires_at <= soon,
            })
        })
        .collect())
}

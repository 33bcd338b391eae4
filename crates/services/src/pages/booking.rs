//! Slots, invitations and bookings.

use axum::extract::Path;
use axum::response::Response;
use kernel::ids::BookingId;
use kernel::time::{Date, Timestamp};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::apply::load;
use crate::actions::appointments::{self, FreeSlot};
use crate::actions::drafts::Work;
use crate::actions::submit::{Submission, masked};
use crate::error::ServiceError;
use crate::model::PageState;
use crate::outside;
use crate::store::bookings;

/// The page on which a slot is chosen: days, then times, each a button that works without scripts.
pub(crate) async fn slot_page(
    ctx: &Ctx,
    work: &Work,
    state: &PageState<'_>,
    from: &str,
) -> Result<Response, Problem> {
    ctx.page("services/slots.html", slot_context(ctx, work, state, from, None).await?)
}

async fn slot_context(
    ctx: &Ctx,
    work: &Work,
    state: &PageState<'_>,
    from: &str,
    near: Option<Timestamp>,
) -> Result<Json, Problem> {
    let spec = work.item.appointment.as_ref().ok_or_else(Problem::not_found)?;
    let slots = appointments::slots(&ctx.app, spec).await?;
    let held = bookings::of_draft(&ctx.read(), work.draft.subject, work.draft.id).await?;
    let held = held.filter(|booking| booking.held_until > ctx.now());
    let mut days: Vec<(Date, Vec<&FreeSlot>)> = Vec::new();
    for slot in &slots {
        let day = slot.plan.start.china_date();
        match days.last_mut() {
            Some((last, list)) if *last == day => list.push(slot),
            _ => days.push((day, vec![slot])),
        }
    }
    let shown: Vec<Json> = days
        .iter()
        .map(|(day, list)| {
            json!({
                "day": day.to_string(),
                "free": list.iter().map(|slot| slot.free).sum::<u32>(),
                "slots": list.iter().filter(|slot| slot.free > 0).map(|slot| slot_view(slot)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let near: Vec<Json> = near
        .map(|wanted| appointments::nearest(&slots, wanted, 3))
        .into_iter()
        .flatten()
        .map(|slot| slot_view(&slot))
        .collect();
    let run = work.run(&ctx.app)?;
    let root = format!("/apply/drafts/{}", work.draft.id);
    let lang = ctx.lang();
    Ok(json!({
        "item": { "id": work.item.id, "name": work.item.name },
        "draft": work.draft.id,
        "form_page": {
            "id": state.page.id, "title": state.page.title.get(lang.as_str()),
            "hint": state.page.hint.as_ref().map(|hint| hint.get(lang.as_str())),
        },
        "resource": spec.name,
        "minutes": spec.minutes,
        "hold_minutes": spec.hold_minutes,
        "days": shown,
        "near": near,
        "held": held.map(|booking| json!({ "starts_at": booking.starts_at, "until": booking.held_until })),
        "next": run.after(&state.page.id).map_or_else(|| format!("{root}/review"), |next| format!("{root}/{}", next.page.id)),
        "back": run.before(&state.page.id).map(|before| format!("{root}/{}", before.page.id)),
        "from": from,
        "step": { "number": run.position(&state.page.id).map_or(1, |at| at + 1), "of": run.pages.len() + 1 },
    }))
}

fn slot_view(slot: &FreeSlot) -> Json {
    let start = slot.plan.start.to_china_string();
    let end = slot.plan.end.to_china_string();
    let clock = |text: &str| text.split(' ').nth(1).unwrap_or_default().to_owned();
    json!({
        "value": slot.plan.start.micros().to_string(),
        "day": slot.plan.start.china_date().to_string(),
        "from": clock(&start), "to": clock(&end), "free": slot.free,
    })
}

/// `POST /apply/drafts/{draft}/slot`: holds a seat.
pub(crate) async fn choose(ctx: Ctx, Path(draft): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let start = posted.get("slot").parse::<i64>().map(Timestamp::from_micros);
    let chosen = match start {
        Ok(start) => appointments::choose(&ctx.app, ctx.actor(), work.clone(), start).await,
        Err(_) => Err(ServiceError::Invalid(vec![FieldError::new("slot", key("services-slot-none-chosen"))])),
    };
    let from_review = posted.get("_from") == "review";
    let errors = match chosen {
        Ok(work) => {
            let next = super::apply::next_step(&ctx, &work)?;
            let review = format!("/apply/drafts/{draft}/review");
            return Ok(ctx
                .redirect(if from_review { &review } else { &next }, Some(key("flash-services-slot-held"))));
        }
        Err(ServiceError::Invalid(errors)) => errors,
        Err(ServiceError::SlotTaken) => vec![FieldError::new("slot", key("services-slot-taken"))],
        Err(ServiceError::BookedAlready) => {
            vec![FieldError::new("slot", key("services-submit-booked-already"))]
        }
        Err(other) => return Err(other.into()),
    };
    let run = work.run(&ctx.app)?;
    let is_slot = |page: &&PageState<'_>| {
        page.fields.iter().any(|field| field.field.kind == packs::model::FieldKind::Slot)
    };
    let state = run.pages.iter().find(is_slot).ok_or_else(Problem::not_found)?;
    let context = slot_context(&ctx, &work, state, posted.get("_from"), start.ok()).await?;
    ctx.form_again("services/slots.html", context, &errors)
}

/// `POST /apply/drafts/{draft}/wait`: joins the waiting list of a day.
pub(crate) async fn wait(ctx: Ctx, Path(draft): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let day: Date = posted.get("day").parse().map_err(|_| Problem::bad_request("http.unreadable"))?;
    appointments::wait_for_day(&ctx.app, &work, day).await?;
    Ok(ctx.redirect("/my", Some(key("flash-services-waiting"))))
}

fn booking_id(text: &str) -> Result<BookingId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// `GET /my/invitations/{booking}`
pub(crate) async fn invitation_page(ctx: Ctx, Path(booking): Path<String>) -> Result<Response, Problem> {
    ctx.page("services/invitation.html", invitation_context(&ctx, &booking).await?)
}

async fn invitation_context(ctx: &Ctx, booking: &str) -> Result<Json, Problem> {
    let (_, subject) = ctx.citizen()?;
    let found = bookings::invitation(&ctx.read(), subject, booking_id(booking)?).await?;
    let invitation = found.ok_or_else(Problem::not_found)?;
    let item = ctx.app.pack.item(&invitation.item_id).ok_or_else(Problem::not_found)?;
    let by = masked(&outside::name_of(&ctx.read(), invitation.inviter_id).await?);
    let open = invitation.state == "open" && invitation.until > ctx.now();
    Ok(json!({
        "item": { "id": item.id, "name": item.name, "summary": item.summary },
        "booking": invitation.booking_id,
        "by": by,
        "starts_at": invitation.starts_at,
        "until": invitation.until,
        "open": open,
        "state": if invitation.state == "open" && !open { "expired" } else { &invitation.state },
        "venue": item.venues.first(),
        "conditions": item.conditions.iter().map(|one| &one.text).collect::<Vec<_>>(),
    }))
}

/// `POST /my/invitations/{booking}/confirm`
pub(crate) async fn confirm(
    ctx: Ctx,
    Path(booking): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let back = |text: &str| vec![FieldError::new("agrees", text)];
    let errors = if posted.get("agrees") == "true" {
        match appointments::confirm(&ctx.app, ctx.actor(), subject, booking_id(&booking)?, ctx.lang()).await {
            Ok(Submission::Case(_) | Submission::AwaitsOther { .. }) => {
                return Ok(ctx
                    .redirect(&format!("/my/invitations/{booking}"), Some(key("flash-services-confirmed"))));
            }
            Err(ServiceError::InvitationOver) => back(key("services-invitation-over")),
            Err(ServiceError::PartnerMismatch) => back(key("services-invitation-mismatch")),
            Err(ServiceError::NotEligible(because)) => {
                vec![FieldError::new("agrees", key("services-submit-not-eligible")).with("because", because)]
            }
            Err(other) => return Err(other.into()),
        }
    } else {
        back(key("services-error-confirm"))
    };
    ctx.form_again("services/invitation.html", invitation_context(&ctx, &booking).await?, &errors)
}

/// `POST /my/invitations/{booking}/decline`
pub(crate) async fn decline(ctx: Ctx, Path(booking): Path<String>, _: Posted) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    appointments::decline(&ctx.app, ctx.actor(), subject, booking_id(&booking)?).await?;
    Ok(ctx.redirect("/my", Some(key("flash-services-declined"))))
}

/// `GET /my/bookings/{booking}`
pub(crate) async fn booking_page(ctx: Ctx, Path(booking): Path<String>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let found = bookings::find(&ctx.read(), subject, booking_id(&booking)?).await?;
    let booking = found.ok_or_else(Problem::not_found)?;
    let item = ctx.app.pack.item(&booking.item_id).ok_or_else(Problem::not_found)?;
    let active = matches!(booking.state.as_str(), "held" | "waiting" | "booked");
    ctx.page(
        "services/booking.html",
        json!({
            "item": { "id": item.id, "name": item.name },
            "booking": {
                "id": booking.booking_id, "state": booking.state, "starts_at": booking.starts_at,
                "until": booking.held_until, "case_no": booking.case_no, "draft": booking.draft_id,
            },
            "venue": item.venues.first(),
            "may_cancel": active && (booking.state != "booked" || appointments::may_change(&ctx.app, &booking)),
            "active": active,
            "phone": ctx.app.pack.node().phone,
        }),
    )
}

/// `POST /my/bookings/{booking}/cancel`
pub(crate) async fn cancel(ctx: Ctx, Path(booking): Path<String>, _: Posted) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    appointments::cancel(&ctx.app, ctx.actor(), subject, booking_id(&booking)?).await?;
    Ok(ctx.redirect(&format!("/my/bookings/{booking}"), Some(key("flash-services-cancelled"))))
}

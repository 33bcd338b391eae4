//! Slots, invitations, bookings.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use kernel::ids::{BookingId, DraftId};
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::forms::JsonBody;
use web::{Ctx, Problem};

use super::applications::SubmissionBody;
use crate::actions::appointments;
use crate::actions::drafts::Work;
use crate::actions::submit::masked;
use crate::outside;
use crate::store::bookings;

/// A slot.
#[derive(Serialize, ToSchema)]
pub(super) struct SlotBody {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// How many seats are free.
    free: u32,
}

/// Slots that may be booked today.
#[derive(Serialize, ToSchema)]
pub(super) struct SlotList {
    /// In the order of time.
    slots: Vec<SlotBody>,
}

async fn load(ctx: &Ctx, draft: &str) -> Result<Work, Problem> {
    let (_, subject) = ctx.citizen()?;
    let id: DraftId = draft.parse().map_err(|_| Problem::not_found())?;
    Ok(Work::load(&ctx.app, subject, id).await?)
}

/// The slots of a draft's service.
#[utoipa::path(get, path = "/api/v1/drafts/{draft}/slots", operation_id = "list_slots", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")),
    responses((status = 200, body = SlotList), (status = 404, body = web::ProblemBody)))]
pub(super) async fn list_slots(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let spec = work.item.appointment.as_ref().ok_or_else(Problem::not_found)?;
    let slots = appointments::slots(&ctx.app, spec).await?;
    let slots = slots
        .into_iter()
        .map(|slot| SlotBody { starts_at: slot.plan.start, ends_at: slot.plan.end, free: slot.free })
        .collect();
    Ok(axum::Json(SlotList { slots }).into_response())
}

/// A slot to be held.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewHold {
    /// When it begins, as the list gave it.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
}

/// A seat that is held.
#[derive(Serialize, ToSchema)]
pub(super) struct HoldBody {
    /// The booking.
    booking: String,
    /// When the slot begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// Until when it is held without a submission.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Holds a seat for a draft; one that it held before goes back.
#[utoipa::path(put, path = "/api/v1/drafts/{draft}/slot", operation_id = "hold_slot", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")), request_body = NewHold,
    responses((status = 200, body = HoldBody), (status = 409, body = web::ProblemBody)))]
pub(super) async fn hold_slot(
    ctx: Ctx,
    Path(draft): Path<String>,
    JsonBody(new): JsonBody<NewHold>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let work = appointments::choose(&ctx.app, ctx.actor(), work, new.starts_at).await?;
    let booking = bookings::of_draft(&ctx.read(), work.draft.subject, work.draft.id).await?;
    let booking = booking.ok_or_else(Problem::not_found)?;
    let held = HoldBody {
        booking: booking.booking_id.to_string(),
        starts_at: booking.starts_at,
        until: booking.held_until,
    };
    Ok(axum::Json(held).into_response())
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationBody {
    /// The booking.
    booking: String,
    /// The service.
    item: String,
    /// Who invites, masked.
    by: String,
    /// When the slot begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// Until when it can be answered.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// `open`, `confirmed`, `declined`, `expired` or `cancelled`.
    state: String,
}

/// Invitations.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationList {
    /// Newest first.
    invitations: Vec<InvitationBody>,
}

/// Invitations to confirm a booking.
#[utoipa::path(get, path = "/api/v1/invitations", operation_id = "list_invitations", tag = "services",
    responses((status = 200, body = InvitationList)))]
pub(super) async fn list_invitations(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let mut list = Vec::new();
    for one in bookings::invitations(&ctx.read(), subject).await? {
        list.push(InvitationBody {
            booking: one.booking_id.to_string(),
            item: one.item_id,
            by: masked(&outside::name_of(&ctx.read(), one.inviter_id).await?),
            starts_at: one.starts_at,
            until: one.until,
            state: one.state,
        });
    }
    Ok(axum::Json(InvitationList { invitations: list }).into_response())
}

fn booking_id(text: &str) -> Result<BookingId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// Confirms an invitation with one's own account; the booking becomes a case of whoever invited.
#[utoipa::path(post, path = "/api/v1/invitations/{booking}/confirm", operation_id = "confirm_invitation",
    tag = "services", params(("booking" = String, Path, description = "The booking.")),
    responses((status = 200, body = SubmissionBody), (status = 409, body = web::ProblemBody)))]
pub(super) async fn confirm_invitation(
    ctx: Ctx,
    Path(booking): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    super::check_token(&ctx, &headers)?;
    let done =
        appointments::confirm(&ctx.app, ctx.actor(), subject, booking_id(&booking)?, ctx.lang()).await?;
    // The receipt is the inviter's; the invited person learns the number and gets a slip of their own.
    let body = SubmissionBody::of(&done)?.without_receipt();
    Ok(axum::Json(body).into_response())
}

/// Declines an invitation; the seat goes back.
#[utoipa::path(post, path = "/api/v1/invitations/{booking}/decline", operation_id = "decline_invitation",
    tag = "services", params(("booking" = String, Path, description = "The booking.")),
    responses((status = 204), (status = 409, body = web::ProblemBody)))]
pub(super) async fn decline_invitation(
    ctx: Ctx,
    Path(booking): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    super::check_token(&ctx, &headers)?;
    appointments::decline(&ctx.app, ctx.actor(), subject, booking_id(&booking)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A booking.
#[derive(Serialize, ToSchema)]
pub(super) struct BookingBody {
    /// Its id.
    id: String,
    /// The service.
    item: String,
    /// When the slot begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// `held`, `waiting`, `booked`, `expired`, `cancelled` or `declined`.
    state: String,
    /// The case that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    case_no: Option<String>,
}

/// Bookings.
#[derive(Serialize, ToSchema)]
pub(super) struct BookingList {
    /// The latest slot first; at most 50.
    bookings: Vec<BookingBody>,
}

/// One's own bookings.
#[utoipa::path(get, path = "/api/v1/bookings", operation_id = "list_bookings", tag = "services",
    responses((status = 200, body = BookingList)))]
pub(super) async fn list_bookings(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let list = bookings::list(&ctx.read(), subject).await?;
    let list = list
        .into_iter()
        .map(|one| BookingBody {
            id: one.booking_id.to_string(),
            item: one.item_id,
            starts_at: one.starts_at,
            state: one.state,
            case_no: one.case_no,
        })
        .collect();
    Ok(axum::Json(BookingList { bookings: list }).into_response())
}

/// Gives up a booking, while there is time for others to take the seat.
#[utoipa::path(delete, path = "/api/v1/bookings/{booking}", operation_id = "cancel_booking", tag = "services",
    params(("booking" = String, Path, description = "The booking.")),
    responses((status = 204), (status = 409, body = web::ProblemBody)))]
pub(super) async fn cancel_booking(
    ctx: Ctx,
    Path(booking): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    super::check_token(&ctx, &headers)?;
    appointments::cancel(&ctx.app, ctx.actor(), subject, booking_id(&booking)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

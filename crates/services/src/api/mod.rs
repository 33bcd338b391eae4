//! The same acts for programs: JSON under `/api/v1`.

mod applications;
mod bookings;
mod items;

use http::HeaderMap;
use utoipa::OpenApi;
use web::{Access, Ctx, Problem, Routes};

/// Every route of the API.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/api/v1/items", Access::Public, items::list_items)
        .get("/api/v1/suggestions", Access::Public, items::list_suggestions)
        .get("/api/v1/items/{id}", Access::Public, items::get_item)
        .post("/api/v1/items/{id}/eligibility", Access::Public, items::check_eligibility)
        .get("/api/v1/names/availability", Access::Public, items::get_name_availability)
        .get("/api/v1/drafts", Access::Citizen, applications::list_drafts)
        .post("/api/v1/drafts", Access::Citizen, applications::create_draft)
        .get("/api/v1/drafts/{draft}", Access::Citizen, applications::get_draft)
        .delete("/api/v1/drafts/{draft}", Access::Citizen, applications::delete_draft)
        .put("/api/v1/drafts/{draft}/answers", Access::Citizen, applications::set_answers)
        .put("/api/v1/drafts/{draft}/promises", Access::Citizen, applications::set_promises)
        .upload("/api/v1/drafts/{draft}/attachments/{material}", Access::Citizen, applications::attach_file)
        .get("/api/v1/drafts/{draft}/attachments/{material}", Access::Citizen, applications::get_attachment)
        .delete(
            "/api/v1/drafts/{draft}/attachments/{material}",
            Access::Citizen,
            applications::remove_attachment,
        )
        .post("/api/v1/drafts/{draft}/submit", Access::Citizen, applications::submit_draft)
        .get("/api/v1/receipts/{case_no}", Access::Citizen, applications::get_receipt)
        .get("/api/v1/drafts/{draft}/slots", Access::Citizen, bookings::list_slots)
        .put("/api/v1/drafts/{draft}/slot", Access::Citizen, bookings::hold_slot)
        .get("/api/v1/invitations", Access::Citizen, bookings::list_invitations)
        .post("/api/v1/invitations/{booking}/confirm", Access::Citizen, bookings::confirm_invitation)
        .post("/api/v1/invitations/{booking}/decline", Access::Citizen, bookings::decline_invitation)
        .get("/api/v1/bookings", Access::Citizen, bookings::list_bookings)
        .delete("/api/v1/bookings/{booking}", Access::Citizen, bookings::cancel_booking)
}

/// An act without a body carries the session's token in a header, as one with a JSON body does. Callers with
/// a bearer token have none.
fn check_token(ctx: &Ctx, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(wanted) = &ctx.resolved.csrf else { return Ok(()) };
    let sent = headers.get("x-csrf-token").map(|value| value.as_bytes()).unwrap_or_default();
    // Hashes are compared, so that the time taken tells nothing of the token.
    if crypto::hash::sm3(sent) == crypto::hash::sm3(wanted.as_bytes()) {
        Ok(())
    } else {
        Err(Problem::forbidden("access.csrf"))
    }
}

/// The description of this crate's API.
#[derive(OpenApi)]
#[openapi(
    paths(
        items::list_items,
        items::list_suggestions,
        items::get_item,
        items::check_eligibility,
        items::get_name_availability,
        applications::list_drafts,
        applications::create_draft,
        applications::get_draft,
        applications::delete_draft,
        applications::set_answers,
        applications::set_promises,
        applications::attach_file,
        applications::get_attachment,
        applications::remove_attachment,
        applications::submit_draft,
        applications::get_receipt,
        bookings::list_slots,
        bookings::hold_slot,
        bookings::list_invitations,
        bookings::confirm_invitation,
        bookings::decline_invitation,
        bookings::list_bookings,
        bookings::cancel_booking,
    ),
    tags((name = "services", description = "What is offered, and the way from a form to a case."))
)]
pub(crate) struct Description;

//! Pages of the one-stop service.

mod apply;
mod booking;
mod catalogue;
mod my;
mod submit;

pub(crate) use apply::material_view;
use web::{Access, Routes};

/// Every page.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/", Access::Public, catalogue::home)
        .get("/search", Access::Public, catalogue::search_page)
        .get("/items", Access::Public, catalogue::items_page)
        .get("/items/{id}", Access::Public, catalogue::guide_page)
        .get("/items/{id}/check", Access::Public, catalogue::check_page)
        .post("/items/{id}/check", Access::Public, catalogue::check_post)
        .get("/apply/{item}", Access::Citizen, apply::start_page)
        .post("/apply/{item}", Access::Citizen, apply::start)
        .get("/apply/drafts/{draft}", Access::Citizen, apply::go_on)
        .get("/apply/drafts/{draft}/{page}", Access::Citizen, apply::form_page)
        .post("/apply/drafts/{draft}/{page}", Access::Citizen, apply::save)
        .post("/apply/drafts/{draft}/{page}/own", Access::Citizen, apply::fill_own)
        .upload("/apply/drafts/{draft}/{page}/file", Access::Citizen, apply::save_file)
        .get("/apply/drafts/{draft}/materials", Access::Citizen, apply::materials_page)
        .post("/apply/drafts/{draft}/materials", Access::Citizen, apply::materials_post)
        .get("/apply/drafts/{draft}/materials/{material}", Access::Citizen, apply::material_page)
        .upload("/apply/drafts/{draft}/materials/{material}", Access::Citizen, apply::material_upload)
        .get("/apply/drafts/{draft}/materials/{material}/view", Access::Citizen, apply::material_file)
        .post("/apply/drafts/{draft}/materials/{material}/remove", Access::Citizen, apply::material_remove)
        .post("/apply/drafts/{draft}/discard", Access::Citizen, apply::discard)
        .post("/apply/drafts/{draft}/slot", Access::Citizen, booking::choose)
        .post("/apply/drafts/{draft}/wait", Access::Citizen, booking::wait)
        .get("/apply/drafts/{draft}/review", Access::Citizen, submit::review_page)
        .post("/apply/drafts/{draft}/submit", Access::Citizen, submit::submit)
        .get("/apply/drafts/{draft}/done", Access::Citizen, submit::done_page)
        .get("/my", Access::Citizen, my::home)
        .get("/my/drafts", Access::Citizen, my::drafts_page)
        .get("/my/cases/{case_no}/receipt", Access::Citizen, submit::receipt_file)
        .get("/my/invitations/{booking}", Access::Citizen, booking::invitation_page)
        .post("/my/invitations/{booking}/confirm", Access::Citizen, booking::confirm)
        .post("/my/invitations/{booking}/decline", Access::Citizen, booking::decline)
        .get("/my/bookings/{booking}", Access::Citizen, booking::booking_page)
        .post("/my/bookings/{booking}/cancel", Access::Citizen, booking::cancel)
}

/// Pages of a form may not be called like the other steps of an application.
pub(crate) const RESERVED: [&str; 8] =
    ["materials", "review", "submit", "done", "discard", "slot", "wait", "file"];

//! The API: sessions, who somebody is, their footprint and rights; what auditors, administrators and other
//! systems may ask.

mod me;
mod oversight;
mod sessions;
mod systems;
pub mod wire;

use utoipa::OpenApi;
use web::{Access, Routes};

use crate::sign_in::Limits;
use crate::tokens::{SCOPE_DELEGATIONS, SCOPE_WITNESS};

/// Every route of this crate's API.
pub(crate) fn routes(limits: &Limits) -> Routes {
    let tries = limits.clone();
    Routes::new()
        .post("/api/v1/sessions", Access::Public, move |ctx, from, body| {
            sessions::create_session(ctx, from, body, tries)
        })
        .delete("/api/v1/sessions/current", Access::SignedIn, sessions::delete_current_session)
        .put("/api/v1/sessions/current/acting-for", Access::Citizen, sessions::act_for)
        .get("/api/v1/me", Access::SignedIn, me::get_me)
        .get("/api/v1/me/sessions", Access::SignedIn, sessions::list_sessions)
        .delete("/api/v1/me/sessions/{id}", Access::SignedIn, sessions::delete_session)
        .get("/api/v1/me/footprint", Access::Citizen, me::list_footprint)
        .get("/api/v1/me/delegations", Access::Citizen, me::list_delegations)
        .post("/api/v1/me/delegations", Access::Citizen, me::create_delegation)
        .delete("/api/v1/me/delegations/{subject}/{id}", Access::Citizen, me::delete_delegation)
        .get("/api/v1/orgs", Access::Public, systems::list_orgs)
        .post("/api/v1/delegations/checks", Access::Scope(SCOPE_DELEGATIONS), systems::check_delegation)
        .get("/api/v1/witness/heads", Access::Scope(SCOPE_WITNESS), oversight::list_witness_heads)
        .get("/api/v1/audit/entries", Access::Auditor, oversight::list_audit_entries)
        .get("/api/v1/audit/heads", Access::Auditor, oversight::list_audit_heads)
        .post("/api/v1/audit/verifications", Access::Auditor, oversight::verify_audit)
        .get("/api/v1/admin/tokens", Access::Administrator, systems::list_tokens)
        .post("/api/v1/admin/tokens", Access::Administrator, systems::create_token)
        .delete("/api/v1/admin/tokens/{id}", Access::Administrator, systems::delete_token)
        .get("/api/v1/demo/personas", Access::Public, systems::list_personas)
}

/// The description of this crate's API.
#[derive(OpenApi)]
#[openapi(
    paths(
        sessions::create_session,
        sessions::delete_current_session,
        sessions::act_for,
        sessions::list_sessions,
        sessions::delete_session,
        me::get_me,
        me::list_footprint,
        me::list_delegations,
        me::create_delegation,
        me::delete_delegation,
        systems::list_orgs,
        systems::check_delegation,
        systems::list_tokens,
        systems::create_token,
        systems::delete_token,
        systems::list_personas,
        oversight::list_witness_heads,
        oversight::list_audit_entries,
        oversight::list_audit_heads,
        oversight::verify_audit
    ),
    tags((name = "identity", description = "Who somebody is, signing in, rights, the data footprint"),
         (name = "audit", description = "The audit log and its signed heads"))
)]
pub(crate) struct Description;

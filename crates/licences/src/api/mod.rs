//! The API: the holder's licences, verification, the officer's acts, and what the whole world may fetch.

mod mine;
mod public;
pub mod wire;
mod work;

use utoipa::OpenApi;
use web::{Access, Routes};

/// Every route of the API.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/api/v1/licences", Access::Citizen, mine::list_licences)
        .get("/api/v1/licences/{id}", Access::Citizen, mine::get_licence)
        .get("/api/v1/licences/{id}/file", Access::Citizen, mine::get_licence_file)
        .get("/api/v1/licences/{id}/pdf", Access::Citizen, mine::get_licence_pdf)
        .get("/api/v1/licences/{id}/uses", Access::Citizen, mine::list_licence_uses)
        .post("/api/v1/licences/{id}/presentations", Access::Citizen, mine::present_licence)
        .post("/api/v1/licences/{id}/credentials", Access::Citizen, mine::make_credential)
        .post("/api/v1/licences/{id}/copies", Access::Citizen, mine::make_copy)
        .post("/api/v1/verifications", Access::Public, public::verify)
        .get("/.well-known/yiwang-trust.json", Access::Public, public::trust_list)
        .get("/.well-known/yiwang-status.json", Access::Public, public::status_list)
        .get("/.well-known/status/{list}", Access::Public, public::status_token)
        .get("/api/v1/work/licences", Access::Officer, work::find_licences)
        .get("/api/v1/work/licences/{id}", Access::Officer, work::get_work_licence)
        .post("/api/v1/work/licences/{id}/actions/{action}", Access::Officer, work::change_licence)
}

/// The description of this crate's part of the API.
#[derive(OpenApi)]
#[openapi(
    paths(
        mine::list_licences,
        mine::get_licence,
        mine::get_licence_file,
        mine::get_licence_pdf,
        mine::list_licence_uses,
        mine::present_licence,
        mine::make_credential,
        mine::make_copy,
        public::verify,
        public::trust_list,
        public::status_list,
        public::status_token,
        work::find_licences,
        work::get_work_licence,
        work::change_licence
    ),
    components(schemas(
        web::wire::Words,
        wire::Licence,
        wire::LicenceList,
        wire::LicenceEvent,
        wire::LicenceUse,
        wire::LicenceUseList,
        wire::NewPresentation,
        wire::Presentation,
        wire::NewCredential,
        wire::Credential,
        wire::NewCopy,
        wire::Copy,
        wire::NewVerification,
        wire::Verification,
        wire::VerifiedClaim,
        wire::Grounds,
        web::ProblemBody,
        web::FieldProblem
    ))
)]
pub(crate) struct Api;

//! The API: a person's own cases, and an officer's work.

mod mine;
pub mod wire;
mod work;

use utoipa::OpenApi;
use web::{Access, Routes};

/// Every route of the API.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/api/v1/cases", Access::Citizen, mine::list_cases)
        .get("/api/v1/cases/{case_no}", Access::Citizen, mine::get_case)
        .get("/api/v1/cases/{case_no}/history", Access::Citizen, mine::get_history)
        .get("/api/v1/cases/{case_no}/decision", Access::Citizen, mine::get_decision)
        .upload("/api/v1/cases/{case_no}/files", Access::Citizen, mine::upload_file)
        .post("/api/v1/cases/{case_no}/correction-answer", Access::Citizen, mine::answer_correction)
        .post("/api/v1/cases/{case_no}/withdrawal", Access::Citizen, mine::withdraw_case)
        .post("/api/v1/cases/{case_no}/ratings", Access::Citizen, mine::rate_case)
        .post("/api/v1/cases/{case_no}/review-request", Access::Citizen, mine::request_review)
        .get("/api/v1/work/cases", Access::Officer, work::list_work_cases)
        .get("/api/v1/work/cases/{case_no}", Access::Officer, work::get_work_case)
        .get("/api/v1/work/cases/{case_no}/history", Access::Officer, work::get_work_history)
        .post("/api/v1/work/cases/{case_no}/actions/{action}", Access::Officer, work::perform_action)
        .get("/api/v1/supervision", Access::Officer, work::get_supervision)
}

/// The description of this crate's part of the API.
#[derive(OpenApi)]
#[openapi(
    paths(
        mine::list_cases,
        mine::get_case,
        mine::get_history,
        mine::get_decision,
        mine::upload_file,
        mine::answer_correction,
        mine::withdraw_case,
        mine::rate_case,
        mine::request_review,
        work::list_work_cases,
        work::get_work_case,
        work::get_work_history,
        work::perform_action,
        work::get_supervision
    ),
    components(schemas(
        web::wire::Words,
        wire::CaseSummary,
        wire::CaseList,
        wire::CaseDetail,
        wire::Clock,
        wire::Correction,
        wire::Document,
        wire::Reason,
        wire::UploadedFile,
        wire::CorrectionAnswer,
        wire::Withdrawal,
        wire::Rating,
        wire::RatingAnswer,
        wire::ReviewRequest,
        wire::ReviewAnswer,
        wire::Action,
        wire::Supervision,
        wire::Card,
        wire::ItemFigures,
        crate::export::History,
        crate::export::HistoryEvent
    ))
)]
pub struct Description;

//! Pages of people: signing in, what is held of them, who looked, for whom they act; and the auditor's and
//! administrator's.

mod audit;
mod mine;
pub(crate) mod sign_in;

use web::{Access, Routes};

use crate::sign_in::Limits;

/// Every page of this crate.
pub(crate) fn routes(limits: &Limits) -> Routes {
    let (tries, codes, enrolments) = (limits.clone(), limits.clone(), limits.clone());
    Routes::new()
        .get("/sign-in", Access::Public, sign_in::page)
        .post("/sign-in", Access::Public, move |ctx, headers, form| {
            sign_in::with_password(ctx, headers, form, tries)
        })
        .get("/sign-in/code", Access::Public, sign_in::code_page)
        .post("/sign-in/code", Access::Public, move |ctx, headers, form| {
            sign_in::with_code(ctx, headers, form, codes)
        })
        .get("/sign-in/enrol", Access::Public, sign_in::enrol_page)
        .post("/sign-in/enrol", Access::Public, move |ctx, headers, form| {
            sign_in::with_enrolment(ctx, headers, form, enrolments)
        })
        .post("/sign-out", Access::SignedIn, sign_in::sign_out)
        .get("/my/profile", Access::Citizen, mine::profile)
        .get("/my/footprint", Access::Citizen, mine::footprint)
        .get("/my/footprint.csv", Access::Citizen, mine::footprint_csv)
        .get("/my/delegations", Access::Citizen, mine::delegations)
        .post("/my/acting-for", Access::Citizen, mine::act_for)
        .get("/audit", Access::Auditor, audit::log)
        .post("/audit/verify", Access::Auditor, audit::verify)
        .get("/admin/orgs", Access::Administrator, audit::orgs)
}

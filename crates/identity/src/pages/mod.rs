//! Pages of people: signing in, what is held of them, who looked, for whom they act, how they sign in; and
//! the auditor's and the administrator's.

mod admin;
mod admin_access;
mod audit;
mod delegations;
mod mine;
mod passkeys;
mod real_name;
mod security;
mod sign_in;

use std::collections::BTreeMap;

use http::Uri;
use web::forms::FieldError;
use web::{Access, Ctx, Problem, Routes};

use crate::accounts::Account;
use crate::sign_in::Limits;

pub(crate) use delegations::{end_right, note as note_right, switch};

/// Every page of this crate.
pub(crate) fn routes(limits: &Limits) -> Routes {
    let (tries, codes, enrolments) = (limits.clone(), limits.clone(), limits.clone());
    let signing_in = Routes::new()
        .get("/sign-in", Access::Public, sign_in::page)
        .post("/sign-in", Access::Public, move |ctx, headers, from, form| {
            sign_in::with_password(ctx, headers, from, form, tries)
        })
        .get("/sign-in/code", Access::Public, sign_in::code_page)
        .post("/sign-in/code", Access::Public, move |ctx, headers, from, form| {
            sign_in::with_code(ctx, headers, from, form, codes)
        })
        .get("/sign-in/enrol", Access::Public, sign_in::enrol_page)
        .post("/sign-in/enrol", Access::Public, move |ctx, headers, from, form| {
            sign_in::with_enrolment(ctx, headers, from, form, enrolments)
        })
        .post("/sign-in/passkey/start", Access::Public, passkeys::start_sign_in)
        .post("/sign-in/passkey/finish", Access::Public, passkeys::finish_sign_in)
        .get("/sign-in/real-name", Access::Public, real_name::depart)
        .get("/sign-in/real-name/back", Access::Public, real_name::arrive)
        .post("/sign-out", Access::SignedIn, sign_in::sign_out);
    let own = Routes::new()
        .get("/my/profile", Access::Citizen, mine::profile)
        .get("/my/footprint", Access::Citizen, mine::footprint)
        .get("/my/footprint.csv", Access::Citizen, mine::footprint_csv)
        .get("/my/delegations", Access::Citizen, delegations::page)
        .get("/my/delegations/new", Access::Citizen, delegations::new_form)
        .post("/my/delegations/new", Access::Citizen, delegations::give)
        .post("/my/delegations/{subject}/{id}/end", Access::Citizen, delegations::end)
        .post("/my/acting-for", Access::Citizen, delegations::act_for);
    let security = Routes::new()
        .get("/account/security", Access::SignedIn, security::page)
        .get("/account/security/password", Access::SignedIn, security::password_form)
        .post("/account/security/password", Access::SignedIn, security::change_password)
        .get("/account/security/totp", Access::SignedIn, security::totp_form)
        .post("/account/security/totp", Access::SignedIn, security::set_totp)
        .post("/account/security/totp/remove", Access::SignedIn, security::remove_totp)
        .post("/account/security/sessions/{id}/end", Access::SignedIn, security::end_session)
        .post("/account/security/sessions/end-others", Access::SignedIn, security::end_other_sessions)
        .post("/account/security/passkeys/start", Access::SignedIn, passkeys::start_registration)
        .post("/account/security/passkeys/finish", Access::SignedIn, passkeys::finish_registration)
        .post("/account/security/passkeys/{id}/remove", Access::SignedIn, passkeys::remove);
    let oversight = Routes::new()
        .get("/audit", Access::Auditor, audit::log)
        .get("/audit/heads", Access::Auditor, audit::heads)
        .get("/audit/verify", Access::Auditor, audit::verify_page)
        .post("/audit/verify", Access::Auditor, audit::verify);
    let admin = Routes::new()
        .get("/admin/orgs", Access::Administrator, admin::orgs)
        .get("/admin/orgs/{code}", Access::Administrator, admin::org)
        .post("/admin/posts/{code}/appoint", Access::Administrator, admin::appoint)
        .post("/admin/posts/{code}/dismiss", Access::Administrator, admin::dismiss)
        .get("/admin/accounts", Access::Administrator, admin::accounts_page)
        .get("/admin/accounts/new", Access::Administrator, admin::new_account_form)
        .post("/admin/accounts/new", Access::Administrator, admin::create_account)
        .post("/admin/accounts/{id}/{act}", Access::Administrator, admin::change_account)
        .get("/admin/tokens", Access::Administrator, admin_access::tokens_page)
        .post("/admin/tokens", Access::Administrator, admin_access::create_token)
        .post("/admin/tokens/{id}/revoke", Access::Administrator, admin_access::revoke_token)
        .get("/admin/real-name", Access::Administrator, admin_access::provider_form)
        .post("/admin/real-name", Access::Administrator, admin_access::set_provider)
        .post("/admin/real-name/remove", Access::Administrator, admin_access::remove_provider);
    signing_in.merge(own).merge(security).merge(oversight).merge(admin)
}

/// The account that asks; systems and the node have none.
pub(crate) async fn own_account(ctx: &Ctx) -> Result<Account, Problem> {
    crate::sign_in::account_of(&ctx.read(), ctx.actor())
        .await?
        .ok_or_else(|| Problem::forbidden("access.forbidden"))
}

/// The fields of a query, decoded; the last of a name counts.
pub(crate) fn query(uri: &Uri) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().trim().to_owned()
    };
    uri.query()
        .unwrap_or("")
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// A number of a query, if it is one.
pub(crate) fn number(query: &BTreeMap<String, String>, name: &str) -> Option<i64> {
    query.get(name)?.parse().ok()
}

/// Text as a part of an address.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The page to go on to, if it is one of ours: a path, never another site.
pub(crate) fn safe_next(next: &str) -> String {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if ours { next.to_owned() } else { String::new() }
}

/// Errors of fields that were left empty: `(field, key of its message)`.
pub(crate) fn missing(form: &web::forms::Posted, wanted: &[(&str, &'static str)]) -> Vec<FieldError> {
    wanted
        .iter()
        .filter(|(field, _)| form.get(field).is_empty())
        .map(|(field, message)| FieldError::new(*field, *message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_on_never_leads_to_another_site() {
        assert_eq!(safe_next("/my/cases?a=1"), "/my/cases?a=1");
        for hostile in
            ["https://evil.example", "//evil.example", "/\\evil.example", "/\tevil", "", "my", "/a\r\nb"]
        {
            assert_eq!(safe_next(hostile), "", "{hostile}");
        }
    }

    #[test]
    fn a_query_is_read_decoded() {
        let uri: Uri = "/x?a=%E6%AE%B5+b&before=12&c".parse().unwrap();
        let read = query(&uri);
        assert_eq!(read.get("a").map(String::as_str), Some("段 b"));
        assert_eq!(number(&read, "before"), Some(12));
        assert_eq!(number(&read, "a"), None);
    }
}

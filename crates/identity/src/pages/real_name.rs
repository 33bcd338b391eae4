//! To the real-name provider and back.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Uri};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{query, safe_next, sign_in};
use crate::challenges;
use crate::sign_in::Visitor;
use crate::sign_in::real_name::{self, ProviderError, RealNameError};

/// Sends somebody to the provider. A link, not a form: forms of ours may lead to no other site.
pub(super) async fn depart(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let provider = real_name::provider(&ctx.app).await?.ok_or(RealNameError::NoProvider)?;
    let next = safe_next(query(&uri).get("next").map_or("", String::as_str));
    let (address, token) = real_name::depart(&ctx.app, &*provider, &next).await?;
    let mut response = Redirect::to(&address).into_response();
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, &token, Some(challenges::LIFE_SECONDS));
    Ok(response)
}

/// Takes in whoever comes back. Who said no there is not signed in, and told so.
pub(super) async fn arrive(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = query(&uri);
    let (Some(state), Some(code)) = (query.get("state"), query.get("code")) else {
        return Ok(ctx.redirect("/sign-in", Some(key("flash-identity-not-vouched"))));
    };
    let provider = real_name::provider(&ctx.app).await?.ok_or(RealNameError::NoProvider)?;
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    match real_name::arrive(&ctx.app, &*provider, &token, state, code, &from).await {
        Ok((session, next)) => sign_in::signed(&ctx, &headers, &session, &next).await,
        // An answer to another question is of no more use than one that came too late.
        Err(RealNameError::RanOut | RealNameError::Provider(ProviderError::NotOurs)) => {
            Ok(ctx.redirect("/sign-in", Some(key("flash-identity-ran-out"))))
        }
        Err(error) => Err(error.into()),
    }
}

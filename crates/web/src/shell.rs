//! Around every request: who asks, in which language, with which nonce; and around every answer: the
//! security headers and the body of a problem.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE,
    HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{Extensions, HeaderMap, Method, StatusCode};
use kernel::actor::Actor;
use serde_json::json;
use tracing::Instrument;

use crate::i18n::Lang;
use crate::problem::{FieldProblem, ProblemBody};
use crate::routes::Routes;
use crate::{App, Problem};

/// Forms and JSON bodies are small; uploads have a limit of their own.
const MAX_BODY: usize = 256 * 1024;

/// What is known of a request before its handler runs.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The language of the answer.
    pub lang: Lang,
    /// The nonce of its scripts.
    pub nonce: Arc<str>,
    /// Whether 长者模式 is on.
    pub elder: bool,
    /// Whether a program asks.
    pub wants_json: bool,
    /// The path.
    pub path: String,
    /// The path with its query.
    pub path_and_query: String,
    /// The id of this request.
    pub request_id: Arc<str>,
    /// A short message left by the step before.
    pub flash: Option<String>,
}

impl Shell {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            lang: Lang::ZH,
            nonce: "".into(),
            elder: false,
            wants_json: true,
            path: String::new(),
            path_and_query: String::new(),
            request_id: "".into(),
            flash: None,
        })
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The actor.
    pub actor: Actor,
    /// How to address them, when signed in.
    pub name: Option<String>,
    /// The token that their forms carry; none for bearer tokens, which no other site can send.
    pub csrf: Option<String>,
    /// Whether they may change what they act as, and to what: the page of choices.
    pub can_switch: bool,
}

impl Resolved {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self { actor: Actor::Anonymous, name: None, csrf: None, can_switch: false }
    }

    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(Self::anonymous)
    }

    pub(crate) fn needs_csrf(&self) -> bool {
        self.csrf.is_some()
    }

    /// Compares the token of a form with the session's.
    pub(crate) fn check_csrf(&self, sent: Option<&str>) -> Result<(), Problem> {
        match (&self.csrf, sent) {
            (None, _) => Ok(()),
            (Some(wanted), Some(sent)) if equal(wanted, sent) => Ok(()),
            _ => Err(Problem::forbidden("access.csrf")),
        }
    }
}

/// Compares in a time that depends on the lengths alone.
fn equal(left: &str, right: &str) -> bool {
    bool::from(subtle::ConstantTimeEq::ct_eq(left.as_bytes(), right.as_bytes()))
}

/// The finished service: every route inside the shell.
pub fn serve(app: App, routes: Routes) -> Router {
    routes
        .into_inner()
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "http.method_not_allowed")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::internal("a handler panicked").into_response()
        }))
        .layer(from_fn_with_state(app.clone(), shell))
        .with_state(app)
}

async fn shell(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let shell = read(&app, &request);
    let query_choices = choices(&request);
    let answer = match refuse_cross_site(&request) {
        Err(problem) => Err(problem),
        Ok(()) => {
            let headers = request.headers();
            if headers.contains_key(COOKIE) || headers.contains_key(AUTHORIZATION) {
                // The body of a request cannot be shared between threads, so its headers go alone.
                let headers = headers.clone();
                app.authenticate.resolve(&app, &headers).await
            } else {
                Ok(Resolved::anonymous())
            }
        }
    };
    let mut response = match answer {
        Ok(resolved) => {
            let extensions = request.extensions_mut();
            extensions.insert(resolved.clone());
            extensions.insert(shell.clone());
            // Whatever is logged below names the request that the answer tells people to quote.
            let span = tracing::info_span!("request", id = &*shell.request_id);
            let mut response = next.run(request).instrument(span).await;
            if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
                response = write_problem(&app, &shell, &resolved, &problem, response);
            }
            response
        }
        Err(problem) => {
            let mut response = problem.into_response();
            match response.extensions_mut().remove::<Arc<Problem>>() {
                Some(problem) => write_problem(&app, &shell, &Resolved::anonymous(), &problem, response),
                None => response,
            }
        }
    };
    protect(&app, &shell, query_choices, &mut response);
    response
}

fn read(app: &App, request: &Request) -> Shell {
    let headers = request.headers();
    let mut random = [0_u8; 32];
    app.store.env().entropy.fill(&mut random);
    let (nonce, id) = random.split_at(16);
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or("");
    let lang = query_value(query, "lang")
        .and_then(Lang::parse)
        .or_else(|| cookie(headers, "yw_lang").and_then(|value| Lang::parse(&value)))
        .filter(|lang| app.renderer.languages().supported().contains(lang))
        .or_else(|| api_language(app, &path, headers))
        .unwrap_or(Lang::ZH);
    let elder = query_value(query, "elder")
        .map(str::to_owned)
        .or_else(|| cookie(headers, "yw_elder"))
        .is_some_and(|value| value == "1");
    let accepts_html = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    Shell {
        lang,
        nonce: URL_SAFE_NO_PAD.encode(nonce).into(),
        elder,
        wants_json: path.starts_with("/api/") || !accepts_html && !path_is_page(request),
        path_and_query: request.uri().path_and_query().map_or_else(|| path.clone(), |both| both.to_string()),
        path,
        request_id: URL_SAFE_NO_PAD.encode(id).into(),
        flash: cookie(headers, "yw_flash").filter(|key| {
            key.starts_with("flash-") && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    }
}

/// A page is Chinese until its reader chooses otherwise; a program names its language in a header.
fn api_language(app: &App, path: &str, headers: &HeaderMap) -> Option<Lang> {
    if !path.starts_with("/api/") {
        return None;
    }
    let wishes = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    app.renderer.languages().pick(wishes)
}

/// Browsers without an `Accept` header for HTML (form posts of old ones) still want pages.
fn path_is_page(request: &Request) -> bool {
    request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
        kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data")
    })
}

/// A choice of language or type size in the address is remembered for a year.
fn choices(request: &Request) -> Vec<(&'static str, String)> {
    let query = request.uri().query().unwrap_or("");
    let mut kept = Vec::new();
    if let Some(lang) = query_value(query, "lang").and_then(Lang::parse) {
        kept.push(("yw_lang", lang.to_string()));
    }
    if let Some(elder) = query_value(query, "elder").filter(|value| matches!(*value, "0" | "1")) {
        kept.push(("yw_elder", elder.to_owned()));
    }
    kept
}

/// Browsers say where a request comes from; one from another site may read nothing and change nothing.
fn refuse_cross_site(request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let headers = request.headers();
    let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = match (value(HeaderName::from_static("sec-fetch-site")), value(ORIGIN), value(HOST)) {
        (Some(site), _, _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin.split("://").nth(1) != Some(host),
        _ => false,
    };
    if foreign { Err(Problem::forbidden("access.csrf")) } else { Ok(()) }
}

fn write_problem(
    app: &App,
    shell: &Shell,
    resolved: &Resolved,
    problem: &Problem,
    original: Response,
) -> Response {
    let text = |key: &str, args: &[(&str, crate::i18n::Arg)]| {
        app.renderer.text(shell.lang, key, args).unwrap_or_else(|error| {
            tracing::error!(%error, key, "a text is missing");
            problem.status.canonical_reason().unwrap_or("error").to_owned()
        })
    };
    let title = text(&problem.key(), &problem.args);
    let errors: Vec<FieldProblem> = problem
        .fields
        .iter()
        .map(|error| FieldProblem {
            field: error.field.clone(),
            code: error.key.clone(),
            message: text(&error.key, &error.args),
        })
        .collect();
    let mut response = if shell.wants_json {
        let body = ProblemBody {
            kind: format!("urn:yiwang:problem:{}", problem.code),
            title,
            status: problem.status.as_u16(),
            code: problem.code.to_owned(),
            request_id: shell.request_id.to_string(),
            errors,
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        ([(CONTENT_TYPE, "application/problem+json")], bytes).into_response()
    } else {
        let context = json!({
            "page": crate::ctx::page_object(app, shell, resolved, &shell.nonce),
            "problem": {
                "status": problem.status.as_u16(), "code": problem.code, "title": title,
                "errors": errors, "request_id": &*shell.request_id,
            },
        });
        match app.renderer.render("web/problem.html", shell.lang, &context) {
            Ok(page) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page of a problem failed");
                ([(CONTENT_TYPE, "text/plain; charset=utf-8")], title).into_response()
            }
        }
    };
    *response.status_mut() = problem.status;
    for (name, value) in original.headers() {
        if *name != CONTENT_TYPE && *name != http::header::CONTENT_LENGTH {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The headers that every answer carries.
fn protect(app: &App, shell: &Shell, choices: Vec<(&'static str, String)>, response: &mut Response<Body>) {
    let headers = response.headers_mut();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{}'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        shell.nonce
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), geolocation=(), microphone=()"),
    );
    if let Ok(id) = HeaderValue::from_str(&shell.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.append(VARY, HeaderValue::from_static("Cookie"));
    for (name, value) in choices {
        set_cookie(app, headers, name, &value, Some(365 * 24 * 3600));
    }
    if shell.flash.is_some() && response.status() == StatusCode::OK {
        set_cookie(app, response.headers_mut(), "yw_flash", "", Some(0));
    }
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|line| {
        cookie::Cookie::split_parse(line)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    })
}

/// Sets a cookie that scripts cannot read and other sites cannot send.
pub fn set_cookie(app: &App, headers: &mut HeaderMap, name: &str, value: &str, seconds: Option<i64>) {
    let mut cookie = cookie::Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .secure(app.node.secure_cookies)
        .same_site(cookie::SameSite::Lax)
        .build();
    if let Some(seconds) = seconds {
        cookie.set_max_age(cookie::time::Duration::seconds(seconds));
    }
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        headers.append(SET_COOKIE, value);
    }
}

/// The first value of `name` in a query, undecoded: for words of a closed list only.
fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

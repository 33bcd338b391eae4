//! What a handler is given: the app, the reader, the actor; and how it answers with a page.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts as RequestParts;
use http::{HeaderMap, StatusCode};
use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, SubjectId};
use kernel::time::Timestamp;
use serde_json::{Map, Value as Json, json};
use store::{Reader, Tx};

use crate::cache::NONCE_MARK;
use crate::forms::FieldError;
use crate::i18n::{Arg, Lang};
use crate::shell::{Resolved, Shell, set_cookie};
use crate::{App, Problem};

/// The context of a request.
pub struct Ctx {
    /// The state of the node.
    pub app: App,
    /// Language, nonce, path.
    pub shell: Shell,
    /// Who asks.
    pub resolved: Resolved,
}

impl FromRequestParts<App> for Ctx {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self {
            app: app.clone(),
            shell: Shell::of(&parts.extensions),
            resolved: Resolved::of(&parts.extensions),
        })
    }
}

impl Ctx {
    /// The actor.
    pub fn actor(&self) -> &Actor {
        &self.resolved.actor
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// The language of the answer.
    pub fn lang(&self) -> Lang {
        self.shell.lang
    }

    /// Begins a write. Hash, sign and render before or after, not while it is held.
    pub async fn begin(&self) -> Result<Tx, Problem> {
        Ok(self.app.store.begin().await?)
    }

    /// Reads what is committed.
    pub fn read(&self) -> Reader {
        self.app.store.read()
    }

    /// The citizen's account and the person or firm whose affairs they see to.
    pub fn citizen(&self) -> Result<(AccountId, SubjectId), Problem> {
        match self.actor() {
            Actor::Citizen { account, subject, on_behalf_of } => {
                Ok((*account, on_behalf_of.unwrap_or(*subject)))
            }
            Actor::Anonymous => Err(Problem::not_signed_in()),
            _ => Err(Problem::forbidden("access.forbidden")),
        }
    }

    /// The officer's account and posts.
    pub fn officer(&self) -> Result<(AccountId, &[PostHolding]), Problem> {
        match self.actor() {
            Actor::Officer { account, posts, .. } => Ok((*account, posts)),
            Actor::Anonymous => Err(Problem::not_signed_in()),
            _ => Err(Problem::forbidden("access.forbidden")),
        }
    }

    /// The text of `key`.
    pub fn text(&self, key: &str, args: &[(&str, Arg)]) -> Result<String, Problem> {
        Ok(self.app.renderer.text(self.shell.lang, key, args)?)
    }

    /// The page `template`, from an object such as `json!({"cases": …})`.
    pub fn page(&self, template: &str, context: Json) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template, context)
    }

    /// A form again, with what was entered and what is wrong with it. `errors` becomes a list of `field`,
    /// `message` and `href` for the error summary and the fields.
    pub fn form_again(
        &self,
        template: &str,
        mut context: Json,
        errors: &[FieldError],
    ) -> Result<Response, Problem> {
        if let Json::Object(object) = &mut context {
            object.insert("errors".to_owned(), self.errors_json(errors)?);
        }
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, template, context)
    }

    /// Errors as templates read them: `{list: [{field, text, href}], by_field: {field: {text}}}`.
    pub fn errors_json(&self, errors: &[FieldError]) -> Result<Json, Problem> {
        let mut list = Vec::new();
        let mut by_field = Map::new();
        for error in errors {
            let text = self.text(&error.key, &error.args)?;
            list.push(json!({ "field": error.field, "text": text, "href": format!("#{}", error.field) }));
            by_field.entry(error.field.clone()).or_insert_with(|| json!({ "text": text }));
        }
        Ok(json!({ "list": list, "by_field": by_field }))
    }

    fn page_with(&self, status: StatusCode, template: &str, context: Json) -> Result<Response, Problem> {
        let page = page_object(&self.app, &self.shell, &self.resolved, &self.shell.nonce);
        let html = self.app.renderer.render(template, self.shell.lang, &with_page(context, page))?;
        Ok((status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
    }

    /// A page that is the same for everybody who is not signed in: made once for each `key`, language and
    /// type size. `context` is only called when the page has to be made.
    pub fn public_page(
        &self,
        key: &str,
        template: &str,
        context: impl FnOnce() -> Result<Json, Problem>,
    ) -> Result<Response, Problem> {
        if !matches!(self.actor(), Actor::Anonymous) || self.shell.flash.is_some() {
            return self.page(template, context()?);
        }
        let key = format!("{key}\n{}\n{}", self.shell.lang, self.shell.elder);
        let html = match self.app.pages.get(&key, &self.shell.nonce) {
            Some(html) => html,
            None => {
                let page = page_object(&self.app, &self.shell, &self.resolved, NONCE_MARK);
                let made =
                    self.app.renderer.render(template, self.shell.lang, &with_page(context()?, page))?;
                self.app.pages.put(key, &made, &self.shell.nonce)
            }
        };
        Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
    }

    /// Sends the reader to `path` after a step was done (303), with a short message: a key `flash-…`.
    pub fn redirect(&self, path: &str, flash: Option<&str>) -> Response {
        let mut response = Redirect::to(path).into_response();
        if let Some(key) = flash {
            set_cookie(&self.app, response.headers_mut(), "yw_flash", key, Some(120));
        }
        response
    }

    /// Sets a cookie on an answer.
    pub fn set_cookie(&self, headers: &mut HeaderMap, name: &str, value: &str, seconds: Option<i64>) {
        set_cookie(&self.app, headers, name, value, seconds);
    }
}

/// A file to be saved, whose name may be Chinese (RFC 6266).
pub fn download(name: &str, media_type: &'static str, file: impl Into<Body>) -> Response {
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let mut response = ([(CONTENT_TYPE, media_type)], file.into()).into_response();
    let value = format!("attachment; filename=\"download\"; filename*=UTF-8''{encoded}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(http::header::CONTENT_DISPOSITION, value);
    }
    response
}

fn with_page(context: Json, page: Json) -> Json {
    let mut object = match context {
        Json::Object(object) => object,
        Json::Null => Map::new(),
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    object.insert("page".to_owned(), page);
    Json::Object(object)
}

/// The object `page` that the layout reads.
pub(crate) fn page_object(app: &App, shell: &Shell, resolved: &Resolved, nonce: &str) -> Json {
    let below = |href: &str| {
        if href == "/" {
            shell.path == "/"
        } else {
            shell.path == href || shell.path.starts_with(&format!("{href}/"))
        }
    };
    // Of two entries that lead here, the longer address is the nearer one.
    let here = app.nav.iter().map(|item| item.href).filter(|href| below(href)).max_by_key(|href| href.len());
    let nav: Vec<Json> = app
        .nav
        .iter()
        .filter(|item| item.access.admits(&resolved.actor))
        .filter(|item| item.only.is_none_or(|only| only(&resolved.actor, &app.pack)))
        .map(|item| {
            let label = app.renderer.text(shell.lang, item.key, &[]).unwrap_or_else(|_| item.key.to_owned());
            json!({ "href": item.href, "label": label, "current": here == Some(item.href) })
        })
        .collect();
    let actor = match &resolved.name {
        Some(name) => json!({
            "name": name, "kind": resolved.actor.kind(), "posts": resolved.actor.posts(),
            "can_switch": resolved.can_switch,
        }),
        None => Json::Null,
    };
    let other = if shell.lang == Lang::ZH { Lang::EN } else { Lang::ZH };
    json!({
        "lang": shell.lang,
        "other_lang": other,
        "other_lang_url": with_query(&shell.path_and_query, "lang", other.as_str()),
        "elder": shell.elder,
        "elder_url": with_query(&shell.path_and_query, "elder", if shell.elder { "0" } else { "1" }),
        "nonce": nonce,
        "actor": actor,
        "csrf": resolved.csrf,
        "nav": nav,
        "node": { "name": { "zh": app.node.name_zh, "en": app.node.name_en }, "division": app.node.division },
        "demo": app.node.demo,
        "path": shell.path,
        "flash": shell.flash,
        "request_id": &*shell.request_id,
    })
}

/// The address with `name` set to `value`, whatever it was before.
fn with_query(address: &str, name: &str, value: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let prefix = format!("{name}=");
    let mut pairs: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(&prefix)).collect();
    let own = format!("{name}={value}");
    pairs.push(&own);
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switching_the_language_keeps_the_rest_of_the_address() {
        assert_eq!(with_query("/search?q=a&lang=en", "lang", "zh-CN"), "/search?q=a&lang=zh-CN");
        assert_eq!(with_query("/", "lang", "en"), "/?lang=en");
    }
}

//! Is it genuine? For everybody: a code, the text of a QR code, or a file.

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Upload};
use web::i18n::{Arg, key};
use web::{Ctx, Problem};

use super::{row, said, state_word};
use crate::actions::present::{plain_code, scene_name};
use crate::actions::{self, LicenceError, PresentedLicence, Verifier};
use crate::check_online;
use crate::document::Format;
use crate::model::licence::{Registry, Standing};
use crate::verify::{Shown, Verdict};

/// The form.
pub(crate) async fn form(ctx: Ctx) -> Result<Response, Problem> {
    ctx.public_page("verify", "licences/verify.html", || Ok(json!({ "values": {} })))
}

/// What a scanned code leads to. Nothing happens yet: a preview of the link must not use the code up.
pub(crate) async fn code_page(ctx: Ctx, Path(code): Path<String>) -> Result<Response, Problem> {
    let code = plain_code(&code).ok_or_else(Problem::not_found)?;
    ctx.page("licences/verify_code.html", json!({ "code": code, "values": {} }))
}

/// The result.
pub(crate) async fn verify(ctx: Ctx, upload: Upload) -> Result<Response, Problem> {
    let fields = &upload.fields;
    let verifier =
        Verifier { name: fields.get("verifier").to_owned(), purpose: fields.get("purpose").to_owned() };
    let text = fields.get("text");
    if let Some(file) = upload.file.filter(|file| !file.bytes.is_empty()) {
        let verdict = check_online::check(&ctx.app, ctx.actor(), &file.bytes, &verifier).await?;
        return verdict_page(&ctx, &verdict);
    }
    if text.is_empty() {
        let error = FieldError::new("text", key("licences-field-nothing"));
        return ctx.form_again(
            "licences/verify.html",
            json!({ "values": values(&verifier, text) }),
            &[error],
        );
    }
    // A scanner may give the whole address of a code.
    let last = text.rsplit('/').next().unwrap_or(text);
    match plain_code(last) {
        Some(code) => one_time(&ctx, &code, &verifier).await,
        None => {
            let verdict = check_online::check(&ctx.app, ctx.actor(), text.as_bytes(), &verifier).await?;
            verdict_page(&ctx, &verdict)
        }
    }
}

async fn one_time(ctx: &Ctx, code: &str, verifier: &Verifier) -> Result<Response, Problem> {
    let registry = Registry::of(&ctx.app);
    let tx = ctx.begin().await?;
    match actions::use_code(&tx, &registry, ctx.actor(), code, verifier).await {
        Ok(presented) => {
            tx.commit().await?;
            presented_page(ctx, &registry, &presented)
        }
        Err(LicenceError::CodeGone) => {
            drop(tx);
            let error = FieldError::new("text", key("licences-field-code-gone"));
            let context = json!({ "values": values(verifier, code) });
            ctx.form_again("licences/verify.html", context, &[error])
        }
        Err(error) => Err(error.into()),
    }
}

fn values(verifier: &Verifier, text: &str) -> Json {
    json!({ "text": text, "verifier": verifier.name, "purpose": verifier.purpose })
}

fn presented_page(
    ctx: &Ctx,
    registry: &Registry<'_>,
    presented: &PresentedLicence,
) -> Result<Response, Problem> {
    let licence = &presented.licence;
    let record = &licence.record;
    let kind = crate::pdf::definition(licence)?;
    let rows: Vec<Json> =
        presented.claims.iter().map(|(id, value)| row(ctx, &kind, id, value, None)).collect();
    let meaning = format!("{}{}", key("licences-meaning-"), state_word(presented.standing));
    let args: Vec<(&str, Arg)> = match presented.standing {
        Standing::Expired => {
            vec![("date", record.valid_to.map(|date| date.to_string()).unwrap_or_default().into())]
        }
        Standing::NotYetValid => vec![("date", record.valid_from.to_string().into())],
        _ => Vec::new(),
    };
    let scene = scene_name(registry, &licence.type_id, &presented.scene);
    let context = json!({
        "title": ctx.text(&format!("{}{}", key("licences-verdict-"), state_word(presented.standing)), &[])?,
        "meaning": ctx.text(&meaning, &args)?,
        "tone": outcome_tone(presented.standing == Standing::Valid),
        "name": record.kind.name,
        "issuer": record.issuer.name,
        "number": record.identifier.to_string(),
        "number_key": "identifier",
        "issued": record.issued_at,
        "rows": rows,
        "scene": scene.as_ref().map(|scene| said(ctx, scene)),
        "as_of": ctx.now(),
        "online": true,
        "copy": Json::Null,
    });
    ctx.page("licences/verdict.html", context)
}

fn verdict_page(ctx: &Ctx, verdict: &Verdict) -> Result<Response, Problem> {
    let finding = &verdict.finding;
    let mut context = json!({
        "title": ctx.text(&finding.name_key(), &[])?,
        "meaning": ctx.text(&finding.meaning_key(), &finding.args())?,
        "tone": outcome_tone(verdict.is_good()),
        "as_of": verdict.as_of,
        "online": false,
    });
    if let (Some(shown), Json::Object(context)) = (&verdict.shown, &mut context)
        && let Json::Object(facts) = facts(ctx, shown)
    {
        context.extend(facts);
    }
    ctx.page("licences/verdict.html", context)
}

fn facts(ctx: &Ctx, shown: &Shown) -> Json {
    let rows: Vec<Json> = shown
        .claims
        .iter()
        .map(|claim| json!({ "key": said(ctx, &claim.label), "value": said(ctx, &claim.value) }))
        .collect();
    json!({
        "name": shown.name,
        "issuer": shown.issuer,
        "number": shown.number,
        "number_key": match shown.format { Format::Licence => "identifier", Format::Receipt => "case-no" },
        "issued": shown.issued_at,
        "signatures": shown.carrier.signatures_key(),
        "rows": rows,
        "copy": shown.copy,
    })
}

fn outcome_tone(good: bool) -> &'static str {
    if good { "good" } else { "bad" }
}

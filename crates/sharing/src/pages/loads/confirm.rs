//! What was found in a source, for a steward to correct and confirm; and the acts on a loading.

use axum::extract::Path;
use axum::response::Response;
use lake::loading::{
    Check, ColumnNote, Encoding, MappedColumn, Mapping, Note, Proposal, ProposedColumn, Reading,
};
use lake::{Column, Kind, Lake, Table};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::{Arg, key};
use web::{Ctx, Problem};

use super::super::coded;
use super::super::resource::kind_word;
use super::own;
use crate::loads::{self, Loading, LoadingError, Order};
use crate::problem::loading as problem;

/// Values of the sample that are shown beside a column.
const SAMPLE: usize = 3;
/// The kinds that a new column may be.
const KINDS: [Kind; 7] =
    [Kind::Text, Kind::Integer, Kind::Decimal(2), Kind::Float, Kind::Boolean, Kind::Date, Kind::Timestamp];
/// The codes that a text may be checked as.
const CHECKS: [(&str, Check); 3] =
    [("citizen_id", Check::CitizenId), ("uscc", Check::Uscc), ("division", Check::Division)];

/// An act on a loading, by its word in the address.
pub(crate) async fn act(
    ctx: Ctx,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let loading = own(&ctx, &id).await?;
    let here = format!("/work/data/loads/{id}");
    match action.as_str() {
        "read" => return read_again(&ctx, loading, &posted).await,
        "confirm" => return confirm(&ctx, loading, &posted).await,
        "discard" => {
            loads::discard(&ctx.app, ctx.actor(), &loading).await.map_err(problem)?;
            return Ok(ctx.redirect("/work/data/loads", Some(key("flash-sharing-load-discarded"))));
        }
        "go-on" => loads::go_on(&ctx.app, ctx.actor(), loading).await.map_err(problem)?,
        "cancel" => {
            let tx = ctx.begin().await?;
            loads::cancel(&tx, ctx.actor(), &loading).await.map_err(problem)?;
            tx.commit().await?;
            return Ok(ctx.redirect(&here, Some(key("flash-sharing-load-cancelled"))));
        }
        "forget" => {
            let tx = ctx.begin().await?;
            loads::forget_rejected(&tx, ctx.actor(), &loading).await.map_err(problem)?;
            tx.commit().await?;
            return Ok(ctx.redirect(&here, Some(key("flash-sharing-load-forgotten"))));
        }
        _ => return Err(Problem::not_found()),
    }
    Ok(ctx.redirect(&here, None))
}

/// Reads the source in another way: encoding, delimiter, sheet, header.
async fn read_again(ctx: &Ctx, mut loading: Loading, posted: &Posted) -> Result<Response, Problem> {
    let chosen = |name: &str| Some(posted.get(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    let delimiter = match posted.get("delimiter") {
        "tab" => Some('\t'),
        text => text.chars().next(),
    };
    let header_row = posted.get("header_row");
    if !header_row.is_empty() && header_row.parse::<u32>().is_err() {
        let errors = [FieldError::new("header_row", key("sharing-field-load-header"))];
        let context = context(ctx, &loading, Some(posted)).await?;
        return ctx.form_again("sharing/load_confirm.html", context, &errors);
    }
    let reading = Reading {
        form: None,
        encoding: chosen("encoding").and_then(|name| Encoding::parse(&name)),
        delimiter,
        sheet: chosen("sheet"),
        header_row: header_row.parse().ok(),
    };
    match loads::look_again(&ctx.app, &mut loading, &reading).await {
        Ok(()) => Ok(ctx.redirect(&format!("/work/data/loads/{}", loading.id), None)),
        Err(error) => {
            let problem = problem(error);
            if problem.status.is_server_error() {
                return Err(problem);
            }
            let error = FieldError { field: "encoding".to_owned(), key: problem.key(), args: problem.args };
            let context = context(ctx, &loading, Some(posted)).await?;
            ctx.form_again("sharing/load_confirm.html", context, &[error])
        }
    }
}

async fn confirm(ctx: &Ctx, loading: Loading, posted: &Posted) -> Result<Response, Problem> {
    let there = there(ctx, &loading).await?;
    let mut errors = Vec::new();
    let order = read_order(&loading, there.as_ref(), posted, &mut errors);
    if errors.is_empty() {
        match loads::confirm(&ctx.app, ctx.actor(), loading.clone(), order).await {
            Ok(()) => return Ok(ctx.redirect(&format!("/work/data/loads/{}", loading.id), None)),
            Err(LoadingError::Stage) => {
                return Ok(ctx.redirect(&format!("/work/data/loads/{}", loading.id), None));
            }
            Err(error) => {
                let problem = problem(error);
                if problem.status.is_server_error() || problem.status == http::StatusCode::FORBIDDEN {
                    return Err(problem);
                }
                errors.push(FieldError {
                    field: "columns".to_owned(),
                    key: problem.key(),
                    args: problem.args,
                });
            }
        }
    }
    let context = context(ctx, &loading, Some(posted)).await?;
    ctx.form_again("sharing/load_confirm.html", context, &errors)
}

async fn there(ctx: &Ctx, loading: &Loading) -> Result<Option<Table>, Problem> {
    if loading.content.fresh.is_some() {
        return Ok(None);
    }
    let table = Lake::table(&ctx.read(), &loading.resource).await;
    table.map(Some).map_err(|error| problem(LoadingError::from(error)))
}

fn read_order(
    loading: &Loading,
    there: Option<&Table>,
    posted: &Posted,
    errors: &mut Vec<FieldError>,
) -> Order {
    let columns: Vec<MappedColumn> = loading
        .content
        .proposal
        .columns
        .iter()
        .enumerate()
        .map(|(place, proposed)| read_column(place, proposed, there, posted, errors))
        .collect();
    let names: Vec<&str> = columns
        .iter()
        .filter_map(|mapped| mapped.column.as_ref())
        .map(|column| column.name.as_str())
        .collect();
    if names.is_empty() {
        errors.push(FieldError::new("columns", key("sharing-field-load-columns")));
    }
    for (place, mapped) in columns.iter().enumerate() {
        if let Some(column) = &mapped.column
            && names.iter().filter(|name| **name == column.name).count() > 1
        {
            errors.push(FieldError::new(format!("name-{place}"), key("sharing-field-load-twice")));
        }
    }
    // By its place, because the name may be corrected in the same form.
    let entity = posted.get("entity").parse::<usize>().ok().and_then(|place| columns.get(place));
    let entity = entity.and_then(|mapped| mapped.column.as_ref()).map(|column| column.name.clone());
    let max_rejected = match posted.get("max_rejected") {
        "" => None,
        text => {
            let number = text.parse::<u64>();
            if number.is_err() {
                errors.push(FieldError::new("max_rejected", key("sharing-field-load-max")));
            }
            number.ok()
        }
    };
    let occasion = posted.get("occasion").chars().take(80).collect::<String>();
    Order {
        entity,
        occasion: Some(occasion).filter(|text| !text.is_empty()),
        max_rejected,
        mapping: Mapping { reading: loading.content.proposal.reading.clone(), columns },
    }
}

fn read_column(
    place: usize,
    proposed: &ProposedColumn,
    there: Option<&Table>,
    posted: &Posted,
    errors: &mut Vec<FieldError>,
) -> MappedColumn {
    let field = |part: &str| format!("{part}-{place}");
    let name = posted.get(&field("name"));
    let column = match there {
        Some(table) => table.schema.column(name).cloned(),
        None if !posted.has(&field("use")) => None,
        None => {
            let kind = posted.get(&field("kind")).parse::<Kind>();
            if kind.is_err() {
                errors.push(FieldError::new(field("kind"), key("sharing-field-load-kind")));
            }
            if name.parse::<lake::TableId>().is_err() {
                errors.push(FieldError::new(field("name"), key("sharing-field-load-name")));
            }
            let personal = posted.has(&field("personal"));
            kind.ok().map(|kind| Column { name: name.to_owned(), kind, personal })
        }
    };
    let is_text = column.as_ref().is_some_and(|column| column.kind == Kind::Text);
    let check = CHECKS.iter().find(|(word, _)| *word == posted.get(&field("check"))).map(|(_, check)| *check);
    MappedColumn {
        required: posted.has(&field("required")),
        check: check.filter(|_| is_text),
        column,
        ..proposed.mapped.clone()
    }
}

/// The form, with what was posted if it was.
pub(super) async fn context(ctx: &Ctx, loading: &Loading, posted: Option<&Posted>) -> Result<Json, Problem> {
    let there = there(ctx, loading).await?;
    let proposal = &loading.content.proposal;
    let mut columns = Vec::new();
    for (place, proposed) in proposal.columns.iter().enumerate() {
        columns.push(column(ctx, loading, place, proposed, posted)?);
    }
    let mut notes = Vec::new();
    for note in &proposal.notes {
        notes.push(note_text(ctx, *note)?);
    }
    let left_out = ctx.text(key("sharing-load-left-out"), &[])?;
    let mut names = vec![json!({ "value": "", "text": left_out })];
    if let Some(table) = &there {
        let columns = table.schema.columns().iter();
        names.extend(columns.map(|column| json!({ "value": column.name, "text": column.name })));
    }
    let mut checks = vec![json!({ "value": "", "text": ctx.text(key("sharing-load-check-none"), &[])? })];
    for (word, _) in CHECKS {
        checks.push(json!({ "value": word, "text": coded(ctx, key("sharing-load-check-"), word)? }));
    }
    let mut entities = vec![json!({ "value": "", "text": ctx.text(key("sharing-entity-none"), &[])? })];
    entities.extend(
        proposal
            .columns
            .iter()
            .enumerate()
            .map(|(place, proposed)| json!({ "value": place.to_string(), "text": proposed.mapped.source })),
    );
    let reading = &proposal.reading;
    let value = |name: &str, found: String| match posted {
        Some(posted) if posted.has(name) => posted.get(name).to_owned(),
        _ => found,
    };
    let sample: Vec<Vec<&str>> = proposal
        .sample
        .iter()
        .map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect())
        .collect();
    let guessed_entity = proposal.columns.iter().position(|one| one.mapped.check == Some(Check::CitizenId));
    let encodings: Vec<Json> = ["utf-8", "gb18030", "utf-16le", "utf-16be"]
        .iter()
        .map(|name| json!({ "value": name, "text": name.to_uppercase() }))
        .collect();
    Ok(json!({
        "id": loading.id.to_string(),
        "source": proposal.source,
        "resource": loading.resource.to_string(),
        "fresh": loading.content.fresh.is_some(),
        "title": loading.content.fresh.as_ref().map(|fresh| super::super::said(ctx, &fresh.title).to_owned()),
        "columns": columns,
        "names": names,
        "kinds": kinds(ctx, proposal)?,
        "checks": checks,
        "entities": entities,
        "notes": notes,
        "sampled": proposal.sampled,
        "sample": sample,
        "sources": proposal.columns.iter().map(|one| one.mapped.source.as_str()).collect::<Vec<_>>(),
        "unreadable": proposal.unreadable.len(),
        "is_text": reading.delimiter.is_some(),
        "encodings": encodings,
        "sheets": proposal.sheets,
        "values": {
            "encoding": value("encoding", reading.encoding.map(|one| one.name().to_lowercase()).unwrap_or_default()),
            "delimiter": value("delimiter", match reading.delimiter {
                Some('\t') => "tab".to_owned(),
                Some(one) => one.to_string(),
                None => String::new(),
            }),
            "sheet": value("sheet", reading.sheet.clone().unwrap_or_default()),
            "header_row": value("header_row", reading.header_row.map(|row| row.to_string()).unwrap_or_default()),
            "entity": value("entity", guessed_entity.map(|place| place.to_string()).unwrap_or_default()),
            "occasion": value("occasion", String::new()),
            "max_rejected": value("max_rejected", String::new()),
        },
    }))
}

/// The kinds that a column may be: those that everybody needs, and the decimals that were found.
fn kinds(ctx: &Ctx, proposal: &Proposal) -> Result<Vec<Json>, Problem> {
    let found =
        proposal.columns.iter().filter_map(|one| one.mapped.column.as_ref()).map(|column| column.kind);
    let mut kinds: Vec<Kind> = KINDS.to_vec();
    for kind in found {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
        .into_iter()
        .map(|kind| {
            let text = coded(ctx, key("sharing-kind-"), kind_word(kind))?;
            let text = match kind {
                Kind::Decimal(scale) => format!("{text} · {scale}"),
                _ => text,
            };
            Ok(json!({ "value": kind.to_string(), "text": text }))
        })
        .collect()
}

fn column(
    ctx: &Ctx,
    loading: &Loading,
    place: usize,
    proposed: &ProposedColumn,
    posted: Option<&Posted>,
) -> Result<Json, Problem> {
    // A form that was sent says by what is missing that a box was not ticked.
    let sent = posted.filter(|posted| posted.has("columns"));
    let mapped = &proposed.mapped;
    let proposal = &loading.content.proposal;
    let sample: Vec<&str> =
        proposal.sample.iter().filter_map(|row| row.get(place)?.as_deref()).take(SAMPLE).collect();
    let field = |part: &str| format!("{part}-{place}");
    let text = |part: &str, found: String| sent.map_or(found, |posted| posted.get(&field(part)).to_owned());
    let ticked = |part: &str, found: bool| sent.map_or(found, |posted| posted.has(&field(part)));
    let column = mapped.column.as_ref();
    let check = CHECKS.iter().find(|(_, check)| Some(*check) == mapped.check).map(|(word, _)| *word);
    let mut notes = Vec::new();
    for note in &proposed.notes {
        let (text, warns) = column_note(ctx, *note)?;
        notes.push(json!({ "text": text, "tone": if warns { "warn" } else { "plain" } }));
    }
    Ok(json!({
        "place": place,
        "source": mapped.source,
        "used": ticked("use", column.is_some()),
        "name": text("name", column.map(|one| one.name.clone()).unwrap_or_default()),
        "kind": text("kind", column.map(|one| one.kind.to_string()).unwrap_or_else(|| "text".to_owned())),
        "personal": ticked("personal", column.is_some_and(|one| one.personal)),
        "required": ticked("required", mapped.required),
        "check": text("check", check.unwrap_or_default().to_owned()),
        "notes": notes,
        "sample": sample.join(" · "),
    }))
}

fn note_text(ctx: &Ctx, note: Note) -> Result<String, Problem> {
    match note {
        Note::EncodingUnsure => ctx.text(key("sharing-load-note-encoding"), &[]),
        Note::DelimiterUnsure => ctx.text(key("sharing-load-note-delimiter"), &[]),
        Note::HeaderRow(row) => ctx.text(key("sharing-load-note-header"), &[("row", row.into())]),
        Note::Merged => ctx.text(key("sharing-load-note-merged"), &[]),
    }
}

/// A note in words, and whether rows are at stake.
fn column_note(ctx: &Ctx, note: ColumnNote) -> Result<(String, bool), Problem> {
    let counted = |key: &str, many: usize| {
        let many = i64::try_from(many).unwrap_or(i64::MAX);
        ctx.text(key, &[("count", Arg::from(many))])
    };
    Ok(match note {
        ColumnNote::Empty => (ctx.text(key("sharing-load-note-empty"), &[])?, false),
        ColumnNote::Unfit(many) => (counted(key("sharing-load-note-unfit"), many)?, true),
        ColumnNote::Code => (ctx.text(key("sharing-load-note-code"), &[])?, false),
        ColumnNote::DigitsLost(many) => (counted(key("sharing-load-note-digits"), many)?, true),
        ColumnNote::Formula(many) => (counted(key("sharing-load-note-formula"), many)?, true),
        ColumnNote::Trimmed => (ctx.text(key("sharing-load-note-trimmed"), &[])?, false),
        ColumnNote::PersonalByName => (ctx.text(key("sharing-load-note-personal-name"), &[])?, false),
        ColumnNote::PersonalByContent => (ctx.text(key("sharing-load-note-personal-content"), &[])?, false),
        ColumnNote::CompactDays => (ctx.text(key("sharing-load-note-days"), &[])?, false),
    })
}

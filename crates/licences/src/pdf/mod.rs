//! The licence on paper: PDF by typst, from data, never from markup that somebody typed.
//!
//! The page is set from a template that is part of the program and a JSON document with the record; whatever a
//! person typed arrives as a string and is shown as one. The file carries the signed document as an attachment
//! and the GM signature as a QR code, and is sealed as a whole ([`seal`]), so that a page that was painted over
//! is told from one that was not. The same licence gives the same bytes.
//!
//! typst is used directly, without a wrapper: the world that it needs is small, and a second crate would add only
//! features that are not wanted here (packages, downloads, fonts of the system). It stays a module of this
//! crate because only our few hundred lines are compiled again after a change; typst itself is compiled once.

pub mod seal;
mod world;

use std::sync::Mutex;

use kernel::time::{Date, Timestamp};
use packs::model::{LicenceType, Words};
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::actions::AnnotatedCopy;
use crate::document::SignError;
use crate::model::licence::Licence;
use crate::model::record::FieldValue;
use crate::qr;
use crate::verify::file_document;
pub use world::{FontError, Fonts};

/// Setting a page takes tens of megabytes for the fonts; one at a time keeps that bounded.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What is put on paper.
#[derive(Clone, Copy, Debug)]
pub struct Paper<'a> {
    /// The licence.
    pub licence: &'a Licence,
    /// What makes it an annotated copy.
    pub copy: Option<&'a AnnotatedCopy>,
    /// The address that verifies it, without a final slash.
    pub base_url: &'a str,
    /// Whether it is of a demonstration and must say so.
    pub demo: bool,
}

/// Why there is no PDF.
#[derive(Debug, Error)]
pub enum PdfError {
    /// The fonts are not there.
    #[error("the fonts of licences cannot be read")]
    Fonts(#[from] FontError),
    /// The template did not compile.
    #[error("the page could not be set: {0}")]
    Typst(String),
    /// The document could not be attached.
    #[error("the document could not be attached")]
    Document(#[from] SignError),
    /// The record names a type whose definition is not there.
    #[error("the definition of the licence type cannot be read")]
    Definition,
    /// The file could not be sealed.
    #[error("the file could not be sealed")]
    Seal(#[from] seal::SealError),
}

/// Sets a licence on paper. Takes a good part of a second and no small memory: not for an async thread.
///
/// The result is not sealed yet: see [`seal::seal`].
pub fn render(paper: &Paper<'_>, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
    let licence = paper.licence;
    let data = page(paper)?;
    let attached = file_document(licence)?.to_file_json()?;
    let page = world::Page {
        data: data.to_string(),
        attached,
        code: licence.document.qr_text().ok().and_then(|text| qr::svg(&text, "")),
        made_at: paper.copy.map_or(licence.record.issued_at, |copy| copy.made_at),
        id: format!("{}{}", licence.identifier(), paper.copy.map_or("", |copy| &copy.copy_no)),
    };
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    page.set(fonts)
}

/// What the page says, in the order in which it says it.
fn page(paper: &Paper<'_>) -> Result<Json, PdfError> {
    let licence = paper.licence;
    let record = &licence.record;
    let kind = definition(licence)?;
    let rows: Vec<Json> = rows(licence, &kind)
        .into_iter()
        .map(|row| json!({ "zh": row.label.zh, "en": row.label.en, "value": row.value }))
        .collect();
    Ok(json!({
        "layout": if kind.template == "business-licence" { "certificate" } else { "letter" },
        "title": kind.name,
        "number": record.number(),
        "rows": rows,
        "issuer": record.issuer.name,
        "identifier": record.identifier.to_string(),
        "issued_on": day(record.issued_at.china_date()),
        "term": term(record.valid_from, record.valid_to),
        "url": format!("{}/verify", paper.base_url),
        "demo": paper.demo,
        "copy": paper.copy.map(copy),
    }))
}

/// One line of a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The id of the field.
    pub id: String,
    /// Its label.
    pub label: Words,
    /// Its value as it is printed.
    pub value: String,
}

/// The lines of the page, in the order of the type.
pub fn rows(licence: &Licence, kind: &LicenceType) -> Vec<Line> {
    kind.fields
        .iter()
        .filter_map(|field| {
            let value: &FieldValue = licence.record.fields.get(&field.id)?;
            let value = value.shown(Some(field.kind)).zh;
            Some(Line { id: field.id.clone(), label: field.label.clone(), value })
        })
        .collect()
}

/// The type as it was when the licence was issued.
pub(crate) fn definition(licence: &Licence) -> Result<LicenceType, PdfError> {
    let json = licence.document.definition.clone().ok_or(PdfError::Definition)?;
    serde_json::from_value(json).map_err(|_| PdfError::Definition)
}

fn copy(copy: &AnnotatedCopy) -> Json {
    json!({
        "no": copy.copy_no,
        "purpose": copy.purpose,
        "recipient": copy.recipient,
        "made_on": day(copy.made_at.china_date()),
        "valid_to": day(copy.valid_to),
    })
}

fn day(date: Date) -> Words {
    Words::new(format!("{}年{}月{}日", date.year(), date.month(), date.day()), date.to_string())
}

fn term(from: Date, to: Option<Date>) -> Words {
    let start = day(from);
    match to {
        Some(to) => {
            let end = day(to);
            Words::new(format!("{}至{}", start.zh, end.zh), format!("{} to {}", start.en, end.en))
        }
        None => {
            Words::new(format!("{}起，长期有效", start.zh), format!("from {}, without a fixed end", start.en))
        }
    }
}

/// A file name for a licence: what it is and its number, without anything that a file system minds.
pub fn file_name(licence: &Licence, copy: Option<&AnnotatedCopy>, extension: &str) -> String {
    let plain =
        |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).take(40).collect::<String>();
    let record = &licence.record;
    let suffix = copy.map(|copy| format!("-加注件{}", copy.copy_no)).unwrap_or_default();
    format!("{}-{}{suffix}.{extension}", plain(&record.kind.name.zh), plain(record.number()))
}

/// The instant of a PDF's metadata.
fn instant(time: Timestamp) -> Option<typst_pdf::Timestamp> {
    let shown = time.china_datetime();
    let datetime = typst::foundations::Datetime::from_ymd_hms(
        i32::from(shown.year()),
        u8::try_from(shown.month()).ok()?,
        u8::try_from(shown.day()).ok()?,
        u8::try_from(shown.hour()).ok()?,
        u8::try_from(shown.minute()).ok()?,
        u8::try_from(shown.second()).ok()?,
    )?;
    typst_pdf::Timestamp::new_local(datetime, 8 * 60)
}

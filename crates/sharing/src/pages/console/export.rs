//! The answer as a file, with its marks. It is a use of its own: the statement runs again and leaves its own receipt.

use axum::response::Response;
use lake::export::{CsvWriter, Marks, ParquetWriter, RowWriter};
use web::i18n::key;
use web::{Ctx, Problem, download};

use super::super::{purpose_text, uses};
use crate::uses::record::Record;
use crate::uses::{Asker, Desk, Running, UseError, body};
use crate::watermark::Mark;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Csv,
    Parquet,
}

impl FileKind {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// Runs the statement and sends its rows as a file; or says why not.
pub(super) async fn export(
    ctx: &Ctx,
    asker: Asker,
    sql: &str,
    kind: FileKind,
    synthetic: bool,
) -> Result<Result<Response, UseError>, Problem> {
    let running = match run(ctx, asker, sql).await {
        Ok(running) => running,
        Err(error) => return Ok(Err(error)),
    };
    let record = running.record().clone();
    let marks = marks(ctx, &record, synthetic).await?;
    let name = format!("{}.{}", record.use_id, kind.ending());
    let writer: Box<dyn RowWriter> = match kind {
        FileKind::Csv => Box::new(CsvWriter::new(running.answer(), marks)),
        FileKind::Parquet => Box::new(ParquetWriter::new(running.answer(), marks).map_err(UseError::from)?),
    };
    Ok(body(running, writer).await.map(|body| download(&name, kind.media_type(), body)))
}

async fn run(ctx: &Ctx, asker: Asker, sql: &str) -> Result<Running, UseError> {
    Desk::open(&ctx.app, asker).await?.run(sql).await
}

/// Who took it out, when and what for, to be seen in each row, and the id of the use, not to be seen.
async fn marks(ctx: &Ctx, record: &Record, synthetic: bool) -> Result<Marks, Problem> {
    let use_id = record.use_id;
    let mut parts = vec![
        uses::who(ctx, record).await?,
        record.at.to_china_string(),
        purpose_text(ctx, record.purpose)?,
        record.case_no.clone(),
        ctx.text(key("sharing-export-use"), &[("id", use_id.to_string().into())])?,
    ];
    if synthetic {
        parts.push(ctx.text(key("sharing-synthetic"), &[])?);
    }
    parts.retain(|part| !part.is_empty());
    Ok(Marks {
        column: ctx.text(key("sharing-export-column"), &[])?,
        text: parts.join(" | "),
        carrier: Mark::of(ctx.app.store.cipher(), use_id).carrier(),
    })
}

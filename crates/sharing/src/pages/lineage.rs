//! 血缘: from which columns the columns of an answer come, as a picture and as a table.

use std::collections::BTreeSet;

use lake::lineage::{Direct, Indirect, Input, Lineage, Use, Uses};
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Ctx, Problem};

/// The height of a column's place in the picture, in pixels.
const STEP: usize = 34;
/// Where the columns of the lake and those of the answer stand, from left to right.
const SOURCES_X: usize = 250;
const ANSWER_X: usize = 470;

/// The picture: columns of the lake on the left, of the answer on the right, and a line for each use.
pub(crate) fn picture(ctx: &Ctx, lineage: &Lineage) -> Result<Json, Problem> {
    let inputs: Vec<&Input> = lineage.inputs().into_iter().collect();
    let place = |input: &Input| inputs.iter().position(|one| *one == input).unwrap_or_default();
    let mut lines = Vec::new();
    for (to, output) in lineage.columns.iter().enumerate() {
        lines.extend(output.inputs.keys().map(|input| line(place(input), to)));
    }
    let sources: Vec<Json> = inputs
        .iter()
        .enumerate()
        .map(|(at, input)| {
            json!({
                "name": format!("{}.{}", input.table, input.column),
                "masked": lineage.masked.contains(*input),
                "decides": lineage.rows.contains_key(*input),
                "y": middle(at),
            })
        })
        .collect();
    let mut answer = Vec::new();
    for (at, output) in lineage.columns.iter().enumerate() {
        let from = told(ctx, &output.inputs)?;
        answer.push(json!({ "name": output.name, "from": from, "y": middle(at) }));
    }
    let height = inputs.len().max(lineage.columns.len()).max(1) * STEP;
    Ok(json!({
        "sources": sources,
        "answer": answer,
        "lines": lines,
        "rows": told(ctx, &lineage.rows)?,
        "height": height,
        "sources_x": SOURCES_X,
        "answer_x": ANSWER_X,
        "masked": lineage.masked.iter().map(|input| String::from(input.clone())).collect::<Vec<_>>(),
    }))
}

fn middle(at: usize) -> usize {
    at * STEP + STEP / 2
}

/// A curve from a column of the lake to one of the answer.
fn line(from: usize, to: usize) -> String {
    let (from, to, turn) = (middle(from), middle(to), (SOURCES_X + ANSWER_X) / 2);
    let (left, right) = (SOURCES_X + 10, ANSWER_X - 10);
    format!("M{left} {from}C{turn} {from} {turn} {to} {right} {to}")
}

/// Inputs with what is done to them, in words.
fn told(ctx: &Ctx, uses: &Uses) -> Result<Vec<Json>, Problem> {
    uses.iter()
        .map(|(input, uses)| {
            let words: BTreeSet<&str> = uses.iter().map(|one| word(*one)).collect();
            let words: Result<Vec<String>, Problem> =
                words.into_iter().map(|word| super::coded(ctx, key("sharing-lineage-"), word)).collect();
            let name = format!("{}.{}", input.table, input.column);
            Ok(json!({ "name": name, "how": words?.join(" · ") }))
        })
        .collect()
}

fn word(one: Use) -> &'static str {
    match one {
        Use::Direct(Direct::Identity) => "identity",
        Use::Direct(Direct::Transformation) => "transformation",
        Use::Direct(Direct::Aggregation) => "aggregation",
        Use::Indirect(Indirect::Filter) => "filter",
        Use::Indirect(Indirect::Join) => "join",
        Use::Indirect(Indirect::GroupBy) => "group_by",
        Use::Indirect(Indirect::Sort) => "sort",
        Use::Indirect(Indirect::Window) => "window",
        Use::Indirect(Indirect::Conditional) => "conditional",
    }
}

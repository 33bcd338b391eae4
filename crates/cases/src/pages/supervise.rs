//! Electronic supervision for the rating office: cards and ratings, without names.

use axum::response::Response;
use serde_json::{Value as Json, json};
use web::{Ctx, Problem};

use crate::document::org_name;
use crate::model::{Stage, Words};
use crate::{supervision, view};

pub(crate) async fn page(ctx: Ctx) -> Result<Response, Problem> {
    supervision::require_supervisor(ctx.actor(), &ctx.app.pack)?;
    let overview = supervision::overview(&ctx.read()).await?;
    let mut cards = Vec::new();
    for card in &overview.cards {
        let stage = Stage::parse(&card.stage).map(|stage| view::stage_text(&ctx, stage)).transpose()?;
        cards.push(json!({
            "case_no": card.case_no,
            "item": Words::new(&card.item_name_zh, &card.item_name_en),
            "org": org_name(&ctx.app.pack, card.org.as_str()),
            "clock": card.clock,
            "due": card.due_on,
            "light": card.light,
            "at": card.at,
            "stage": stage,
        }));
    }
    let items: Vec<Json> = overview
        .items
        .iter()
        .map(|item| {
            json!({
                "item": item.item_name,
                "org": org_name(&ctx.app.pack, item.org.as_str()),
                "cases": item.cases,
                "done": item.done,
                "ratings": item.ratings,
                "mean": item.mean_hundredths.map(|mean| format!("{}.{:02}", mean / 100, mean % 100)),
                "bad": item.bad,
                "again": item.rated_again,
                "yellow": item.yellow,
                "red": item.red,
            })
        })
        .collect();
    let sum = |of: fn(&supervision::ItemFigures) -> i64| overview.items.iter().map(of).sum::<i64>();
    ctx.page(
        "cases/supervision.html",
        json!({
            "cards": cards,
            "items": items,
            "totals": {
                "cases": sum(|item| item.cases), "yellow": sum(|item| item.yellow), "red": sum(|item| item.red),
                "ratings": sum(|item| item.ratings), "bad": sum(|item| item.bad),
            },
        }),
    )
}

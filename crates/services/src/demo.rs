//! What a demonstration needs beside its people: names that are taken, licences that are held.

use web::App;

use crate::error::ServiceError;
use crate::model::TradeName;
use crate::store::names;

/// Names that somebody has already, so that the check has something to say.
const TAKEN: [&str; 6] = ["洱海月客栈", "段记小馆", "三塔书屋", "喜洲粑粑店", "古城咖啡店", "风花雪月民宿"];

/// Fills the demonstration. Doing it again changes nothing.
pub async fn seed(app: &App) -> Result<(), ServiceError> {
    let places: Vec<String> =
        app.pack.items().map(|item| crate::actions::drafts::place_of(app, item)).collect();
    let tx = app.store.begin().await?;
    for place in &places {
        for name in TAKEN {
            if let Ok(name) = TradeName::parse(name) {
                names::enter(&tx, place, &name).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The certificate of a house in somebody's name, issued elsewhere and accepted here.
pub fn real_estate_fields(owner: &str, location: &str) -> serde_json::Map<String, serde_json::Value> {
    let fields = serde_json::json!({
        "number": "云（2019）大理市不动产权第0001234号", "owner": owner, "location": location, "usage": "商业服务",
    });
    fields.as_object().cloned().unwrap_or_default()
}

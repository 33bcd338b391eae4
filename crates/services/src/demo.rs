//! What a demonstration needs beside its people: names that are taken, licences that are held.

use kernel::ids::{OrgCode, SubjectId};
use web::App;

use crate::error::ServiceError;
use crate::model::TradeName;
use crate::outside;
use crate::store::names;

/// Names that somebody has already, so that the check has something to say.
const TAKEN: [&str; 6] = ["洱海月客栈", "段记小馆", "三塔书屋", "喜洲粑粑店", "古城咖啡店", "风花雪月民宿"];

/// The type of the certificate that a shop's premises are proved with.
const HOUSE: &str = "real-estate-certificate";

/// Who owns their shop's premises, so that the registration needs no paper and is decided at once.
const OWNER: &str = "duanxiaohui";
const OWNERS_HOUSE: &str = "云南省大理白族自治州大理市大理镇复兴路112号";

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
    if let Some(owner) = identity::demo::subject_of(&app.store.read(), OWNER).await? {
        give_house(app, owner, OWNERS_HOUSE).await?;
    }
    Ok(())
}

/// The certificate of a house in somebody's name, issued elsewhere and accepted here.
pub async fn give_house(app: &App, owner: SubjectId, location: &str) -> Result<(), ServiceError> {
    let Some(kind) = app.pack.licence_type(HOUSE) else { return Ok(()) };
    if !outside::held(&app.store.read(), owner, &[HOUSE]).await?.is_empty() {
        return Ok(());
    }
    let name = outside::name_of(&app.store.read(), owner).await?;
    let fields = serde_json::json!({
        "number": "云（2019）大理市不动产权第0001234号", "owner": name, "location": location, "usage": "商业服务",
    });
    let operator = app.pack.node().operator.clone();
    let new = licences::NewLicence {
        type_id: kind.id.clone(),
        holder: owner,
        fields: fields.as_object().cloned().unwrap_or_default(),
        issuer: OrgCode::new(operator).map_err(|error| ServiceError::Outside(Box::new(error)))?,
        case: None,
        valid_from: app.now().china_date(),
        valid_to: None,
    };
    let tx = app.store.begin().await?;
    outside::take_in(&tx, app, new).await?;
    tx.commit().await?;
    Ok(())
}

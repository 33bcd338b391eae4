//! Issuing a grant: one form, from who may see to what they have to do.

use axum::extract::Path;
use axum::response::Response;
use grants::actions;
use grants::model::terms::{
    Authority, AuthorityKind, Duty, Environment, FORM, Holder, PURPOSES, ShowMask, Shown, TermsError, Versions,
};
use grants::{GrantError, Resource, Terms};
use jiff::civil::Date;
use kernel::ids::{OrgCode, PostCode};
use kernel::time::Timestamp;
use lake::{Comparison, Kind, RowRule, Scalar, Table};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::resource::kept;
use super::{coded, purpose_text, said};
use crate::api::parse_purpose;
use crate::problem::grant as problem;

/// Conditions on rows that the form offers; all of them must hold.
const CONDITIONS: usize = 3;
/// The name of the family of tokens that the form offers.
const FAMILY: &str = "node";

/// The form.
pub(crate) async fn form(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let (resource, table) = stewarded(&ctx, &id).await?;
    let today = ctx.now().china_date();
    let year = i16::try_from(i32::from(today.year()) + 1).unwrap_or(today.year());
    let values = json!({
        "holder_kind": "org", "authority": "law", "purpose": "case_handling", "environment": "rows", "k": "10",
        "from-year": today.year(), "from-month": today.month(), "from-day": today.day(),
        "to-year": year, "to-month": today.month(), "to-day": today.day(),
    });
    let context = context(&ctx, &resource, &table, values).await?;
    ctx.page("sharing/grant_new.html", context)
}

/// Issues it.
pub(crate) async fn issue(ctx: Ctx, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let (resource, table) = stewarded(&ctx, &id).await?;
    let values = posted.fields().fold(serde_json::Map::new(), |mut values, (name, value)| {
        values.insert(name.to_owned(), json!(value));
        values
    });
    let again = async |errors: Vec<FieldError>| {
        let context = context(&ctx, &resource, &table, Json::Object(values)).await?;
        ctx.form_again("sharing/grant_new.html", context, &errors)
    };
    let terms = match read(&ctx, &resource, &table, &posted).await? {
        Ok(terms) => terms,
        Err(errors) => return again(errors).await,
    };
    let tx = ctx.begin().await?;
    match actions::issue(&tx, ctx.actor(), terms).await {
        Ok(grant) => {
            tx.commit().await?;
            let flash = match resource.grade.needs_four_eyes() {
                true => key("flash-sharing-proposed"),
                false => key("flash-sharing-issued"),
            };
            Ok(ctx.redirect(&format!("/work/data/grants/{}", grant.id), Some(flash)))
        }
        Err(GrantError::NoHolder) => {
            again(vec![FieldError::new("holder", key("sharing-field-holder"))]).await
        }
        Err(GrantError::Terms(error)) => again(vec![terms_error(&error)]).await,
        Err(error) => Err(problem(error)),
    }
}

async fn stewarded(ctx: &Ctx, id: &str) -> Result<(Resource, Table), Problem> {
    let resource = kept(ctx, id).await?;
    if !ctx.actor().has_role(&resource.provider, actions::STEWARD) {
        return Err(Problem::forbidden("grants.not_your_post"));
    }
    let table = grants::resources::table(&ctx.read(), &resource).await.map_err(problem)?;
    Ok((resource, table))
}

fn terms_error(error: &TermsError) -> FieldError {
    match error {
        TermsError::Authority => FieldError::new("reference", key("sharing-field-reference")),
        TermsError::Term => FieldError::new("to", key("sharing-field-term")),
        TermsError::SmallK => FieldError::new("k", key("sharing-field-k")),
        TermsError::NoEntity => FieldError::new("environment", key("sharing-field-no-entity")),
        _ => FieldError::new("columns", key("sharing-field-columns")),
    }
}

/// The terms, or what is wrong with which field.
async fn read(
    ctx: &Ctx,
    resource: &Resource,
    table: &Table,
    posted: &Posted,
) -> Result<Result<Terms, Vec<FieldError>>, Problem> {
    let mut errors = Vec::new();
    let holder = read_holder(ctx, posted).await?;
    if holder.is_none() {
        errors.push(FieldError::new("holder", key("sharing-field-holder")));
    }
    let kind = AuthorityKind::ALL.into_iter().find(|kind| kind.as_str() == posted.get("authority"));
    let purpose = parse_purpose(posted.get("purpose"));
    if kind.is_none() || purpose.is_none() {
        errors.push(FieldError::new("purpose", key("sharing-field-purpose")));
    }
    let columns = read_columns(table, posted);
    if columns.is_empty() {
        errors.push(FieldError::new("columns", key("sharing-field-columns")));
    }
    let rows = read_rows(table, posted, &mut errors);
    let mut number = |name: &'static str| match posted.get(name) {
        "" => None,
        text => match text.parse::<u64>() {
            Ok(number) if number > 0 => Some(number),
            _ => {
                errors.push(FieldError::new(name, key("sharing-field-number")));
                None
            }
        },
    };
    let (most_uses, most_rows) = (number("most_uses"), number("most_rows"));
    let environment = match posted.get("environment") {
        "aggregates" => Environment::Aggregates {
            k: number("k").and_then(|k| u32::try_from(k).ok()).unwrap_or_default(),
        },
        _ => Environment::Rows {},
    };
    let mut duties = Vec::new();
    for duty in posted.all("duties") {
        match duty {
            "delete" => duties.push(Duty::Delete { within_days: 30 }),
            "no_onward" => duties.push(Duty::NoOnwardSharing {}),
            "report" => duties.push(Duty::Report { every_days: 90 }),
            _ => {}
        }
    }
    let (from, to) = (read_date(posted, "from"), read_date(posted, "to"));
    for (name, date) in [("from", from), ("to", to)] {
        if date.is_none() {
            errors.push(FieldError::new(name, key("sharing-field-date")));
        }
    }
    let (Some(holder), Some(kind), Some(purpose), Some(from), Some(to), true) =
        (holder, kind, purpose, from, to, errors.is_empty())
    else {
        return Ok(Err(errors));
    };
    let last = to.tomorrow().unwrap_or(to);
    Ok(Ok(Terms {
        form: FORM,
        holder,
        authority: Authority { kind, reference: posted.get("reference").to_owned() },
        resource: resource.id.to_string(),
        versions: Versions { from: table.version, to: None },
        columns,
        rows,
        purpose,
        most_uses,
        most_rows,
        valid_from: Timestamp::start_of_china_day(from),
        valid_to: Timestamp::start_of_china_day(last),
        environment,
        duties,
    }))
}

async fn read_holder(ctx: &Ctx, posted: &Posted) -> Result<Option<Holder>, Problem> {
    Ok(match posted.get("holder_kind") {
        "org" => OrgCode::new(posted.get("holder_org")).ok().map(Holder::Org),
        "post" => PostCode::new(posted.get("holder_post")).ok().map(Holder::Post),
        "person" => {
            let login = posted.get("holder_person");
            let account = identity::accounts::find_by_login(&ctx.read(), login).await?;
            account.map(|account| Holder::Person(account.subject))
        }
        "system" => posted.get("holder_system").parse().ok().map(Holder::System),
        _ => None,
    })
}

fn read_columns(table: &Table, posted: &Posted) -> Vec<Shown> {
    let mut columns = Vec::new();
    for column in table.schema.columns() {
        let name = &column.name;
        if !posted.has(&format!("show-{name}")) {
            continue;
        }
        let mask = match posted.get(&format!("mask-{name}")) {
            "empty" => Some(ShowMask::Empty {}),
            "id" => Some(ShowMask::Stars { first: 6, last: 4 }),
            "name" => Some(ShowMask::Stars { first: 1, last: 0 }),
            "prefix" => Some(ShowMask::Prefix { letters: 6 }),
            "year" => Some(ShowMask::Year {}),
            "floor" => Some(ShowMask::Floor { step: 1000 }),
            "token" => Some(ShowMask::Token { family: FAMILY.to_owned() }),
            _ => None,
        };
        let matched = mask.is_some() && posted.has(&format!("match-{name}"));
        columns.push(Shown { column: name.clone(), mask, matched });
    }
    columns
}

/// Masks that fit a kind, as the form offers them.
fn masks_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => &["none", "id", "name", "prefix", "token", "empty"],
        Kind::Integer => &["none", "floor", "empty"],
        Kind::Date => &["none", "year", "empty"],
        _ => &["none", "empty"],
    }
}

fn read_rows(table: &Table, posted: &Posted, errors: &mut Vec<FieldError>) -> Option<RowRule> {
    let mut rules = Vec::new();
    for place in 1..=CONDITIONS {
        let column = posted.get(&format!("row{place}-column"));
        if column.is_empty() {
            continue;
        }
        let value = posted.get(&format!("row{place}-value"));
        let field = format!("row{place}-value");
        match condition(table, column, posted.get(&format!("row{place}-is")), value) {
            Some(rule) => rules.push(rule),
            None => errors.push(FieldError::new(field, key("sharing-field-condition"))),
        }
    }
    match rules.len() {
        0 => None,
        1 => rules.pop(),
        _ => Some(RowRule::All(rules)),
    }
}

fn condition(table: &Table, column: &str, word: &str, value: &str) -> Option<RowRule> {
    let kind = table.schema.column(column)?.kind;
    let column = column.to_owned();
    let compare = |is| Some(RowRule::Compare { column: column.clone(), is, value: scalar(kind, value)? });
    match word {
        "equal" => compare(Comparison::Equal),
        "not_equal" => compare(Comparison::NotEqual),
        "at_least" => compare(Comparison::AtLeast),
        "at_most" => compare(Comparison::AtMost),
        "starts" if kind == Kind::Text && !value.is_empty() => {
            Some(RowRule::StartsWith { column, prefix: value.to_owned() })
        }
        "in" => {
            let values = value.split([',', '，', '、']).map(|part| scalar(kind, part.trim()));
            Some(RowRule::In { column, values: values.collect::<Option<Vec<_>>>()? })
        }
        _ => None,
    }
}

fn scalar(kind: Kind, text: &str) -> Option<Scalar> {
    Some(match kind {
        Kind::Text if !text.is_empty() => Scalar::Text(text.to_owned()),
        Kind::Integer | Kind::Decimal(_) => Scalar::Integer(text.parse().ok()?),
        Kind::Boolean => Scalar::Boolean(text.parse().ok()?),
        Kind::Date => Scalar::Date(text.parse().ok()?),
        Kind::Timestamp => Scalar::Timestamp(Timestamp::parse(text).ok()?),
        Kind::Text | Kind::Float => return None,
    })
}

fn read_date(posted: &Posted, name: &str) -> Option<Date> {
    let part = |part: &str| posted.get(&format!("{name}-{part}"));
    Date::new(part("year").parse().ok()?, part("month").parse().ok()?, part("day").parse().ok()?).ok()
}

async fn context(ctx: &Ctx, resource: &Resource, table: &Table, values: Json) -> Result<Json, Problem> {
    let options = |texts: Vec<(String, String)>| -> Vec<Json> {
        texts.into_iter().map(|(value, text)| json!({ "value": value, "text": text })).collect()
    };
    let mut orgs = Vec::new();
    let mut posts = Vec::new();
    for org in identity::orgs::all(&ctx.read()).await? {
        let name = said(ctx, &org.name).to_owned();
        for post in &org.posts {
            posts.push((post.code.to_string(), format!("{name} {}", said(ctx, &post.name))));
        }
        orgs.push((org.code.to_string(), name));
    }
    let now = ctx.now();
    let systems: Vec<(String, String)> = identity::tokens::list(&ctx.read())
        .await?
        .into_iter()
        .filter(|token| token.counts_at(now) && token.scopes.iter().any(|scope| scope == identity::tokens::SCOPE_DATA))
        .map(|token| (token.id.to_string(), token.name))
        .collect();
    let mut columns = Vec::new();
    for column in table.schema.columns() {
        let name = &column.name;
        let mut masks = Vec::new();
        for mask in masks_of(column.kind) {
            masks.push(json!({ "value": mask, "text": ctx.text(&format!("{}{mask}", key("sharing-offer-")), &[])? }));
        }
        let chosen = |part: &str| values.get(format!("{part}-{name}")).and_then(Json::as_str).map(str::to_owned);
        columns.push(json!({
            "name": name,
            "title": said(ctx, &resource.title_of(name)),
            "kind": coded(ctx, key("sharing-kind-"), super::resource::kind_word(column.kind))?,
            "personal": column.personal,
            "masks": masks,
            "shown": chosen("show").is_some(),
            "mask": chosen("mask").unwrap_or_else(|| default_mask(column.personal, column.kind).to_owned()),
            "can_match": column.kind == Kind::Text,
            "matched": chosen("match").is_some(),
        }));
    }
    let mut purposes = Vec::new();
    for purpose in PURPOSES {
        purposes.push((purpose.as_str().to_owned(), purpose_text(ctx, purpose)?));
    }
    let mut authorities = Vec::new();
    for kind in AuthorityKind::ALL {
        authorities.push((kind.as_str().to_owned(), coded(ctx, key("sharing-authority-"), kind.as_str())?));
    }
    let mut operators = Vec::new();
    for word in ["equal", "not_equal", "at_least", "at_most", "starts", "in"] {
        operators.push((word.to_owned(), coded(ctx, key("sharing-is-"), word)?));
    }
    let names = columns.iter().map(|column| {
        json!({ "value": column.get("name"), "text": column.get("title") })
    });
    let mut column_options = vec![json!({ "value": "", "text": ctx.text(key("sharing-no-condition"), &[])? })];
    column_options.extend(names);
    Ok(json!({
        "title": said(ctx, &resource.description.title),
        "action": format!("/work/data/resources/{}/grant", resource.id),
        "back": format!("/work/data/resources/{}", resource.id),
        "four_eyes": resource.grade.needs_four_eyes(),
        "grade": coded(ctx, key("sharing-grade-"), &resource.grade.to_string())?,
        "has_entity": resource.description.entity.is_some(),
        "orgs": options(orgs),
        "posts": options(posts),
        "systems": options(systems),
        "columns": columns,
        "column_options": column_options,
        "operators": options(operators),
        "purposes": options(purposes),
        "authorities": options(authorities),
        "conditions": (1..=CONDITIONS).collect::<Vec<_>>(),
        "values": values,
    }))
}

fn default_mask(personal: bool, kind: Kind) -> &'static str {
    match (personal, kind) {
        (true, Kind::Text) => "id",
        (true, Kind::Date) => "year",
        _ => "none",
    }
}

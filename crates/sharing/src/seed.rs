//! Fills the demonstration: its resources with their data, and grants to play with. Every grant goes through the same
//! two persons as anywhere else.

use grants::actions::{self, Change};
use grants::model::terms::{
    Authority, AuthorityKind, Duty, Environment, FORM, Holder, ShowMask, Shown, Versions,
};
use grants::resources::{ColumnTitle, Description, NewResource};
use grants::{GrantError, Terms};
use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::ids::{IdError, OrgCode, PostCode};
use lake::{Lake, LakeError, RowRule, TableId, inbox};
use packs::model::Words;
use store::{Purpose, StoreError, Tx};
use web::App;

use crate::demo::{self, Bilingual, DemoError, DemoResource, Scale};
use crate::uses::{State, UseError};

/// Who keeps the data of the demonstration, and who approves.
const STEWARD: &str = "data-steward";
const APPROVER: &str = "data-approver";

/// Why the demonstration could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The data could not be made.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The lake refused.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A resource or grant was refused.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// A code of the demonstration is none.
    #[error(transparent)]
    Code(#[from] IdError),
    /// The node has no lake.
    #[error(transparent)]
    Use(#[from] UseError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody of the demonstration is not there.
    #[error("`{0}` is not among the people of the demonstration")]
    Nobody(&'static str),
}

/// Makes the resources that are not there yet, and on the first start the grants. Doing it again changes nothing.
pub async fn seed(app: &App, scale: Scale) -> Result<(), SeedError> {
    let state = State::of(app)?;
    let steward = officer(app, STEWARD).await?;
    let mut made = false;
    for resource in demo::resources() {
        if grants::resources::find(&app.store.read(), resource.id).await?.is_none() {
            fill(app, state.lake(), &steward, &resource, scale).await?;
            made = true;
        }
    }
    if made {
        let approver = officer(app, APPROVER).await?;
        for terms in terms(app)? {
            issue(app, &steward, &approver, terms).await?;
        }
    }
    Ok(())
}

/// The table, its rows, and its place in the registry. The registry comes last, so that a start which is killed in
/// between is made up for by the next: a batch that is there already is known by its id.
async fn fill(
    app: &App,
    lake: &Lake,
    steward: &Actor,
    resource: &DemoResource,
    scale: Scale,
) -> Result<(), SeedError> {
    let id: TableId = resource.id.parse()?;
    let tx = app.store.begin().await?;
    Lake::create_table(&tx, &id, &resource.schema()?).await?;
    tx.commit().await?;
    let table = Lake::table(&app.store.read(), &id).await?;
    for (number, batch) in resource.batches(scale)?.enumerate() {
        let encoded = inbox::encode(&table, &batch?)?;
        let tx = app.store.begin().await?;
        inbox::arrive(&tx, &id, &format!("demo-{number}"), encoded).await?;
        tx.commit().await?;
    }
    lake::compaction::compact(lake, &table).await?;
    let tx = app.store.begin().await?;
    actions::register_resource(&tx, steward, &described(resource)?).await?;
    tx.commit().await?;
    Ok(())
}

fn described(resource: &DemoResource) -> Result<NewResource, SeedError> {
    let columns = resource
        .columns
        .iter()
        .map(|column| ColumnTitle { column: column.column.name.clone(), title: words(column.title) });
    let of_persons = resource
        .entity
        .is_some_and(|entity| resource.columns.iter().any(|one| one.column.name == entity && one.column.personal));
    Ok(NewResource {
        id: resource.id.parse()?,
        provider: OrgCode::new(resource.provider)?,
        grade: resource.grade,
        description: Description {
            title: words(resource.title),
            about: words(resource.what),
            update_cycle: resource.cycle,
            entity: resource.entity.map(str::to_owned),
            of_persons,
            synthetic: true,
            columns: columns.collect(),
        },
    })
}

fn words(text: Bilingual) -> Words {
    Words { zh: text.zh.to_owned(), en: text.en.to_owned() }
}

/// The grants of the demonstration.
fn terms(app: &App) -> Result<Vec<Terms>, SeedError> {
    let city = OrgCode::new("dali-city-civil-affairs")?;
    let analyst = PostCode::new("dali-data-analyst")?;
    let operator = OrgCode::new(app.pack.node().operator.as_str())?;
    let now = app.now();
    let base = |holder, resource: &str, purpose, reference: &str, columns| Terms {
        form: FORM,
        holder,
        authority: Authority { kind: AuthorityKind::Law, reference: reference.to_owned() },
        resource: resource.to_owned(),
        versions: Versions { from: 1, to: None },
        columns,
        rows: None,
        purpose,
        most_uses: None,
        most_rows: None,
        valid_from: now,
        valid_to: now.plus(SignedDuration::from_hours(24 * 365)),
        environment: Environment::Rows {},
        duties: vec![Duty::NoOnwardSharing {}],
    };
    let statistics = |resource, columns| {
        base(
            Holder::Post(analyst.clone()),
            resource,
            Purpose::Statistics,
            "演示授权：经济运行统计分析",
            columns,
        )
    };
    Ok(vec![
        // Civil affairs of the city handle a case: people of the city alone, numbers behind stars, found by number.
        Terms {
            rows: Some(RowRule::StartsWith { column: "division".to_owned(), prefix: "532901".to_owned() }),
            most_uses: Some(500),
            duties: vec![Duty::NoOnwardSharing {}, Duty::Delete { within_days: 30 }],
            ..base(
                Holder::Org(city),
                "population",
                Purpose::CaseHandling,
                "演示授权：高龄津贴审核（政务数据共享条例）",
                vec![
                    matched(stars("citizen_id", 6, 4)),
                    stars("name", 1, 0),
                    plain("sex"),
                    plain("birth_date"),
                    plain("division"),
                    stars("address", 9, 0),
                    plain("status"),
                ],
            )
        },
        // The analyst counts wages, and never sees one.
        Terms {
            environment: Environment::Aggregates { k: 10 },
            ..statistics(
                "social_insurance",
                vec![plain("division"), plain("month"), plain("wage"), plain("base")],
            )
        },
        // The analyst sees firms row by row; whoever stands behind them is a token.
        statistics(
            "firms",
            vec![
                plain("uscc"),
                plain("name"),
                plain("kind"),
                plain("industry_section"),
                plain("industry"),
                plain("size"),
                token("representative_id"),
                plain("capital"),
                plain("employees"),
                plain("founded_on"),
                plain("status"),
                plain("division"),
            ],
        ),
        statistics(
            "penalties",
            ["decision_no", "uscc", "reason", "kind", "amount", "decided_on", "division"].map(plain).to_vec(),
        ),
        statistics(
            "water_quality",
            [
                "station_no", "station", "water_body", "sampled_at", "temperature", "ph", "dissolved_oxygen",
                "total_phosphorus", "total_nitrogen", "chlorophyll_a", "class",
            ]
            .map(plain)
            .to_vec(),
        ),
        // The node fills in forms with what the police know of the applicant.
        base(
            Holder::Org(operator),
            "population",
            Purpose::Prefill,
            "演示授权：一网通办表单预填",
            ["citizen_id", "name", "sex", "birth_date", "division", "address", "phone", "status"]
                .map(plain)
                .to_vec(),
        ),
    ])
}

fn plain(column: &str) -> Shown {
    Shown { column: column.to_owned(), mask: None, matched: false }
}

fn stars(column: &str, first: u8, last: u8) -> Shown {
    Shown { mask: Some(ShowMask::Stars { first, last }), ..plain(column) }
}

/// Found by its true value.
fn matched(shown: Shown) -> Shown {
    Shown { matched: true, ..shown }
}

fn token(column: &str) -> Shown {
    Shown { mask: Some(ShowMask::Token { family: "node".to_owned() }), ..plain(column) }
}

async fn issue(app: &App, steward: &Actor, approver: &Actor, terms: Terms) -> Result<(), SeedError> {
    let tx = app.store.begin().await?;
    let grant = actions::issue(&tx, steward, terms).await?;
    approve(&tx, app, approver, &grant).await?;
    tx.commit().await?;
    Ok(())
}

async fn approve(tx: &Tx, app: &App, approver: &Actor, grant: &grants::Grant) -> Result<(), SeedError> {
    if grant.status == grants::model::state::Status::Proposed {
        actions::change(tx, &app.pack, approver, grant.id, Change::Approve, "演示数据").await?;
    }
    Ok(())
}

/// Somebody of the demonstration in the posts that they hold.
async fn officer(app: &App, login: &'static str) -> Result<Actor, SeedError> {
    let db = app.store.read();
    let account =
        identity::accounts::find_by_login(&db, login).await?.ok_or(SeedError::Nobody(login))?;
    let actor = identity::accounts::actor(&db, account.id, app.now()).await?;
    actor.ok_or(SeedError::Nobody(login))
}

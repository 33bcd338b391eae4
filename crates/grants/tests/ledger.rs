//! Grants in the ledger, on both databases: issued, decided on, used up, stopped.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;
use std::sync::Arc;

use grants::actions::{self, Change};
use grants::model::grant::Standing;
use grants::model::state::Status;
use grants::model::terms::{
    Authority, AuthorityKind, Environment, FORM, Holder, ShowMask, Shown, TermsError, Versions,
};
use grants::resources::{ColumnTitle, Description, NewResource, UpdateCycle};
use grants::{Ask, Grade, GrantError, Refusal, Terms, decide};
use jiff::SignedDuration;
use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, OrgCode, PostCode, SubjectId, Uuid};
use lake::{Column, Kind, Lake, Schema};
use packs::Pack;
use packs::model::Words;
use store::test::{BOTH, On, TestStore, open};
use store::Purpose;

const PROVIDER: &str = "dali-prefecture-data-bureau";

struct World {
    ledger: TestStore,
    pack: Arc<Pack>,
}

fn words(text: &str) -> Words {
    Words { zh: text.to_owned(), en: text.to_owned() }
}

fn officer(number: u128, org: &str, post: &str, role: &str) -> Actor {
    Actor::Officer {
        account: AccountId::from_uuid(Uuid::from_u128(number)),
        subject: SubjectId::from_uuid(Uuid::from_u128(number + 1000)),
        posts: vec![PostHolding {
            post: PostCode::new(post).unwrap(),
            org: OrgCode::new(org).unwrap(),
            role: role.to_owned(),
        }],
    }
}

fn steward() -> Actor {
    officer(1, PROVIDER, "dali-data-steward", "data-steward")
}

fn approver() -> Actor {
    officer(2, PROVIDER, "dali-data-approver", "data-approver")
}

fn examiner() -> Actor {
    officer(3, "dali-city-civil-affairs", "dali-civil-benefit-examiner", "benefit-examiner")
}

impl World {
    async fn new(on: On, grade: Grade) -> Self {
        let migrations = [identity::MIGRATIONS, lake::MIGRATIONS, grants::MIGRATIONS].concat();
        let ledger = open(on, &migrations).await;
        let pack = Pack::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")).unwrap();
        let tx = ledger.store.begin().await.unwrap();
        identity::orgs::seed(&tx, &pack).await.unwrap();
        let columns = vec![Column::personal("citizen_id", Kind::Text), Column::new("town", Kind::Text)];
        let id = "population".parse().unwrap();
        Lake::create_table(&tx, &id, &Schema::new(columns).unwrap()).await.unwrap();
        let description = Description {
            title: words("人口"),
            about: words("每人一行"),
            update_cycle: UpdateCycle::Daily,
            entity: Some("citizen_id".to_owned()),
            of_persons: true,
            synthetic: true,
            columns: vec![ColumnTitle { column: "town".to_owned(), title: words("乡镇") }],
        };
        let new = NewResource { id, provider: OrgCode::new(PROVIDER).unwrap(), grade, description };
        let stranger = officer(9, "dali-city-market", "dali-market-registrar", "registrar");
        let refused = actions::register_resource(&tx, &stranger, &new).await.unwrap_err();
        assert!(matches!(refused, GrantError::NotYourPost));
        actions::register_resource(&tx, &steward(), &new).await.unwrap();
        let again = actions::register_resource(&tx, &steward(), &new).await.unwrap_err();
        assert!(matches!(again, GrantError::ResourceTaken(_)));
        tx.commit().await.unwrap();
        Self { ledger, pack: Arc::new(pack) }
    }

    fn terms(&self) -> Terms {
        let now = self.ledger.store.env().now();
        Terms {
            form: FORM,
            holder: Holder::Org(OrgCode::new("dali-city-civil-affairs").unwrap()),
            authority: Authority { kind: AuthorityKind::Law, reference: "第二十三条".to_owned() },
            resource: "population".to_owned(),
            versions: Versions { from: 1, to: None },
            columns: vec![
                Shown {
                    column: "citizen_id".to_owned(),
                    mask: Some(ShowMask::Token { family: "node".to_owned() }),
                    matched: true,
                },
                Shown { column: "town".to_owned(), mask: None, matched: false },
            ],
            rows: None,
            purpose: Purpose::Statistics,
            most_uses: Some(3),
            most_rows: Some(10),
            valid_from: now,
            valid_to: now.plus(SignedDuration::from_hours(24)),
            environment: Environment::Rows {},
            duties: vec![],
        }
    }

    async fn issue(&self, actor: &Actor, terms: Terms) -> Result<grants::Grant, GrantError> {
        let tx = self.ledger.store.begin().await.unwrap();
        let grant = actions::issue(&tx, actor, terms).await?;
        tx.commit().await.unwrap();
        Ok(grant)
    }

    async fn change(&self, actor: &Actor, grant: &grants::Grant, change: Change) -> Result<grants::Grant, GrantError> {
        let tx = self.ledger.store.begin().await.unwrap();
        let grant = actions::change(&tx, &self.pack, actor, grant.id, change, "因为").await?;
        tx.commit().await.unwrap();
        Ok(grant)
    }

    async fn decide(&self) -> Result<grants::Admitted, Refusal> {
        let operator = OrgCode::new("dali-prefecture-service-bureau").unwrap();
        let actor = examiner();
        let ask = Ask { actor: &actor, operator: &operator, purpose: Purpose::Statistics, has_case: false };
        decide(&self.ledger.store.read(), &ask, "population").await.unwrap()
    }

    async fn spend(&self, grant: &grants::Grant, uses: u64, rows: u64) -> bool {
        let tx = self.ledger.store.begin().await.unwrap();
        let paid = grants::decide::spend(&tx, grant.id, uses, rows).await.unwrap();
        tx.commit().await.unwrap();
        paid
    }
}

#[tokio::test]
async fn what_nobody_granted_is_refused_and_a_grant_counts_at_once_where_the_grade_is_low() {
    for on in BOTH {
        let world = World::new(on, Grade::General(2)).await;
        assert_eq!(world.decide().await.unwrap_err(), Refusal::NoGrant);
        let grant = world.issue(&steward(), world.terms()).await.unwrap();
        assert_eq!(grant.status, Status::Active);
        let admitted = world.decide().await.unwrap();
        assert_eq!(admitted.grant.id, grant.id);
        admitted.policy.check(&admitted.table.schema).unwrap();
    }
}

#[tokio::test]
async fn where_the_grade_asks_for_it_another_person_has_to_approve() {
    for on in BOTH {
        let world = World::new(on, Grade::General(3)).await;
        let grant = world.issue(&steward(), world.terms()).await.unwrap();
        assert_eq!(grant.status, Status::Proposed);
        assert_eq!(world.decide().await.unwrap_err(), Refusal::Proposed);
        // The same person in the other post, and a person without it.
        let same = officer(1, PROVIDER, "dali-data-approver", "data-approver");
        assert!(matches!(world.change(&same, &grant, Change::Approve).await, Err(GrantError::FourEyes)));
        assert!(matches!(
            world.change(&examiner(), &grant, Change::Approve).await,
            Err(GrantError::NotYourPost)
        ));
        assert!(matches!(world.change(&steward(), &grant, Change::Approve).await, Err(GrantError::NotYourPost)));
        let grant = world.change(&approver(), &grant, Change::Approve).await.unwrap();
        assert!(world.decide().await.is_ok());
        let history = grants::store::history(&world.ledger.store.read(), grant.id).await.unwrap();
        assert_eq!(history.len(), 2);
    }
}

#[tokio::test]
async fn a_stop_counts_from_the_next_question_and_a_revocation_for_good() {
    for on in BOTH {
        let world = World::new(on, Grade::General(1)).await;
        let grant = world.issue(&steward(), world.terms()).await.unwrap();
        let grant = world.change(&steward(), &grant, Change::Suspend).await.unwrap();
        assert_eq!(world.decide().await.unwrap_err(), Refusal::Suspended);
        assert!(!world.spend(&grant, 1, 0).await, "a use that was begun before counts no more");
        let grant = world.change(&approver(), &grant, Change::Resume).await.unwrap();
        assert!(world.decide().await.is_ok());
        let grant = world.change(&steward(), &grant, Change::Revoke).await.unwrap();
        assert_eq!(world.decide().await.unwrap_err(), Refusal::Revoked);
        assert!(matches!(world.change(&approver(), &grant, Change::Resume).await, Err(GrantError::Transition(_))));
    }
}

#[tokio::test]
async fn uses_and_rows_are_counted_and_end() {
    for on in BOTH {
        let world = World::new(on, Grade::General(1)).await;
        let grant = world.issue(&steward(), world.terms()).await.unwrap();
        assert!(world.spend(&grant, 1, 4).await);
        assert!(!world.spend(&grant, 1, 7).await, "seven rows are not left");
        assert!(world.spend(&grant, 1, 6).await);
        let found = grants::store::find(&world.ledger.store.read(), grant.id).await.unwrap().unwrap();
        assert_eq!((found.uses, found.rows), (2, 10));
        assert_eq!(found.standing(world.ledger.store.env().now()), Standing::UsedUp);
        assert_eq!(world.decide().await.unwrap_err(), Refusal::UsedUp);
    }
}

#[tokio::test]
async fn of_many_uses_at_once_only_as_many_are_paid_as_are_left() {
    for on in BOTH {
        let world = World::new(on, Grade::General(1)).await;
        let terms = Terms { most_rows: None, ..world.terms() };
        let grant = world.issue(&steward(), terms).await.unwrap();
        let uses = (0..12).map(|_| {
            let store = world.ledger.store.clone();
            let id = grant.id;
            tokio::spawn(async move {
                let tx = store.begin().await.unwrap();
                let paid = grants::decide::spend(&tx, id, 1, 1).await.unwrap();
                tx.commit().await.unwrap();
                paid
            })
        });
        let mut paid = 0;
        for one in uses.collect::<Vec<_>>() {
            paid += u32::from(one.await.unwrap());
        }
        assert_eq!(paid, 3);
    }
}

#[tokio::test]
async fn a_term_ends_by_the_clock_and_a_changed_table_by_its_version() {
    for on in BOTH {
        let world = World::new(on, Grade::General(1)).await;
        world.issue(&steward(), world.terms()).await.unwrap();
        let tx = world.ledger.store.begin().await.unwrap();
        let table = Lake::table(&tx, &"population".parse().unwrap()).await.unwrap();
        Lake::add_columns(&tx, &table, vec![Column::new("school", Kind::Text)]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.decide().await.unwrap_err(), Refusal::Version);
        world.ledger.clock.advance(SignedDuration::from_hours(25));
        assert_eq!(world.decide().await.unwrap_err(), Refusal::Expired);
    }
}

#[tokio::test]
async fn terms_that_do_not_fit_are_refused_when_they_are_issued() {
    let world = World::new(On::Sqlite, Grade::General(1)).await;
    let unknown = Shown { column: "salary".to_owned(), mask: None, matched: false };
    let misfit = Shown { column: "town".to_owned(), mask: Some(ShowMask::Year {}), matched: false };
    for columns in [vec![], vec![unknown], vec![misfit]] {
        let refused = world.issue(&steward(), Terms { columns, ..world.terms() }).await.unwrap_err();
        assert!(matches!(refused, GrantError::Terms(TermsError::Policy(_))), "{refused:?}");
    }
    let nobody = Holder::Org(OrgCode::new("nobody").unwrap());
    let refused = world.issue(&steward(), Terms { holder: nobody, ..world.terms() }).await.unwrap_err();
    assert!(matches!(refused, GrantError::NoHolder));
    let later = Versions { from: 2, to: None };
    let refused = world.issue(&steward(), Terms { versions: later, ..world.terms() }).await.unwrap_err();
    assert!(matches!(refused, GrantError::Terms(TermsError::Versions)));
}

#[tokio::test]
async fn a_document_that_was_changed_in_the_ledger_gives_no_right() {
    let world = World::new(On::Sqlite, Grade::General(1)).await;
    world.issue(&steward(), world.terms()).await.unwrap();
    let tx = world.ledger.store.begin().await.unwrap();
    tx.execute("UPDATE grants_grant SET terms = replace(terms, '\"most_uses\":3', '\"most_uses\":9')", vec![])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let operator = OrgCode::new("dali-prefecture-service-bureau").unwrap();
    let actor = examiner();
    let ask = Ask { actor: &actor, operator: &operator, purpose: Purpose::Statistics, has_case: false };
    assert!(decide(&world.ledger.store.read(), &ask, "population").await.is_err());
}

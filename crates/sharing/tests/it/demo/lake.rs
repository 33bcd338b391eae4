//! The resources in a real lake: they arrive, are compacted, and join.

use lake::session::Granted;
use lake::{Lake, Limits, Policy, TableId};
use sharing::demo::{Scale, resources};
use store::test::{On, open};

#[tokio::test]
async fn the_resources_arrive_and_join() {
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = Lake::open(test.store.clone(), Limits::default()).unwrap();
    let mut granted = Vec::new();
    for resource in resources() {
        let id: TableId = resource.id.parse().unwrap();
        let schema = resource.schema().unwrap();
        let tx = lake.store().begin().await.unwrap();
        assert!(Lake::create_table(&tx, &id, &schema).await.unwrap());
        tx.commit().await.unwrap();
        let table = Lake::table(&lake.store().read(), &id).await.unwrap();
        for (number, batch) in resource.batches(Scale::default()).unwrap().enumerate() {
            let encoded = lake::inbox::encode(&table, &batch.unwrap()).unwrap();
            let tx = lake.store().begin().await.unwrap();
            lake::inbox::arrive(&tx, &id, &format!("demo-{number}"), encoded).await.unwrap();
            tx.commit().await.unwrap();
        }
        granted.push(Granted { name: id.clone(), table: id, policy: Policy::everything(&schema), witness: None });
    }
    let session = lake.session(&granted).await.unwrap();
    let number = async |sql: &str| {
        let mut answer = session.query(sql).await.unwrap();
        let rows = answer.all().await.unwrap();
        rows[0].texts().unwrap()[0][0].clone().unwrap()
    };
    for resource in resources() {
        assert_eq!(number(&format!("SELECT count(*) FROM {}", resource.id)).await, resource.rows.to_string());
    }
    // What a steward's rules of quality would ask, in SQL: one of each is planted.
    let dead = "SELECT count(*) FROM social_insurance s JOIN population p ON p.citizen_id = s.citizen_id \
                WHERE p.status = '死亡'";
    assert_eq!(number(dead).await, "1");
    let nobody = "SELECT count(*) FROM social_insurance s WHERE NOT EXISTS \
                  (SELECT 1 FROM population p WHERE p.citizen_id = s.citizen_id)";
    assert_eq!(number(nobody).await, "1");
    let unknown =
        "SELECT count(*) FROM permits e WHERE NOT EXISTS (SELECT 1 FROM firms f WHERE f.uscc = e.uscc)";
    assert_eq!(number(unknown).await, "1");
    let owners = "SELECT count(*) FROM vehicles v JOIN population p ON p.citizen_id = v.owner_id \
                  JOIN households h ON h.household_no = p.household_no";
    let vehicles = resources().into_iter().find(|one| one.id == "vehicles").unwrap();
    assert_eq!(number(owners).await, vehicles.rows.to_string());
    assert_eq!(
        number("SELECT CAST(sum(area) AS TEXT) FROM property WHERE area < 0").await.get(..1),
        Some("-")
    );
}

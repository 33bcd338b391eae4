//! The tables in a bucket of a real S3 server.

use lake::compaction::compact;
use lake::keeping::{merge, vacuum};
use lake::{Keeping, LakeError, Limits, Place, Storage};
use store::test::{BOTH, On, open};

use crate::common::{make, number};
use crate::numbers::{all_below, batch, lake_at, schema, seen, session, sum};
use crate::servers::s3;

fn in_bucket(bucket: &lake::Bucket) -> Storage {
    Storage { place: Place::Bucket(bucket.clone()), ..Storage::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_a_bucket_take_in_compact_merge_and_answer() {
    let (_server, bucket) = s3("node-1/lake");
    for on in BOTH {
        let bucket = lake::Bucket { prefix: format!("node-1/{on:?}"), ..bucket.clone() };
        let test = open(on, lake::MIGRATIONS).await;
        let lake = lake_at(&test, &in_bucket(&bucket)).await;
        let table = make(&lake, "t", &schema()).await;
        for part in 0..10 {
            lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
            compact(&lake, &table).await.unwrap();
        }
        assert_eq!(sum(&lake, &table).await, all_below(100));
        lake.arrive(&table, "10", &batch(100..110)).await.unwrap();
        assert_eq!(sum(&lake, &table).await, all_below(110), "in the bucket and in the inbox");
        assert_eq!(merge(&lake, &table, &Keeping::default()).await.unwrap(), 10);
        assert_eq!(sum(&lake, &table).await, all_below(110), "merged");
        assert_eq!(lake::checking::check(&lake, &table).await.unwrap(), []);
        // The server's clock is the machine's.
        test.clock.advance(jiff::SignedDuration::from_hours(24 * 365));
        let month = jiff::SignedDuration::from_hours(24 * 30);
        assert_eq!(vacuum(&lake, &table, month).await.unwrap(), 10, "the small ones are gone");
        assert_eq!(sum(&lake, &table).await, all_below(110), "vacuumed");
        let by_day = session(&lake, &table).await;
        assert_eq!(number(&by_day, "SELECT count(*) FROM t WHERE n >= 50 AND n < 60").await, 10);
        // Nothing of it lies in the data folder.
        assert!(!test.config.data_dir.join("lake").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_write_into_one_bucket_none_overwrites_the_other() {
    let (_server, bucket) = s3("shared");
    let test = open(On::Postgres, lake::MIGRATIONS).await;
    let first = lake_at(&test, &in_bucket(&bucket)).await;
    let second = lake_at(&test, &in_bucket(&bucket)).await;
    let table = make(&first, "t", &schema()).await;
    for number in 0..12 {
        first.arrive(&table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await.unwrap();
        let (one, other) = tokio::join!(compact(&first, &table), compact(&second, &table));
        assert_eq!(one.unwrap().seq.max(other.unwrap().seq), number + 1);
        assert_eq!(sum(&second, &table).await, all_below(number * 10 + 10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_reached_with_its_key_alone_and_the_key_is_never_told() {
    let (_server, bucket) = s3("x");
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let wrong = lake::Bucket { secret_key: "a-wrong-secret".to_owned(), ..bucket.clone() };
    let refused = lake::Lake::open_with(test.store.clone(), Limits::default(), &in_bucket(&wrong)).await;
    let Err(LakeError::Files(text)) = refused else { panic!("a wrong key opens the bucket") };
    assert!(!text.contains("a-wrong-secret"), "{text}");
    assert!(!format!("{:?}", in_bucket(&bucket)).contains(&bucket.secret_key));
    let far = lake::Bucket { endpoint: "http://s3.example.org".to_owned(), ..bucket.clone() };
    let refused = lake::Lake::open_with(test.store.clone(), Limits::default(), &in_bucket(&far)).await;
    assert!(matches!(refused, Err(LakeError::Files(text)) if text.contains("TLS")));
    let lake = lake_at(&test, &in_bucket(&bucket)).await;
    let table = make(&lake, "t", &schema()).await;
    lake.arrive(&table, "1", &batch(0..10)).await.unwrap();
    compact(&lake, &table).await.unwrap();
    assert_eq!(seen(&lake, &table).await.unwrap(), all_below(10));
}

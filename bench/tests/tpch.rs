//! The queries of TPC-H through the barrier are answered as DuckDB answers them on a copy that holds no more than is shown.

use bench::tpch::{self, Duck};

/// Large enough that nearly all queries have an answer, small enough for an engine that is not optimised; or what
/// `YIWANG_TPCH_SCALE` says.
fn scale() -> f64 {
    std::env::var("YIWANG_TPCH_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(0.01)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered_as_duckdb_answers_it_on_a_filtered_copy() {
    let folder = tempfile::tempdir().unwrap();
    let lake = tpch::open(folder.path()).await.unwrap();
    let scale = scale();
    tpch::fill(&lake, scale).await.unwrap();
    let queries = tpch::queries(scale);
    let duck = Duck::here().answer(&lake, &folder.path().join("copy"), &queries, 1).await.unwrap();
    let session = lake.session(&tpch::granted().unwrap()).await.unwrap();
    let views = lake.plain_views(&tpch::granted().unwrap()).await.unwrap();
    let bare = lake.plain_tables(&tpch::ids().unwrap()).await.unwrap();
    let (mut answered, mut ruled, mut wrong) = (0, 0, Vec::new());
    for (number, (sql, (theirs, _))) in queries.iter().zip(&duck.answers).enumerate() {
        let number = number + 1;
        let ours = match session.query(sql).await {
            Ok(answer) => tpch::read(answer).await.unwrap(),
            Err(error) => {
                wrong.push(format!("{number}: {error:?}"));
                continue;
            }
        };
        wrong.extend(tpch::difference(&ours, theirs).map(|text| format!("{number}: {text}")));
        let viewed = tpch::read(views.query(sql).await.unwrap()).await.unwrap();
        wrong.extend(tpch::difference(&ours, &viewed).map(|text| format!("{number} as a view: {text}")));
        let all = tpch::read(bare.query(sql).await.unwrap()).await.unwrap();
        answered += usize::from(ours.rows.iter().flatten().any(Option::is_some));
        ruled += usize::from(tpch::difference(&ours, &all).is_some());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(answered >= 20, "{answered} queries have an answer");
    assert!(ruled >= 17, "{ruled} answers depend on the rules");
}

#[test]
fn nothing_but_the_measurement_asks_without_the_barrier() {
    let crates = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates"));
    let mut folders = vec![crates.to_owned()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let own = path.ends_with("lake/src/plain.rs");
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !own {
                let text = std::fs::read_to_string(&path).unwrap();
                let names = ["plain_tables", "plain_views", "plain_files", "lake::plain", "leaking_view"];
                let fence = path.ends_with("lake/src/barrier/governed.rs");
                let named = names.iter().filter(|name| !(fence && **name == "leaking_view"));
                assert!(!named.into_iter().any(|name| text.contains(*name)), "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 200, "{read} files");
}

//! Planted errors: each is found, with its line and its reason, and costs no other row.

use lake::loading::{Check, Reason, Settings, State};
use store::Reads;
use store::test::BOTH;

use super::{World, faults};
use crate::common::make;

const PEOPLE: &str = "姓名,身份证号,出生日期,金额,人数,是否在册\n\
    张三,11010519491231002X,1949-12-31,12.50,3,是\n\
    李四,110105194912310021,1949-12-31,1.00,1,是\n\
    王五,11010519491231002X,2024-02-30,2.25,2,否\n\
    赵六,11010519491231002X,2024年1月2日,abc,2,是\n\
    \n\
    孙七,11010519491231002X,2024/1/2,3.125,99999999999999999999,否\n\
    周八,11010519491231002X,20240102\n\
    吴九,11010519491231002X,2024-01-02,1,2,是,多余\n\
    \"郑十\n二行\",11010519491231002X,2024-01-02,1,2,是\n\
    \"未合,11010519491231002X,2024-01-02,1,2,是\n\
    冯十一,11010519491231002X,2024-01-02,\"1\"x,2,是\n\
    陈十二,11010519491231002X,2024-01-02,7,2,也许\n\
    末行,11010519491231002X,2024-01-02,8.1,2,否";

#[tokio::test]
async fn every_planted_error_has_its_line_and_its_reason() {
    for on in BOTH {
        let world = World::on(on).await;
        let opened = world.file(&world.write("people.csv", PEOPLE.as_bytes())).await;
        let mut mapping = world.inspect(&opened).await.unwrap().mapping();
        // What the planted errors hide is what somebody would confirm.
        let kinds = ["text", "text", "date", "decimal(2)", "integer", "boolean"];
        for (column, kind) in mapping.columns.iter_mut().zip(kinds) {
            column.column.as_mut().unwrap().kind = kind.parse().unwrap();
            column.check = (column.source == "身份证号").then_some(Check::CitizenId);
        }
        let table = make(&world.lake, "people", &mapping.schema().unwrap()).await;
        let loaded = world.load(&table, &opened, &mapping, &Settings::default()).await.unwrap();
        let read = world.lake.store().read();
        let rejected = lake::loading::list_rejected(&read, loaded.id, 0, 100).await.unwrap();
        assert_eq!(
            faults(&rejected),
            [
                (3, "身份证号", "load.citizen_id"),
                (4, "出生日期", "load.out_of_range"),
                (5, "金额", "load.wrong_kind"),
                (7, "金额", "load.out_of_range"),
                (7, "人数", "load.out_of_range"),
                (8, "*", "load.too_few_cells"),
                (9, "*", "load.too_many_cells"),
                (12, "*", "load.broken"),
                (13, "*", "load.broken"),
                (14, "是否在册", "load.wrong_kind"),
            ]
        );
        assert_eq!((loaded.state, loaded.rows, loaded.rejected, loaded.kept), (State::Done, 3, 9, 9));
        assert_eq!(rejected[0].raw, "李四,110105194912310021,1949-12-31,1.00,1,是");
        assert_eq!(rejected[7].raw, "冯十一,11010519491231002X,2024-01-02,\"1\"x,2,是", "as it was");
        let names: Vec<String> =
            world.rows(&table, "1").await.into_iter().map(|row| row[0].clone()).collect();
        let mut wanted = vec!["张三".to_owned(), "郑十\n二行".to_owned(), "末行".to_owned()];
        wanted.sort();
        assert_eq!(names, wanted);
    }
}

#[tokio::test]
async fn a_rejected_row_lies_encrypted_in_the_ledger_until_it_is_forgotten() {
    let world = World::new().await;
    let opened = world.file(&world.write("people.csv", PEOPLE.as_bytes())).await;
    let outcome = world.whole("people", &opened).await;
    assert!(outcome.rejected.iter().any(|row| row.raw.contains("周八,11010519491231002X")));
    let read = world.lake.store().read();
    let all = read.rows("SELECT sealed, faults FROM lake_rejected", vec![]).await.unwrap();
    assert_eq!(all.len(), outcome.rejected.len());
    for row in &all {
        let sealed: Vec<u8> = row.get("sealed").unwrap();
        let faults: String = row.get("faults").unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("110105") && !faults.contains("110105"));
    }
    let tx = world.lake.store().begin().await.unwrap();
    let forgotten = lake::loading::forget_rejected(&tx, outcome.loaded.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(forgotten, all.len() as u64);
    let load = lake::loading::find_load(&read, outcome.loaded.id).await.unwrap().unwrap();
    assert_eq!(load.progress.rejected, outcome.loaded.rejected, "their number stays");
    assert!(lake::loading::list_rejected(&read, load.id, 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn so_many_rejected_rows_are_kept_and_the_others_counted() {
    let world = World::new().await;
    let text: String = std::iter::once("n\n".to_owned())
        .chain(
            (0..3_000)
                .map(|row| format!("{}\n", if row % 2 == 0 { "x".to_owned() } else { row.to_string() })),
        )
        .collect();
    let opened = world.file(&world.write("n.csv", text.as_bytes())).await;
    let mut mapping = world.inspect(&opened).await.unwrap().mapping();
    mapping.columns[0].column.as_mut().unwrap().kind = lake::Kind::Integer;
    let table = make(&world.lake, "n", &mapping.schema().unwrap()).await;
    let settings = Settings { keep: 700, max_rejected: Some(1_499), ..Settings::default() };
    let refused = world.load(&table, &opened, &mapping, &settings).await.unwrap();
    assert_eq!(
        (refused.state, refused.rows, refused.rejected, refused.kept),
        (State::Refused, 0, 1_500, 700)
    );
    assert!(world.rows(&table, "1").await.is_empty(), "nothing arrives where too much is wrong");
    let read = world.lake.store().read();
    let rejected = lake::loading::list_rejected(&read, refused.id, 690, 100).await.unwrap();
    assert_eq!(rejected.len(), 10, "the rest of what was kept");
    assert_eq!((rejected[9].place, rejected[9].line), (700, 2 + 2 * 699));
    let settings = Settings { max_rejected: Some(1_500), ..settings };
    let loaded = world.load(&table, &opened, &mapping, &settings).await.unwrap();
    assert_eq!((loaded.state, loaded.rows, loaded.kept), (State::Done, 1_500, 700));
}

#[tokio::test]
async fn a_quote_that_never_closes_costs_its_own_line_only() {
    let world = World::new().await;
    let mut text = "a,b\n".to_owned();
    for row in 0..500 {
        let quote = if row == 250 { "\"" } else { "" };
        text.push_str(&format!("{quote}{row},x\n"));
    }
    let opened = world.file(&world.write("quotes.csv", text.as_bytes())).await;
    let outcome = world.whole("quotes", &opened).await;
    assert_eq!(faults(&outcome.rejected), [(252, "*", "load.broken")]);
    assert_eq!(outcome.loaded.rows, 499);
    assert_eq!(outcome.proposal.unreadable, [(252, Reason::Broken)], "it is shown before");
}

#[tokio::test]
async fn what_must_not_be_empty_and_what_stands_for_nothing_is_as_it_was_confirmed() {
    let world = World::new().await;
    let text = "code,n\n a ,1\n,2\n  ,3\nb,NULL\nc,\n";
    let opened = world.file(&world.write("empty.csv", text.as_bytes())).await;
    let mut mapping = world.inspect(&opened).await.unwrap().mapping();
    assert_eq!(mapping.columns[1].empty, ["NULL"], "a word for nothing is found");
    assert!(mapping.columns[0].trim, "spaces are found");
    mapping.columns[0].required = true;
    let table = make(&world.lake, "t", &mapping.schema().unwrap()).await;
    let loaded = world.load(&table, &opened, &mapping, &Settings::default()).await.unwrap();
    let read = world.lake.store().read();
    let rejected = lake::loading::list_rejected(&read, loaded.id, 0, 100).await.unwrap();
    assert_eq!(faults(&rejected), [(3, "code", "load.empty"), (4, "code", "load.empty")]);
    assert_eq!(world.rows(&table, "1").await, [["a", "1"], ["b", "∅"], ["c", "∅"]]);
}

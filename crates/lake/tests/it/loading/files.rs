//! Every form of file comes in as it is.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;
use lake::loading::{Encoding, Form, Note, Reading};
use proptest::prelude::*;

use super::{World, faults, schema};
use crate::common::make;

#[tokio::test]
async fn text_comes_in_whatever_its_encoding_and_its_delimiter() {
    let world = World::new().await;
    let text = "名称;数量\n“一网”；大理;12\n𠮷野家;7\n";
    let utf8 = text.as_bytes().to_vec();
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let utf16be: Vec<u8> =
        [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let gb = encoding_rs::GB18030.encode(text).0.into_owned();
    let all = [
        ("utf8", utf8.clone(), Encoding::Utf8),
        ("bom", [&[0xef, 0xbb, 0xbf][..], &utf8].concat(), Encoding::Utf8),
        ("gb", gb, Encoding::Gb18030),
        ("utf16", utf16, Encoding::Utf16Le),
        ("utf16be", utf16be, Encoding::Utf16Be),
        ("crlf", text.replace('\n', "\r\n").into_bytes(), Encoding::Utf8),
        ("cr", text.replace('\n', "\r").into_bytes(), Encoding::Utf8),
    ];
    for (name, bytes, encoding) in all {
        let opened = world.file(&world.write(name, &bytes)).await;
        let outcome = world.whole(name, &opened).await;
        assert_eq!(outcome.proposal.reading.encoding, Some(encoding), "{name}");
        assert_eq!(outcome.proposal.reading.delimiter, Some(';'), "{name}");
        assert!(outcome.proposal.notes.is_empty(), "{name}: {:?}", outcome.proposal.notes);
        assert_eq!(
            world.rows(&outcome.table, "2").await,
            [["𠮷野家", "7"], ["“一网”；大理", "12"]],
            "{name}"
        );
    }
    for (name, delimiter) in [("comma", ','), ("tab", '\t'), ("bar", '|')] {
        let text = text.replace(';', &delimiter.to_string());
        // In GBK the second byte of a character may be that of a bar.
        for (encoded, bytes) in
            [("u", text.as_bytes().to_vec()), ("g", encoding_rs::GB18030.encode(&text).0.into_owned())]
        {
            let name = format!("{name}_{encoded}");
            let opened = world.file(&world.write(&name, &bytes)).await;
            let outcome = world.whole(&name, &opened).await;
            assert_eq!(outcome.proposal.reading.delimiter, Some(delimiter));
            assert_eq!(world.rows(&outcome.table, "2").await[1][0], "“一网”；大理");
        }
    }
}

#[tokio::test]
async fn bytes_of_no_encoding_cost_their_line() {
    let world = World::new().await;
    let mut bytes = "名称,数\n甲,1\n".as_bytes().to_vec();
    bytes.extend(b"\xff\xfe\xfd,2\n");
    bytes.extend("乙,3\n丙\0,4\n丁,5\n".as_bytes());
    let opened = world.file(&world.write("bad.csv", &bytes)).await;
    let outcome = world.whole("bad", &opened).await;
    assert_eq!(faults(&outcome.rejected), [(3, "*", "load.encoding"), (5, "*", "load.encoding")]);
    assert_eq!(outcome.proposal.notes, [Note::EncodingUnsure]);
    assert_eq!(outcome.loaded.rows, 3);
}

#[tokio::test]
async fn what_a_column_holds_is_proposed_and_codes_stay_text() {
    let world = World::new().await;
    let mut text = "姓名,身份证号,手机号码,统一社会信用代码,区划代码,邮编,编号,登记日期,办理时间,金额(元),面积,人口,在册,备注,name\n".to_owned();
    for row in 0..30 {
        text.push_str(&format!(
            "某人{row},11010519491231002X,138{row:08},91110000802100433B,532901,065000,{row:04},2024年{}月{}日,2024-01-02 08:{row:02}:00,{row}.5,{row}.12345678,{},{},{},A\n",
            row % 12 + 1, row % 28 + 1, row * 1000, if row % 2 == 0 { "是" } else { "否" }, if row == 3 { "有话" } else { "" },
        ));
    }
    let opened = world.file(&world.write("kinds.csv", text.as_bytes())).await;
    let outcome = world.whole("kinds", &opened).await;
    let found = schema(&outcome.proposal);
    let wanted = [
        ("xing_ming", "text", true),
        ("shen_fen_zheng_hao", "text", true),
        ("shou_ji_hao_ma", "text", true),
        ("tong_yi_she_hui_xin_yong_dai_ma", "text", false),
        ("qu_hua_dai_ma", "text", false),
        ("you_bian", "text", false),
        ("bian_hao", "text", false),
        ("deng_ji_ri_qi", "date", false),
        ("ban_li_shi_jian", "timestamp", false),
        ("jin_e_yuan", "decimal(2)", false),
        ("mian_ji", "float", false),
        ("ren_kou", "integer", false),
        ("zai_ce", "boolean", false),
        ("bei_zhu", "text", false),
        ("name", "text", true),
    ];
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2), wanted);
    }
    assert_eq!(outcome.loaded.rows, 30);
    let row = &world.rows(&outcome.table, "bian_hao").await[7];
    assert_eq!(row[5..10], ["065000", "0007", "2024-08-08", "2024-01-02T00:07:00Z", "7.50"]);
}

#[tokio::test]
async fn json_lines_come_in_and_a_field_that_nobody_knows_is_not_dropped() {
    let world = World::new().await;
    let mut text = String::new();
    for row in 0..1_100 {
        text.push_str(&format!(
            "{{\"id\": {row}, \"姓名\": \"N{row}\", \"ok\": true, \"nested\": {{\"a\": [1, 2]}}}}\n"
        ));
    }
    text.push_str(
        "{\"id\": 2000, \"later\": 1}\nnot json\n[1]\n{\"id\": 1e300}\n{\"id\": null, \"姓名\": \"\"}\n",
    );
    let opened = world.file(&world.write("lines.json", text.as_bytes())).await;
    let outcome = world.whole("lines", &opened).await;
    assert_eq!(outcome.proposal.reading.form, Some(Form::JsonLines));
    let code = |line, code| (line, "*", code);
    assert_eq!(
        faults(&outcome.rejected),
        [
            code(1_101, "load.too_many_cells"),
            code(1_102, "load.broken"),
            code(1_103, "load.broken"),
            (1_104, "id", "load.digits_lost")
        ]
    );
    assert_eq!(outcome.loaded.rows, 1_101);
    let rows = world.rows(&outcome.table, "id NULLS FIRST").await;
    assert_eq!(rows[0], ["∅", "", "∅", "∅"], "an empty text is not nothing");
    assert_eq!(rows[1], ["0", "N0", "true", "{\"a\":[1,2]}"]);
}

#[tokio::test]
async fn parquet_comes_in_with_the_kinds_that_it_says() {
    let world = World::new().await;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("编号", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)]))),
        ("text", Arc::new(StringArray::from(vec![Some("007"), None, Some("")]))),
        (
            "money",
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), None, Some(-1)])
                    .with_precision_and_scale(20, 3)
                    .unwrap(),
            ),
        ),
        ("day", Arc::new(Date32Array::from(vec![Some(19_724), None, Some(-1)]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_704_168_306_000_001), None, Some(0)])
                    .with_timezone("UTC"),
            ),
        ),
        ("ratio", Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), None, Some(-0.0)]))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let bytes = writer.into_inner().unwrap();
    let opened = world.file(&world.write("data.bin", &bytes)).await;
    let outcome = world.whole("data", &opened).await;
    let kinds: Vec<String> = schema(&outcome.proposal).into_iter().map(|column| column.1).collect();
    assert_eq!(kinds, ["integer", "text", "decimal(3)", "date", "timestamp", "float"]);
    let mut rows = world.rows(&outcome.table, "1 NULLS FIRST").await;
    assert_eq!(rows.remove(0), ["∅"; 6]);
    assert_eq!(rows[0], ["-9223372036854775808", "", "-0.001", "1969-12-31", "1970-01-01T00:00:00Z", "-0.0"]);
    assert_eq!(
        rows[1],
        ["1", "007", "12.345", "2024-01-02", "2024-01-02T04:05:06.000001Z", "0.30000000000000004"]
    );
    // Cut short, it is no file at all, and nothing arrives.
    let torn = world.file(&world.write("torn.bin", &bytes[..bytes.len() - 20])).await;
    assert!(world.inspect(&torn).await.is_err());
}

#[tokio::test]
async fn a_file_without_a_header_and_one_with_a_title_are_read_as_they_are_said_to_be() {
    let world = World::new().await;
    let bare = world.file(&world.write("bare.csv", b"1,a\n2,b\n")).await;
    let outcome = world.read("bare", &bare, &Reading { header_row: Some(0), ..Reading::default() }).await;
    assert_eq!(world.rows(&outcome.table, "1").await, [["1", "a"], ["2", "b"]]);
    let titled =
        world.file(&world.write("titled.csv", "大理州人口\n2024年\nid,名称\n1,a\n".as_bytes())).await;
    let outcome = world.read("titled", &titled, &Reading { header_row: Some(3), ..Reading::default() }).await;
    assert_eq!(world.rows(&outcome.table, "1").await, [["1", "a"]]);
    let wrong = Reading { delimiter: Some('"'), ..Reading::default() };
    assert!(lake::loading::inspect(&world.lake, &bare, &wrong).await.is_err());
}

/// Cells that a person or a program may write: quotes, delimiters, ends of lines, spaces, any script.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[a-z0-9 ]{0,8}",
        2 => "[\"',;\t\r\n|x]{0,6}",
        1 => "\\PC{0,12}",
        1 => "[一-龥]{1,6}",
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..6, 1_usize..12)
        .prop_flat_map(|(columns, rows)| prop::collection::vec(prop::collection::vec(cell(), columns), rows))
}

#[test]
fn any_table_that_the_csv_crate_writes_reads_back_equal() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let number = std::cell::Cell::new(0);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) };
    let test = |(cells, delimiter, crlf): (Vec<Vec<String>>, u8, bool)| {
        number.set(number.get() + 1);
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer =
            csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
        let columns = cells[0].len();
        let mut header = vec!["row".to_owned()];
        header.extend((0..columns).map(|column| format!("c{column}")));
        writer.write_record(&header).unwrap();
        for (row, cells) in cells.iter().enumerate() {
            writer.write_record(std::iter::once(&row.to_string()).chain(cells)).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        runtime.block_on(async {
            let name = format!("t{}", number.get());
            let opened = world.file(&world.write(&name, &bytes)).await;
            // Its encoding and delimiter are said, since a table of quotes and bars alone shows neither.
            let reading = Reading {
                encoding: Some(Encoding::Utf8),
                form: Some(Form::Delimited),
                delimiter: Some(char::from(delimiter)),
                ..Reading::default()
            };
            let proposal = lake::loading::inspect(&world.lake, &opened, &reading).await.unwrap();
            let mut mapping = proposal.mapping();
            for (at, column) in mapping.columns.iter_mut().enumerate() {
                column.column.as_mut().unwrap().kind =
                    if at == 0 { lake::Kind::Integer } else { lake::Kind::Text };
                (column.trim, column.check) = (false, None);
                column.empty.clear();
            }
            let table = make(&world.lake, &name, &mapping.schema().unwrap()).await;
            let loaded =
                world.load(&table, &opened, &mapping, &lake::loading::Settings::default()).await.unwrap();
            assert_eq!((loaded.rows, loaded.rejected), (cells.len() as u64, 0));
            let back = world.rows(&table, "1").await;
            for (back, cells) in back.iter().zip(&cells) {
                let wanted: Vec<&str> =
                    cells.iter().map(|cell| if cell.is_empty() { "∅" } else { cell.as_str() }).collect();
                assert_eq!(back[1..], wanted);
            }
        });
        Ok(())
    };
    let delimiters = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    proptest::test_runner::TestRunner::new(config).run(&(table(), delimiters, any::<bool>()), test).unwrap();
}

//! Workbooks, and files that somebody made to do harm: memory stays bounded, and the answer is an error or a
//! rejected row.

use std::io::{Seek, SeekFrom, Write};

use lake::loading::{ColumnNote, Form, LoadError, Note, Reading};
use zip::write::SimpleFileOptions;

use super::{World, faults, schema};

/// The most memory that this process has held, in MiB. Each test runs in a process of its own.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of one sheet, 数据, with these rows and what follows them.
fn xlsx(rows: &str, after: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData>{after}</worksheet>"
    );
    xlsx_of(sheet.as_bytes())
}

fn xlsx_of(sheet: &[u8]) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let roots = format!(
        "<Relationships xmlns=\"{package}\"><Relationship Id=\"rId1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"数据\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let relations = format!(
        "<Relationships xmlns=\"{package}\"><Relationship Id=\"rId1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"{office}/styles\" Target=\"styles.xml\"/></Relationships>"
    );
    // Style 1 is a date.
    let styles = format!(
        "<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
    );
    zipped(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", roots.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

fn text(at: &str, text: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn row(number: u32, cells: &[String]) -> String {
    format!("<row r=\"{number}\">{}</row>", cells.concat())
}

#[tokio::test]
async fn a_workbook_comes_in_with_its_title_its_merged_cells_and_its_errors() {
    let world = World::new().await;
    let number = |at: &str, value: &str| format!("<c r=\"{at}\"><v>{value}</v></c>");
    let day = |at: &str, value: &str| format!("<c r=\"{at}\" s=\"1\"><v>{value}</v></c>");
    let formula = |at: &str, value: &str| format!("<c r=\"{at}\"><f>SUM(A1:A2)</f><v>{value}</v></c>");
    let error = |at: &str| format!("<c r=\"{at}\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>");
    let rows = [
        row(1, &[text("A1", "大理州登记表")]),
        row(3, &[text("A3", "乡镇"), text("B3", "日期"), text("C3", "合计"), text("D3", "身份证号")]),
        row(
            4,
            &[
                text("A4", "下关"),
                day("B4", "45293"),
                formula("C4", "12.5"),
                text("D4", "11010519491231002X"),
            ],
        ),
        row(5, &[day("B5", "45294.5"), number("C5", "7"), number("D5", "1.1010519491231E+17")]),
        row(6, &[day("B6", "45295"), error("C6"), text("D6", "11010519491231002X")]),
        row(
            8,
            &[
                text("A8", "大理"),
                day("B8", "45296"),
                formula("C8", "1"),
                text("D8", "11010519491231002X"),
                text("F8", "旁注"),
            ],
        ),
        row(
            9,
            &[text("A9", "大理"), day("B9", "45297"), number("C9", "0.1"), text("D9", "11010519491231002X")],
        ),
    ];
    let merged = "<mergeCells count=\"2\"><mergeCell ref=\"A1:D1\"/><mergeCell ref=\"A4:A6\"/></mergeCells>";
    let opened = world.file(&world.write("book.xlsx", &xlsx(&rows.concat(), merged))).await;
    let outcome = world.whole("book", &opened).await;
    assert_eq!(outcome.proposal.reading.form, Some(Form::Xlsx));
    assert_eq!(outcome.proposal.sheets, ["数据"]);
    assert_eq!(outcome.proposal.notes, [Note::HeaderRow(3), Note::Merged]);
    assert!(outcome.proposal.columns[3].notes.contains(&ColumnNote::DigitsLost(1)));
    assert!(outcome.proposal.columns[2].notes.contains(&ColumnNote::Formula(1)));
    let kinds: Vec<String> = schema(&outcome.proposal).into_iter().map(|column| column.1).collect();
    assert_eq!(kinds, ["text", "timestamp", "decimal(1)", "text"]);
    assert_eq!(
        faults(&outcome.rejected),
        [(5, "身份证号", "load.digits_lost"), (6, "合计", "load.formula"), (8, "*", "load.too_many_cells"),]
    );
    assert!(
        outcome.rejected[0].raw.starts_with("下关,2024-01-03 12:00:00,7"),
        "a merged cell holds for each row"
    );
    let rows = world.rows(&outcome.table, "2").await;
    assert_eq!(rows[0], ["下关", "2024-01-01T16:00:00Z", "12.5", "11010519491231002X"]);
    assert_eq!(rows[1][2], "0.1");
    let wrong = Reading { sheet: Some("别的".to_owned()), ..Reading::default() };
    let error = lake::loading::inspect(&world.lake, &opened, &wrong).await.unwrap_err();
    assert!(error.to_string().contains("数据"), "the sheets are named: {error}");
}

#[tokio::test]
async fn cells_in_far_corners_cost_no_memory_and_their_row() {
    let world = World::new().await;
    let rows = [
        row(1, &[text("A1", "a"), text("B1", "b")]),
        row(2, &[text("A2", "1"), text("B2", "2")]),
        row(1_048_576, &[text("A1048576", "3"), text("XFD1048576", "far")]),
    ];
    let opened = world.file(&world.write("far.xlsx", &xlsx(&rows.concat(), ""))).await;
    let outcome = world.whole("far", &opened).await;
    assert_eq!(faults(&outcome.rejected), [(1_048_576, "*", "load.too_many_cells")]);
    assert_eq!(world.rows(&outcome.table, "1").await, [["1", "2"]]);
    let merged = "<mergeCells count=\"1\"><mergeCell ref=\"A1:XFD1048576\"/></mergeCells>";
    let opened = world.file(&world.write("merged.xlsx", &xlsx(&rows[..2].concat(), merged))).await;
    assert!(world.inspect(&opened).await.is_err(), "more columns than are read");
    assert!(peak_mib() < 700, "{} MiB", peak_mib());
}

#[tokio::test]
async fn a_workbook_that_unpacks_to_too_much_is_refused() {
    let world = World::new().await;
    let spaces = vec![b' '; 64 << 20];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("xl/workbook.xml", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"<workbook/>").unwrap();
    zip.start_file("xl/sharedStrings.bin", SimpleFileOptions::default()).unwrap();
    for _ in 0..5 {
        zip.write_all(&spaces).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20, "small as a file");
    let opened = world.file(&world.write("bomb.xlsx", &bomb)).await;
    assert!(matches!(world.inspect(&opened).await, Err(LoadError::TooLarge(_))));
    // One text of a cell, as long as a book.
    let long = xlsx(&row(1, &[text("A1", &"x".repeat(5 << 20))]), "");
    let opened = world.file(&world.write("long.xlsx", &long)).await;
    assert!(matches!(world.inspect(&opened).await, Err(LoadError::TooLarge(_))));
    // Rows that go backwards would mix lines.
    let back = [row(5, &[text("A5", "a"), text("B5", "b")]), row(2, &[text("A2", "1")])].concat();
    let opened = world.file(&world.write("back.xlsx", &xlsx(&back, ""))).await;
    assert!(matches!(world.inspect(&opened).await, Err(LoadError::Unreadable(_))));
    // The end is missing.
    let whole = xlsx(&row(1, &[text("A1", "a")]), "");
    for (name, bytes) in [("cut.xlsx", &whole[..whole.len() / 2]), ("other.zip", &zipped(&[("a.txt", b"a")]))]
    {
        let opened = world.file(&world.write(name, bytes)).await;
        assert!(world.inspect(&opened).await.is_err(), "{name}");
    }
}

fn ods(rows: &str) -> Vec<u8> {
    let names = ["office", "table", "text"]
        .map(|name| format!("xmlns:{name}=\"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0\""))
        .join(" ");
    let content = format!(
        "<office:document-content {names}><office:body><office:spreadsheet><table:table table:name=\"表\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            b"<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>",
        ),
        ("content.xml", content.as_bytes()),
    ])
}

#[tokio::test]
async fn an_open_document_comes_in_and_one_that_repeats_cells_without_end_does_not() {
    let world = World::new().await;
    let string = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let float = |value: &str| {
        format!(
            "<table:table-cell office:value-type=\"float\" office:value=\"{value}\"><text:p>{value}</text:p></table:table-cell>"
        )
    };
    let line = |cells: &[String]| format!("<table:table-row>{}</table:table-row>", cells.concat());
    let empty = "<table:table-row table:number-rows-repeated=\"1048570\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let rows = [
        line(&[string("名称"), string("数")]),
        line(&[string("甲"), float("1.5")]),
        line(&[string("乙"), float("2")]),
    ]
    .concat();
    let opened = world.file(&world.write("a.ods", &ods(&format!("{rows}{empty}")))).await;
    let outcome = world.whole("a", &opened).await;
    assert_eq!(world.rows(&outcome.table, "1").await, [["乙", "2.0"], ["甲", "1.5"]]);
    let wide = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell table:number-columns-repeated=\"16000\" office:value-type=\"float\" office:value=\"1\"/></table:table-row>";
    for (name, rows) in [
        ("wide", wide.to_owned()),
        ("low", format!("{empty}{wide}")),
        ("deep", format!("{empty}{}", line(&vec![float("1"); 30]))),
    ] {
        let opened = world.file(&world.write(name, &ods(&rows))).await;
        assert!(matches!(world.inspect(&opened).await, Err(LoadError::TooLarge(_))), "{name}");
    }
    assert!(peak_mib() < 700, "{} MiB", peak_mib());
}

#[tokio::test]
async fn an_old_workbook_comes_in_and_one_that_spans_too_much_does_not() {
    let world = World::new().await;
    let path =
        |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/loading").join(name);
    let opened = world.file(&path("old.xls")).await;
    let outcome = world.whole("old", &opened).await;
    assert_eq!(outcome.proposal.reading.form, Some(Form::Xls));
    assert_eq!(outcome.proposal.notes, [Note::HeaderRow(2), Note::Merged]);
    assert_eq!(
        world.rows(&outcome.table, "2").await,
        [
            ["下关", "1", "2024-01-02", "true"],
            ["下关", "2", "2024-01-03", "false"],
            ["凤仪", "3", "2024-01-04", "true"]
        ]
    );
    let opened = world.file(&path("corners.xls")).await;
    assert!(matches!(world.inspect(&opened).await, Err(LoadError::TooLarge(_))));
    assert!(peak_mib() < 700, "{} MiB", peak_mib());
}

#[tokio::test]
async fn a_line_of_a_gigabyte_is_skipped_without_being_held() {
    let world = World::new().await;
    let path = world.write("long.csv", b"a,b\n1,2\n");
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    // A hole of the disk, which reads as a gigabyte without an end of line.
    let end = file.seek(SeekFrom::End(0)).unwrap();
    file.set_len(end + (1 << 30)).unwrap();
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(b"\n3,4\n\"").unwrap();
    file.write_all(&vec![b'x'; 3 << 20]).unwrap();
    file.write_all(b"\n5,6\n").unwrap();
    let opened = world.file(&path).await;
    let outcome = world.whole("long", &opened).await;
    assert_eq!(faults(&outcome.rejected), [(3, "*", "load.too_long"), (5, "*", "load.too_long")]);
    assert_eq!(world.rows(&outcome.table, "1").await, [["1", "2"], ["3", "4"], ["5", "6"]]);
    assert!(peak_mib() < 400, "{} MiB", peak_mib());
}

#[tokio::test]
async fn a_header_of_a_million_columns_and_files_of_no_form_are_refused() {
    let world = World::new().await;
    let cases: [(&str, Vec<u8>); 7] = [
        ("columns", "a,".repeat(500_000).into_bytes()),
        ("longer", "a,".repeat(5_000_000).into_bytes()),
        (
            "json",
            format!("{{{}\"x\":1}}\n", (0..2_000).map(|key| format!("\"k{key}\":1,")).collect::<String>())
                .into_bytes(),
        ),
        ("nested", format!("{{\"a\":{}", "[".repeat(500_000)).into_bytes()),
        ("empty", Vec::new()),
        ("pdf", b"%PDF-1.7\n".to_vec()),
        ("parquet", b"PAR1 and no more".to_vec()),
    ];
    for (name, bytes) in cases {
        let opened = world.file(&world.write(name, &bytes)).await;
        let error = world.inspect(&opened).await.err().unwrap_or_else(|| panic!("{name} is taken"));
        assert!(matches!(error, LoadError::Reading(_) | LoadError::Unreadable(_)), "{name}: {error}");
    }
    // Each line closes the quote of the one before and opens another, so each is read with many behind it.
    let quotes = format!("a,b\n{}", "x\",\"\n".repeat(20_000));
    let opened = world.file(&world.write("quotes", quotes.as_bytes())).await;
    let outcome = world.whole("quotes", &opened).await;
    assert_eq!((outcome.loaded.rows, outcome.loaded.rejected), (0, 20_000), "each of its lines is rejected");
    assert!(world.open(&lake::loading::Source::File("/dev/zero".into()), &Default::default()).await.is_err());
}

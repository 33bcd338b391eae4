//! `yiwang import table` as an operator types it.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FIRMS: &str = "名称,统一社会信用代码,成立日期,注册资本\n\
    大理某厂,91110000802100433B,2020年1月2日,100.50\n\
    某公司,91110000802100433C,2020/1/3,7\n\
    某店,91110000802100433B,2020-02-30,8\n\
    某社,91110000802100433B,2020-01-05,9,多余\n";

struct Node {
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn import(&self, arguments: &[&str]) -> Output {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Command::new(env!("CARGO_BIN_EXE_yiwang"))
            .args(["import", "table"])
            .args(arguments)
            .arg("--data")
            .arg(self.path("data"))
            .arg("--packs")
            .arg(packs)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_file_with_errors_is_shown_confirmed_loaded_and_its_rejected_rows_are_named() {
    let node = Node::new();
    std::fs::write(node.path("firms.csv"), FIRMS).unwrap();
    // Nobody answers, so nothing is loaded.
    let asked = node.import(&["firms", "firms.csv", "--english"]);
    assert!(!asked.status.success());
    assert!(text(&asked).contains("nothing was loaded"), "{}", text(&asked));
    let saved = node.import(&["firms", "firms.csv", "--save-schema", "firms.json", "--english"]);
    assert!(saved.status.success());
    let mapping = std::fs::read_to_string(node.path("firms.json")).unwrap();
    assert!(mapping.contains("\"name\": \"ming_cheng\""), "{mapping}");
    // Too few rows to guess from, so somebody says what the columns are.
    let mapping: Vec<&str> = mapping.lines().collect();
    let mut mapping: serde_json::Value = serde_json::from_str(&mapping.join("\n")).unwrap();
    for (at, kind) in ["text", "text", "date", "decimal(2)"].into_iter().enumerate() {
        let column = mapping.pointer_mut(&format!("/columns/{at}/column/kind")).unwrap();
        *column = kind.into();
    }
    *mapping.pointer_mut("/columns/1/check").unwrap() = "uscc".into();
    std::fs::write(node.path("firms.json"), mapping.to_string()).unwrap();
    let refused = node.import(&[
        "firms",
        "firms.csv",
        "--schema",
        "firms.json",
        "--yes",
        "--english",
        "--max-rejects",
        "2",
    ]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("too many rows would be rejected"), "{}", text(&refused));
    let loaded = node.import(&[
        "firms",
        "firms.csv",
        "--schema",
        "firms.json",
        "--yes",
        "--english",
        "--rejects",
        "rejects.csv",
    ]);
    let said = text(&loaded);
    assert_eq!(loaded.status.code(), Some(1), "rows were rejected: {said}");
    for line in [
        "done: 1 rows, 3 rejected",
        "line 3: 统一社会信用代码: not a unified social credit code [load.uscc]",
        "line 4: 成立日期: out of range [load.out_of_range]",
        "line 5: too many cells [load.too_many_cells]",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let rejects = std::fs::read_to_string(node.path("rejects.csv")).unwrap();
    assert_eq!(
        rejects,
        "_line,_faults,名称,统一社会信用代码,成立日期,注册资本\n\
         3,统一社会信用代码=load.uscc,某公司,91110000802100433C,2020/1/3,7\n\
         4,成立日期=load.out_of_range,某店,91110000802100433B,2020-02-30,8\n\
         5,*=load.too_many_cells,\"某社,91110000802100433B,2020-01-05,9,多余\"\n"
    );
    let again = node.import(&["firms", "firms.csv", "--schema", "firms.json", "--yes"]);
    assert!(text(&again).contains("内容此前已装载"), "{}", text(&again));
    let clean = "名称,统一社会信用代码,成立日期,注册资本\n某院,91110000802100433B,2020-01-02,1\n";
    std::fs::write(node.path("clean.csv"), clean).unwrap();
    let clean = node.import(&["firms", "clean.csv", "--yes"]);
    assert!(clean.status.success(), "every row was taken: {}", text(&clean));
}

#[test]
fn what_cannot_be_read_is_said_and_fails() {
    let node = Node::new();
    std::fs::write(node.path("a.pdf"), "%PDF-1.7").unwrap();
    for arguments in [
        &["t", "absent.csv", "--yes"][..],
        &["t", "a.pdf", "--yes"],
        &["t", "postgres://127.0.0.1:1/d", "--yes"],
        &["t", "postgres://127.0.0.1:1/d?host=elsewhere", "--from", "t", "--yes"],
        &["t", "http://127.0.0.1:1/a.csv", "--yes"],
        &["Not a name", "a.csv", "--yes"],
    ] {
        let output = node.import(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

//! Every text is there in both languages, every key is used, none is missing.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;

use web::i18n::lint;
use web::render::{embedded, sources};

fn rust_files(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn texts_are_complete_and_used() {
    let files = embedded::<services::Locales>();
    let mut users: Vec<String> =
        embedded::<services::Templates>().into_iter().map(|(_, text)| text).collect();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut users);
    // A problem's text is named by its code, which `ServiceError::code` gives.
    users.push("key(\"problem-services-\")".to_owned());
    let findings = lint(&sources(files).expect("texts are readable"), users.iter().map(String::as_str));
    // Texts that this crate uses and others own are their owners' to check.
    let own: Vec<&String> = findings.iter().filter(|line| line.contains("services")).collect();
    assert!(own.is_empty(), "{own:#?}");
}

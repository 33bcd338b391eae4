//! The texts are complete in both languages and all of them are used.

use std::path::Path;

use web::render::{embedded, sources};

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_text_is_there_in_both_languages_and_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut users = Vec::new();
    files(&root.join("src"), &mut users);
    files(&root.join("templates"), &mut users);
    let texts = sources(embedded::<licences::Locales>()).unwrap();
    let findings = web::i18n::lint(&texts, users.iter().map(String::as_str));
    assert!(findings.is_empty(), "{findings:#?}");
}

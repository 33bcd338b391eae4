//! The content that ships loads without a mistake and says what it should.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

use std::path::{Path, PathBuf};

use packs::Pack;

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn shipped() -> Pack {
    Pack::load(&content()).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

#[test]
fn every_shipped_file_loads_and_every_example_holds() {
    let pack = shipped();
    let ids: Vec<&str> = pack.items().map(|item| item.id.as_str()).collect();
    assert_eq!(
        ids,
        ["elderly-allowance", "individual-business-registration", "marriage-registration-appointment"]
    );
}

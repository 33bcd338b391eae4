//! What the pages are built from is what `package.json` pins, to the digit.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use web::assets::Assets;

/// The versions that were tried together; a change needs the fixtures and the browser tests to pass.
const PINS: [(&str, &str); 14] = [
    ("@codemirror/autocomplete", "6.20.4"),
    ("@codemirror/commands", "6.11.1"),
    ("@codemirror/lang-sql", "6.10.0"),
    ("@codemirror/language", "6.13.1"),
    ("@codemirror/state", "6.7.6"),
    ("@codemirror/view", "6.43.15"),
    ("@lezer/highlight", "1.2.5"),
    ("@ministryofjustice/frontend", "11.1.0"),
    ("echarts", "6.1.0"),
    ("esbuild", "0.28.2"),
    ("govuk-frontend", "6.3.0"),
    ("htmx.org", "4.0.1"),
    ("qrcode-generator", "2.0.4"),
    ("sass", "1.108.2"),
];

fn root_file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_package_is_pinned_exactly() {
    let package: Value = serde_json::from_str(&root_file("package.json")).unwrap();
    let pinned = package["devDependencies"].as_object().unwrap();
    for (name, version) in pinned {
        let version = version.as_str().unwrap();
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name} {version}");
    }
    for (name, version) in PINS {
        assert_eq!(pinned[name], version, "{name}");
    }
    assert!(package.get("dependencies").is_none(), "nothing of npm runs in production");
}

#[test]
fn the_assets_in_the_binary_were_built_from_the_pinned_packages() {
    let assets = Assets::embedded().unwrap();
    for (name, version) in PINS {
        assert_eq!(assets.packages()[name], version, "{name}: run `make setup`");
    }
    assert_eq!(assets.packages().len(), PINS.len());
}

#[test]
fn the_lock_file_names_no_server_and_every_package_has_its_hash() {
    let lock: Value = serde_json::from_str(&root_file("package-lock.json")).unwrap();
    for (name, package) in lock["packages"].as_object().unwrap().iter().filter(|(name, _)| !name.is_empty()) {
        assert!(package["integrity"].as_str().unwrap().starts_with("sha512-"), "{name}");
        let from = package.get("resolved").and_then(Value::as_str).unwrap_or("https://registry.npmjs.org/");
        assert!(from.starts_with("https://registry.npmjs.org/"), "{name} comes from {from}");
    }
}

#[test]
fn the_pages_carry_no_branding_of_others() {
    let assets = Assets::embedded().unwrap();
    let unwanted = ["GDS Transport", "govuk-crest", "crown", "govuk-logotype"];
    for name in ["public.css", "staff.css", "public.js", "staff.js", "console.js", "chart.js"] {
        let file = assets.url(name).unwrap().strip_prefix(web::assets::PREFIX).unwrap();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/dist").join(file);
        let text = fs::read_to_string(path).unwrap();
        for word in unwanted {
            assert!(!text.contains(word), "{name} holds {word}");
        }
    }
}

//! Refuses to build without the assets, and says how to get them. Nothing is downloaded here.

use std::path::Path;

fn main() {
    for folder in ["assets/dist", "assets/vendor", "templates", "locales"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    for needed in ["assets/dist/manifest.json", "assets/vendor/govuk_frontend_jinja/macros/attributes.html"] {
        if !Path::new(needed).exists() {
            println!("cargo::error=crates/web/{needed} is missing: run `make setup` first");
        }
    }
}

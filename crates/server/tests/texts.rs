//! Every text of the node is there in both languages, every key is used, none is missing.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;

use rust_embed::RustEmbed;
use web::i18n::lint;
use web::render::{embedded, sources};

/// The contents of every Rust file below a folder.
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

fn area<Templates: RustEmbed, Locales: RustEmbed>(
    texts: &mut Vec<web::i18n::Source>,
    users: &mut Vec<String>,
) {
    texts.extend(sources(embedded::<Locales>()).expect("texts are readable"));
    users.extend(
        embedded::<Templates>().into_iter().filter(|(name, _)| name.ends_with(".html")).map(|(_, text)| text),
    );
}

/// Uses of the texts of problems: a problem's text is named by its code, such as `services.slot_taken`.
fn problems(code: &str, texts: &[web::i18n::Source]) -> Vec<String> {
    let literals = code.split('"').skip(1).step_by(2);
    let codes = literals.filter(|literal| {
        literal.split_once('.').is_some_and(|(area, name)| {
            let plain =
                |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            plain(area) && plain(name)
        })
    });
    codes
        .map(|code| format!("problem-{}", code.replace(['.', '_'], "-")))
        .filter(|key| texts.iter().any(|source| source.text.contains(&format!("\n{key} ="))))
        .map(|key| format!("key(\"{key}\")"))
        .collect()
}

/// The codes that code names where it makes a problem.
fn codes_made(code: &str) -> Vec<String> {
    const MAKERS: [&str; 4] = ["Problem::new(", "::bad_request(", "::forbidden(", "::conflict("];
    let mut found = Vec::new();
    for maker in MAKERS {
        for (at, _) in code.match_indices(maker) {
            let rest = code.get(at + maker.len()..).unwrap_or_default();
            let within = rest.split(')').next().unwrap_or_default();
            found.extend(within.split('"').nth(1).filter(|code| code.contains('.')).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_problem_and_every_flaw_of_the_log_has_a_text() {
    let mut texts = Vec::new();
    let mut code = Vec::new();
    area::<web::render::Templates, web::render::Locales>(&mut texts, &mut code);
    area::<identity::Templates, identity::Locales>(&mut texts, &mut code);
    area::<cases::Templates, cases::Locales>(&mut texts, &mut code);
    area::<licences::Templates, licences::Locales>(&mut texts, &mut code);
    area::<services::Templates, services::Locales>(&mut texts, &mut code);
    area::<sharing::Templates, sharing::Locales>(&mut texts, &mut code);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    code.clear();
    for one in ["web", "identity", "cases", "licences", "services", "lake", "grants", "sharing", "server"] {
        rust_files(&crates.join(one).join("src"), &mut code);
    }
    let made: Vec<String> = code.iter().flat_map(|code| codes_made(code)).collect();
    assert!(made.len() > 10, "{made:?}");
    let has = |key: &str| texts.iter().any(|source| source.text.contains(&format!("\n{key} =")));
    for code in made {
        let key = format!("problem-{}", code.replace(['.', '_'], "-"));
        // Made in the tests of a module, which are files of the source too.
        assert!(has(&key) || code.starts_with("test."), "{code} has no text {key}");
    }
    for flaw in store::verify::Flaw::ALL {
        assert!(has(&format!("identity-flaw-{}", flaw.code())), "{flaw} has no text");
    }
}

#[test]
fn texts_are_complete_and_used() {
    let (mut texts, mut users) = (Vec::new(), Vec::new());
    area::<web::render::Templates, web::render::Locales>(&mut texts, &mut users);
    area::<identity::Templates, identity::Locales>(&mut texts, &mut users);
    area::<cases::Templates, cases::Locales>(&mut texts, &mut users);
    area::<licences::Templates, licences::Locales>(&mut texts, &mut users);
    area::<services::Templates, services::Locales>(&mut texts, &mut users);
    area::<sharing::Templates, sharing::Locales>(&mut texts, &mut users);
    area::<server::router::Templates, server::router::Locales>(&mut texts, &mut users);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for one in ["web", "identity", "cases", "licences", "services", "lake", "grants", "sharing", "server"] {
        rust_files(&crates.join(one).join("src"), &mut users);
    }
    let uses: Vec<String> = users.iter().flat_map(|code| problems(code, &texts)).collect();
    users.extend(uses);
    let findings = lint(&texts, users.iter().map(String::as_str));
    assert!(findings.is_empty(), "{findings:#?}");
}

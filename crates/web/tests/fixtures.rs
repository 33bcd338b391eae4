//! The vendor's macros behave here as upstream says they must: every fixture of govuk-frontend 6.3.0.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scraper::{Html, Node};
use serde_json::{Value, json};
use web::assets::Assets;
use web::i18n::Lang;
use web::render::Renderer;

/// As many fixtures as govuk-frontend 6.3.0 has for the macros of govuk-frontend-jinja 4.1.0.
const FIXTURES: usize = 657;

struct Fixture {
    component: String,
    name: String,
    options: Value,
    html: String,
}

#[test]
fn every_upstream_fixture_gives_the_same_page_tree() {
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), FIXTURES);
    let renderer = renderer(&fixtures);
    let mut differences = Vec::new();
    for fixture in &fixtures {
        let made = render(&renderer, fixture, &fixture.options);
        if tree(&made) != tree(&fixture.html) {
            differences.push(format!("{}: {}", fixture.component, fixture.name));
        }
    }
    assert!(differences.is_empty(), "{} differ: {differences:#?}", differences.len());
}

/// Every text of every fixture is replaced by one that would break out of text, attribute and tag.
#[test]
fn hostile_text_stays_text_in_every_component() {
    let fixtures = fixtures();
    let renderer = renderer(&fixtures);
    let mut checked = 0;
    let mut leaks = Vec::new();
    for fixture in &fixtures {
        let mut options = fixture.options.clone();
        let poisoned = poison(&mut options, "");
        if poisoned == 0 {
            continue;
        }
        checked += poisoned;
        let made = render(&renderer, fixture, &options);
        let document = Html::parse_fragment(&made);
        if document
            .tree
            .values()
            .any(|node| node.as_element().is_some_and(|element| element.name() == "x-evil"))
        {
            leaks.push(format!("{}: {}", fixture.component, fixture.name));
        }
        let attributes: Vec<_> = document
            .tree
            .values()
            .filter_map(|node| node.as_element())
            .flat_map(|element| element.attrs().map(|(name, _)| name))
            .filter(|name| name.contains("evil"))
            .collect();
        assert!(attributes.is_empty(), "{}: {}: {attributes:?}", fixture.component, fixture.name);
    }
    assert!(checked > 2000, "only {checked} texts were replaced");
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Replaces texts in place and counts them. What ends in `html` and the slots of service-navigation are
/// markup by design; `element`, `type`, `headingLevel` and names of attributes are never fed from data.
/// An empty text stands for nothing and stays.
fn poison(value: &mut Value, key: &str) -> usize {
    const MARKUP: [&str; 6] = ["element", "type", "headingLevel", "slots", "attributes", "formGroup"];
    match value {
        _ if MARKUP.contains(&key) || key.to_lowercase().ends_with("html") => 0,
        Value::String(text) if !text.is_empty() => {
            *text = "\"'><x-evil onload=evil()>".to_owned();
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| poison(item, key)).sum(),
        Value::Object(fields) => fields.iter_mut().map(|(name, field)| poison(field, name)).sum(),
        _ => 0,
    }
}

fn fixtures() -> Vec<Fixture> {
    let components =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules/govuk-frontend/dist/govuk/components");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(components).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut all = Vec::new();
    for file in folders.iter().map(|folder| folder.join("fixtures.json")).filter(|file| file.exists()) {
        let list: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let component = list["component"].as_str().unwrap();
        for fixture in list["fixtures"].as_array().unwrap() {
            all.push(Fixture {
                component: component.to_owned(),
                name: fixture["name"].as_str().unwrap().to_owned(),
                options: fixture["options"].clone(),
                html: fixture["html"].as_str().unwrap().to_owned(),
            });
        }
    }
    all
}

fn renderer(fixtures: &[Fixture]) -> Renderer {
    let mut components: Vec<&str> = fixtures.iter().map(|fixture| fixture.component.as_str()).collect();
    components.dedup();
    let callers = components.into_iter().map(|component| {
        let name: String = component.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let file = format!("govuk_frontend_jinja/components/{component}/macro.html");
        let text = format!("{{% from \"{file}\" import govuk{name} %}}{{{{ govuk{name}(options) }}}}");
        (format!("{component}.html"), text)
    });
    Renderer::builder(Arc::new(Assets::embedded().unwrap()))
        .add_templates("fixtures", callers.collect::<Vec<_>>())
        .build()
        .unwrap()
}

fn render(renderer: &Renderer, fixture: &Fixture, options: &Value) -> String {
    let name = format!("fixtures/{}.html", fixture.component);
    match renderer.render(&name, Lang::EN, &json!({ "options": options })) {
        Ok(page) => page,
        Err(error) => format!("<p>{error}: {:?}</p>", std::error::Error::source(&error)),
    }
}

/// The page's tree as lines: names, sorted attributes with single spaces, texts with single spaces.
fn tree(html: &str) -> Vec<String> {
    let document = Html::parse_fragment(html);
    let mut lines = Vec::new();
    for node in document.root_element().descendants() {
        let depth = node.ancestors().count();
        match node.value() {
            Node::Element(element) => {
                let mut attributes: Vec<String> = element
                    .attrs()
                    .map(|(name, value)| format!("{name}={:?}", single_spaces(value)))
                    .collect();
                attributes.sort();
                lines.push(format!("{depth} <{} {}>", element.name(), attributes.join(" ")));
            }
            Node::Text(text) => {
                let text = single_spaces(&text.text);
                if !text.is_empty() {
                    lines.push(format!("{depth} {text}"));
                }
            }
            _ => {}
        }
    }
    lines
}

fn single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

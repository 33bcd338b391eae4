//! The layout and every part render in both languages, escape what they are given, and say what they should.
#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::sync::Arc;

use proptest::prelude::*;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use web::assets::Assets;
use web::i18n::{self, Lang};
use web::render::{self, Renderer};

mod sample;

fn renderer() -> Renderer {
    Renderer::builder(Arc::new(Assets::embedded().unwrap())).build().unwrap()
}

fn count(page: &str, selector: &str) -> usize {
    Html::parse_document(page).select(&Selector::parse(selector).unwrap()).count()
}

fn text(page: &str, selector: &str) -> String {
    let document = Html::parse_document(page);
    let found = document.select(&Selector::parse(selector).unwrap()).next();
    found.map(|element| element.text().collect::<Vec<_>>().join(" ")).unwrap_or_default().trim().to_owned()
}

#[test]
fn the_layout_speaks_both_languages() {
    let renderer = renderer();
    for (lang, tag, skip, other) in
        [(Lang::ZH, "zh-CN", "跳到正文", "English"), (Lang::EN, "en", "Skip to main content", "中文")]
    {
        let page = renderer.render("web/gallery.html", lang, &sample::context(lang)).unwrap();
        assert_eq!(count(&page, &format!("html[lang={tag}]")), 1);
        assert_eq!(text(&page, ".govuk-skip-link"), skip);
        assert!(text(&page, ".yw-strip__tools").contains(other));
        assert_eq!(count(&page, "h1"), 1);
        assert_eq!(count(&page, "main#main-content"), 1);
        assert_eq!(count(&page, ".yw-footer a[href='tel:12345']"), 1);
    }
}

#[test]
fn every_script_carries_the_nonce_of_its_request() {
    let renderer = renderer();
    for template in ["web/gallery.html", "web/gallery_staff.html"] {
        let page = renderer.render(template, Lang::ZH, &sample::context(Lang::ZH)).unwrap();
        assert!(count(&page, "script") >= 2);
        assert_eq!(
            count(&page, "script"),
            count(&page, "script[nonce='n0nce-of-this-request']"),
            "{template}"
        );
        assert_eq!(count(&page, "[style], [onclick], [onload]"), 0, "{template} needs a looser policy");
    }
}

#[test]
fn ids_are_unique_and_every_link_within_the_page_arrives() {
    let page = renderer().render("web/gallery.html", Lang::ZH, &sample::context(Lang::ZH)).unwrap();
    let document = Html::parse_document(&page);
    let mut ids: Vec<&str> =
        document.select(&Selector::parse("[id]").unwrap()).filter_map(|element| element.attr("id")).collect();
    ids.sort_unstable();
    let seen = ids.clone();
    ids.dedup();
    let twice: Vec<&&str> =
        seen.iter().filter(|id| seen.iter().filter(|other| other == id).count() > 1).collect();
    assert!(twice.is_empty(), "these ids occur twice: {twice:?}");
    for link in document.select(&Selector::parse("a[href^='#']").unwrap()) {
        let target = link.attr("href").unwrap_or_default().trim_start_matches('#');
        assert!(ids.contains(&target), "#{target} leads nowhere");
    }
}

#[test]
fn a_fault_is_named_in_the_summary_at_its_field_and_in_the_title() {
    let page = renderer().render("web/gallery.html", Lang::ZH, &sample::context(Lang::ZH)).unwrap();
    assert_eq!(text(&page, ".govuk-error-summary__list a[href='#name']"), "请填写名称");
    assert!(text(&page, "#name-error").contains("请填写名称"));
    assert!(text(&page, "title").starts_with("有误："));
    assert_eq!(count(&page, "#phone-error"), 0);
    assert_eq!(count(&page, "input#phone[value='13800001234']"), 1);
}

#[test]
fn a_light_is_said_in_words() {
    let page = renderer().render("web/gallery.html", Lang::EN, &sample::context(Lang::EN)).unwrap();
    assert_eq!(text(&page, ".yw-light--red"), "Overdue");
    assert_eq!(text(&page, ".yw-light--paused"), "Clock paused");
}

#[test]
fn a_cell_says_its_column_when_the_table_becomes_cards() {
    let page = renderer().render("web/gallery.html", Lang::ZH, &sample::context(Lang::ZH)).unwrap();
    assert_eq!(count(&page, ".yw-table td"), count(&page, ".yw-table td[data-label]"));
    assert!(count(&page, ".yw-table td[data-label='剩余时限']") > 0);
}

#[test]
fn signed_in_people_see_their_name_and_leave_by_a_post() {
    let renderer = renderer();
    let mut context = sample::context(Lang::ZH);
    let page = renderer.render("web/gallery.html", Lang::ZH, &context).unwrap();
    assert!(text(&page, ".yw-strip__who").contains("段小满"));
    assert_eq!(count(&page, "form[action='/sign-out'][method=post] input[name=_csrf][value=token-1]"), 1);
    context.get_mut("page").unwrap().as_object_mut().unwrap().insert("actor".into(), Value::Null);
    let page = renderer.render("web/gallery.html", Lang::ZH, &context).unwrap();
    assert_eq!(count(&page, ".yw-strip__tools a[href='/sign-in']"), 1);
}

#[test]
fn the_elder_mode_offers_reading_aloud_and_a_way_back() {
    let mut context = sample::context(Lang::ZH);
    context.get_mut("page").unwrap().as_object_mut().unwrap().insert("elder".into(), json!(true));
    let page = renderer().render("web/gallery.html", Lang::ZH, &context).unwrap();
    assert_eq!(count(&page, "html.elder [data-speak]"), 1);
    assert!(text(&page, ".yw-strip__tools").contains("退出长者模式"));
}

#[test]
fn each_kind_of_problem_has_a_page_in_both_languages() {
    let renderer = renderer();
    for lang in [Lang::ZH, Lang::EN] {
        for status in [400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 503] {
            let problem = json!({ "status": status, "code": "http.test", "request_id": "r-1" });
            let context = json!({ "page": sample::page(lang), "problem": problem });
            let page = renderer.render("web/problem.html", lang, &context).unwrap();
            assert_eq!(count(&page, "h1"), 1);
            assert!(text(&page, ".yw-problem__code").contains("http.test"), "{status}");
        }
    }
}

#[test]
fn a_flash_that_is_no_known_text_is_left_out() {
    let mut context = sample::context(Lang::ZH);
    context
        .get_mut("page")
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert("flash".into(), json!("flash-from-nowhere"));
    let page = renderer().render("web/gallery.html", Lang::ZH, &context).unwrap();
    assert_eq!(count(&page, ".yw-notice[role=status]"), 0);
}

#[test]
fn what_a_page_is_given_never_hides_what_the_layout_calls() {
    for function in ["t", "known", "asset"] {
        let mut context = sample::context(Lang::ZH);
        context.as_object_mut().unwrap().insert(function.to_owned(), json!(true));
        let error = renderer().render("web/gallery.html", Lang::ZH, &context).unwrap_err();
        assert!(error.to_string().contains(function), "{error}");
    }
}

#[test]
fn the_texts_are_complete_and_used() {
    let sources = render::sources(files("locales", "ftl")).unwrap();
    let mut users: Vec<String> =
        files("templates", "html").into_iter().chain(files("src", "rs")).map(|(_, text)| text).collect();
    // A problem's text is named by its code.
    users.push("key(\"problem-http-\") key(\"problem-access-\") key(\"problem-form-\")".to_owned());
    let findings = i18n::lint(&sources, users.iter().map(String::as_str));
    assert!(findings.is_empty(), "{findings:#?}");
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Puts `hostile` in place of every text of the sample that a person could have written.
fn infect(value: &mut Value, hostile: &str) {
    match value {
        Value::String(text) if !is_machine_text(text) => *text = hostile.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| infect(item, hostile)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                // States and kinds choose a key or a class and come from our own enums.
                let ours =
                    ["state", "need", "tone", "light", "kind", "sort", "nonce"].contains(&name.as_str());
                if !(ours && field.is_string()) {
                    infect(field, hostile);
                }
            }
        }
        _ => {}
    }
}

fn is_machine_text(text: &str) -> bool {
    text.len() >= 10 && text.starts_with("2026-")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_that_a_person_writes_becomes_markup(noise in "[<>\"'&a-z =/{}%]{0,24}") {
        let hostile = format!("{noise}\"'></script></style><x-evil onload=evil()>{{{{ page.csrf }}}}");
        let mut context = sample::context(Lang::ZH);
        infect(&mut context, &hostile);
        let renderer = renderer();
        for template in ["web/gallery.html", "web/gallery_staff.html"] {
            let clean = renderer.render(template, Lang::ZH, &sample::context(Lang::ZH)).unwrap();
            let page = renderer.render(template, Lang::ZH, &context).unwrap();
            prop_assert_eq!(count(&page, "x-evil, [onload]"), 0);
            prop_assert_eq!(count(&page, "script"), count(&clean, "script"));
            prop_assert!(count(&page, ".yw-timeline__text") > 0);
        }
    }
}

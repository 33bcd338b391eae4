//! The lint on texts: complete in every language, the same variables, nothing unused, nothing missing.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast;

use super::Lang;

/// One file of texts: its name for messages, its language, its contents.
#[derive(Clone, Debug)]
pub struct Source {
    /// Shown in errors, such as `cases/zh-CN.ftl`.
    pub name: String,
    /// The language that the file speaks.
    pub lang: Lang,
    /// The Fluent text.
    pub text: String,
}

/// Checks the texts of one or more crates against the templates and the Rust code that use them.
///
/// `users` are the contents of templates and Rust files. A key counts as used where it stands in
/// `t("…")` or `key("…")`; a literal that ends in `-` uses every key that begins with it. Returns one
/// line for each finding; an empty list means that all is well. Keys whose prefix (up to the first
/// hyphen) occurs in no file of `sources` belong to another crate and are left to that crate's test.
pub fn lint<'a>(sources: &[Source], users: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut findings = Vec::new();
    let texts = collect(sources, &mut findings);
    let langs: BTreeSet<Lang> = sources.iter().map(|source| source.lang).collect();
    for wanted in [Lang::ZH, Lang::EN] {
        if !langs.contains(&wanted) {
            findings.push(format!("no file for language `{wanted}`"));
        }
    }

    for (key, by_lang) in &texts {
        for lang in &langs {
            if !by_lang.contains_key(lang) {
                findings.push(format!("`{key}` has no text in `{lang}`"));
            }
        }
        let mut variables = by_lang.values();
        if let Some(first) = variables.next()
            && variables.any(|other| other != first)
        {
            findings.push(format!("`{key}` takes other variables in one language than in another"));
        }
    }

    let prefixes: BTreeSet<&str> = texts.keys().map(|key| prefix(key)).collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for user in users {
        used.extend(used_keys(user));
    }
    for key in &used {
        let known = if key.ends_with('-') {
            texts.keys().any(|text| text.starts_with(key.as_str()))
        } else {
            texts.contains_key(key)
        };
        if !known && prefixes.contains(prefix(key)) {
            findings.push(format!("`{key}` is used but has no text"));
        }
    }
    for key in texts.keys() {
        let is_used = used.contains(key)
            || used.iter().any(|use_| use_.ends_with('-') && key.starts_with(use_.as_str()));
        if !is_used {
            findings.push(format!("`{key}` is not used"));
        }
    }
    findings
}

type Texts = BTreeMap<String, BTreeMap<Lang, BTreeSet<String>>>;

/// Every key with the variables that each language's text names.
fn collect(sources: &[Source], findings: &mut Vec<String>) -> Texts {
    let mut texts = Texts::new();
    for source in sources {
        let resource = match FluentResource::try_new(source.text.clone()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                findings.extend(errors.iter().map(|error| format!("{}: {error}", source.name)));
                resource
            }
        };
        for entry in resource.entries() {
            let ast::Entry::Message(message) = entry else { continue };
            let key = message.id.name.to_owned();
            let mut variables = BTreeSet::new();
            if let Some(pattern) = &message.value {
                in_pattern(pattern, &mut variables);
            }
            let before = texts.entry(key.clone()).or_default().insert(source.lang, variables);
            if before.is_some() {
                findings.push(format!("{}: `{key}` is said twice", source.name));
            }
        }
    }
    texts
}

fn in_pattern(pattern: &ast::Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let ast::PatternElement::Placeable { expression } = element {
            in_expression(expression, found);
        }
    }
}

fn in_expression(expression: &ast::Expression<&str>, found: &mut BTreeSet<String>) {
    match expression {
        ast::Expression::Inline(inline) => in_inline(inline, found),
        ast::Expression::Select { selector, variants } => {
            in_inline(selector, found);
            for variant in variants {
                in_pattern(&variant.value, found);
            }
        }
    }
}

fn in_inline(inline: &ast::InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        ast::InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
        }
        ast::InlineExpression::FunctionReference { arguments, .. } => {
            for positional in &arguments.positional {
                in_inline(positional, found);
            }
        }
        ast::InlineExpression::Placeable { expression } => in_expression(expression, found),
        _ => {}
    }
}

fn prefix(key: &str) -> &str {
    key.split('-').next().unwrap_or(key)
}

/// The literals inside `t("…")`, `t('…')` and `key("…")`.
fn used_keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for opening in ["t(\"", "t('", "key(\""] {
        for (at, _) in text.match_indices(opening) {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            if before.is_some_and(|char| char.is_alphanumeric() || char == '_') {
                continue;
            }
            let Some(rest) = text.get(at + opening.len()..) else { continue };
            let key: String =
                rest.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '-').collect();
            let closed = rest.get(key.len()..).is_some_and(|end| end.starts_with(['"', '\'']));
            if closed && !key.is_empty() {
                keys.insert(key);
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(lang: Lang, text: &str) -> Source {
        Source { name: format!("{lang}.ftl"), lang, text: text.to_owned() }
    }

    #[test]
    fn complete_and_used_texts_pass() {
        let sources = [
            source(Lang::ZH, "a-title = 标题 { $n }\na-light-red = 红\n"),
            source(Lang::EN, "a-title = Title { NUMBER($n) }\na-light-red = red\n"),
        ];
        assert_eq!(lint(&sources, [r#"{{ t("a-title", n=1) }} {{ t("a-light-" ~ light) }}"#]), [""; 0]);
    }

    #[test]
    fn each_kind_of_fault_is_found() {
        let sources = [
            source(Lang::ZH, "a-one = 一 { $n }\na-two = 二\na-idle = 闲\n"),
            source(Lang::EN, "a-one = One { $m }\na-idle = idle\n"),
        ];
        let findings =
            lint(&sources, [r#"t("a-one") key("a-two") t("a-three") other_t("a-idle") t("b-far")"#]);
        assert_eq!(
            findings,
            [
                "`a-one` takes other variables in one language than in another",
                "`a-two` has no text in `en`",
                "`a-three` is used but has no text",
                "`a-idle` is not used",
            ]
        );
    }
}

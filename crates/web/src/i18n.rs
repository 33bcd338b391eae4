//! Languages: what a page says, kept in Fluent files beside the crate that says it.
//!
//! Every crate has `locales/zh-CN.ftl` and `locales/en.ftl`; all of them are read into one bundle a
//! language. A key starts with its crate's name (`cases-queue-title`). Chinese is the first language:
//! it is what a page speaks when nothing else was asked for. A missing key is an error, never a
//! silent gap: [`lint`] finds it before a reader does.
//!
//! Content that comes in both languages as data (names of items, of offices) is not a key but a map
//! `{zh, en}`; templates pick from it with the filter `|tr`.

mod lint;

use std::collections::BTreeMap;
use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

pub use lint::{Source, lint};

/// A language tag such as `zh-CN`: small, copied freely, only letters, digits and hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang {
    bytes: [u8; Lang::CAPACITY],
    len: u8,
}

impl Lang {
    const CAPACITY: usize = 15;
    /// Chinese as written in mainland China: the first language of every page.
    pub const ZH: Self = Self::from_static("zh-CN");
    /// English: the second complete language.
    pub const EN: Self = Self::from_static("en");

    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a bad index stops the build"
    )]
    const fn from_static(tag: &'static str) -> Self {
        let source = tag.as_bytes();
        let mut bytes = [0; Self::CAPACITY];
        let mut at = 0;
        while at < source.len() {
            bytes[at] = source[at];
            at += 1;
        }
        Self { bytes, len: source.len() as u8 }
    }

    /// Reads a tag from a query string, a cookie or a file name; `None` when it is no language tag.
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        let sound = (2..=Self::CAPACITY).contains(&tag.len())
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && tag.parse::<LanguageIdentifier>().is_ok();
        if !sound {
            return None;
        }
        let mut bytes = [0; Self::CAPACITY];
        for (to, from) in bytes.iter_mut().zip(tag.bytes()) {
            *to = from;
        }
        Some(Self { bytes, len: tag.len() as u8 })
    }

    /// The tag as written in `<html lang>`.
    pub fn as_str(&self) -> &str {
        let written = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }

    /// The part before the first hyphen, the key of bilingual data: `zh`, `en`.
    pub fn short(&self) -> &str {
        self.as_str().split('-').next().unwrap_or_default()
    }
}

impl Default for Lang {
    fn default() -> Self {
        Self::ZH
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lang({self})")
    }
}

impl serde::Serialize for Lang {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Marks a literal as a key for [`lint`] where Rust code, not a template, names it.
///
/// A literal that ends in `-` stands for every key that begins with it.
pub const fn key(key: &'static str) -> &'static str {
    key
}

/// Why a text could not be given or a file of texts not be read.
#[derive(Debug, thiserror::Error)]
pub enum I18nError {
    /// No file of this language was read.
    #[error("no texts in language `{0}`")]
    UnknownLanguage(Lang),
    /// The key is in no file of this language.
    #[error("no text `{key}` in language `{lang}`")]
    MissingKey {
        /// The language asked for.
        lang: Lang,
        /// The key asked for.
        key: String,
    },
    /// The text names a variable that was not given, or a term that does not exist.
    #[error("the text `{key}` in language `{lang}` cannot be filled in: {reason}")]
    Unfilled {
        /// The language asked for.
        lang: Lang,
        /// The key asked for.
        key: String,
        /// What the formatter reported.
        reason: String,
    },
    /// A file does not parse, or says a key twice.
    #[error("{file}: {reason}")]
    BadFile {
        /// The file's name as registered.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A value given to a text: a word or a number (numbers choose plural forms).
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// A word, shown as it is.
    Text(String),
    /// A number, which may choose a plural form.
    Number(f64),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Arg {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        // Fluent counts in floating point; a count beyond 2^53 is shown rounded.
        Self::Number(number as f64)
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Self {
        Self::Number(f64::from(number))
    }
}

/// Every text of every language, read once at start.
pub struct Languages {
    bundles: BTreeMap<Lang, FluentBundle<FluentResource>>,
}

impl Languages {
    /// Reads the files; a key said twice in one language or a syntax mistake is an error.
    pub fn read(sources: &[Source]) -> Result<Self, I18nError> {
        let mut bundles: BTreeMap<Lang, FluentBundle<FluentResource>> = BTreeMap::new();
        for source in sources {
            let bad = |reason: String| I18nError::BadFile { file: source.name.clone(), reason };
            let resource = FluentResource::try_new(source.text.clone())
                .map_err(|(_, errors)| bad(join(errors.iter())))?;
            let bundle = match bundles.entry(source.lang) {
                std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => free.insert(new_bundle(source.lang)?),
            };
            bundle.add_resource(resource).map_err(|errors| bad(join(errors.iter())))?;
        }
        Ok(Self { bundles })
    }

    /// The languages that have texts, Chinese first.
    pub fn supported(&self) -> Vec<Lang> {
        let mut langs: Vec<Lang> = self.bundles.keys().copied().collect();
        langs.sort_by_key(|lang| (*lang != Lang::ZH, *lang));
        langs
    }

    /// The supported language that an `Accept-Language` header or a chosen tag asks for, if any.
    ///
    /// `zh`, `zh-CN` and `zh-Hans` all mean the same file; quality values order the wishes.
    pub fn pick(&self, wishes: &str) -> Option<Lang> {
        let mut ranked: Vec<(f32, Lang)> = Vec::new();
        for wish in wishes.split(',').take(16) {
            let mut parts = wish.split(';');
            let Some(tag) = parts.next().and_then(Lang::parse) else { continue };
            let quality =
                parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if quality > 0.0 {
                ranked.push((quality, tag));
            }
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.iter().find_map(|(_, wish)| {
            self.bundles.keys().find(|lang| lang.short().eq_ignore_ascii_case(wish.short())).copied()
        })
    }

    /// The text of `key` in `lang` with its variables filled in.
    pub fn text(&self, lang: Lang, key: &str, args: &[(&str, Arg)]) -> Result<String, I18nError> {
        let bundle = self.bundles.get(&lang).ok_or(I18nError::UnknownLanguage(lang))?;
        let missing = || I18nError::MissingKey { lang, key: key.to_owned() };
        let message = bundle.get_message(key).ok_or_else(missing)?;
        let pattern = message.value().ok_or_else(missing)?;
        let mut filled = FluentArgs::new();
        for (name, value) in args {
            match value {
                Arg::Text(text) => filled.set(*name, text.as_str()),
                Arg::Number(number) => filled.set(*name, FluentValue::from(*number)),
            }
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&filled), &mut errors).into_owned();
        if errors.is_empty() {
            Ok(text)
        } else {
            Err(I18nError::Unfilled { lang, key: key.to_owned(), reason: join(errors.iter()) })
        }
    }

    /// Whether `key` has a text in `lang`.
    pub fn has(&self, lang: Lang, key: &str) -> bool {
        self.bundles.get(&lang).is_some_and(|bundle| bundle.has_message(key))
    }
}

fn new_bundle(lang: Lang) -> Result<FluentBundle<FluentResource>, I18nError> {
    let id: LanguageIdentifier = lang.as_str().parse().map_err(|_| I18nError::UnknownLanguage(lang))?;
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The isolation marks would end up in titles, attributes and copied text.
    bundle.set_use_isolating(false);
    bundle
        .add_builtins()
        .map_err(|error| I18nError::BadFile { file: lang.to_string(), reason: error.to_string() })?;
    Ok(bundle)
}

fn join<E: fmt::Display>(errors: impl Iterator<Item = E>) -> String {
    errors.map(|error| error.to_string()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Languages {
        let source = |lang, text: &str| Source { name: format!("{lang}.ftl"), lang, text: text.to_owned() };
        Languages::read(&[
            source(Lang::ZH, "greet = 您好，{ $name }\nfiles = { $count } 份材料\n"),
            source(
                Lang::EN,
                "greet = Hello, { $name }\nfiles = { $count ->\n    [one] { $count } file\n   *[other] { $count } files\n}\n",
            ),
        ])
        .unwrap()
    }

    #[test]
    fn numbers_choose_the_plural_of_the_language() {
        let languages = sample();
        assert_eq!(languages.text(Lang::EN, "files", &[("count", Arg::from(1u32))]).unwrap(), "1 file");
        assert_eq!(
            languages.text(Lang::EN, "files", &[("count", Arg::from(1200u32))]).unwrap(),
            "1200 files"
        );
        assert_eq!(languages.text(Lang::ZH, "files", &[("count", Arg::from(1u32))]).unwrap(), "1 份材料");
    }

    #[test]
    fn a_missing_key_or_variable_is_an_error() {
        let languages = sample();
        assert!(matches!(languages.text(Lang::EN, "absent", &[]), Err(I18nError::MissingKey { .. })));
        assert!(matches!(languages.text(Lang::EN, "greet", &[]), Err(I18nError::Unfilled { .. })));
    }

    #[test]
    fn a_key_said_twice_is_refused() {
        let source = |text: &str| Source { name: "a".into(), lang: Lang::ZH, text: text.to_owned() };
        assert!(Languages::read(&[source("a = 一\n"), source("a = 二\n")]).is_err());
    }

    #[test]
    fn the_wish_with_the_highest_quality_wins_and_variants_count() {
        let languages = sample();
        assert_eq!(languages.pick("fr;q=0.9, en;q=0.4, zh-Hans-CN;q=0.8"), Some(Lang::ZH));
        assert_eq!(languages.pick("en-GB,zh;q=0.5"), Some(Lang::EN));
        assert_eq!(languages.pick("fr, ../../etc"), None);
        assert_eq!(languages.supported(), [Lang::ZH, Lang::EN]);
    }

    #[test]
    fn only_language_tags_are_read() {
        assert_eq!(Lang::parse("zh-CN"), Some(Lang::ZH));
        assert_eq!(Lang::parse("\"><script>"), None);
        assert_eq!(Lang::parse(""), None);
        assert_eq!(Lang::parse("a-very-long-language-tag"), None);
    }
}

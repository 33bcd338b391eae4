//! The verdict in words, for the command line: the texts are those of the pages.

use std::sync::LazyLock;

use packs::model::Words;
use web::i18n::{Arg, Lang, Languages, key};
use web::render::{embedded, sources};

use super::{Finding, Shown, Verdict};
use crate::Locales;
use crate::document::Format;

static TEXTS: LazyLock<Option<Languages>> = LazyLock::new(|| {
    let files = embedded::<Locales>().into_iter().map(|(path, text)| (format!("licences/{path}"), text));
    Languages::read(&sources(files).ok()?).ok()
});

impl Finding {
    /// The key of its name, such as `licences-verdict-valid`.
    pub fn name_key(&self) -> String {
        format!("{}{}", key("licences-verdict-"), self.code().replace('_', "-"))
    }

    /// The key of the sentence that says what it means.
    pub fn meaning_key(&self) -> String {
        format!("{}{}", key("licences-meaning-"), self.code().replace('_', "-"))
    }

    /// Values for both texts.
    pub fn args(&self) -> Vec<(&'static str, Arg)> {
        match self {
            Self::Expired { on } => vec![("date", on.to_string().into())],
            Self::NotYetValid { from } => vec![("date", from.to_string().into())],
            Self::UnknownKey { kid } => vec![("kid", kid.as_str().into())],
            Self::StatusUnknown { age_hours } => {
                let hours = age_hours.map_or(-1, |hours| i32::try_from(hours).unwrap_or(i32::MAX));
                vec![("hours", hours.into())]
            }
            _ => Vec::new(),
        }
    }
}

impl Verdict {
    /// The whole verdict in one language, several lines.
    pub fn to_text(&self, lang: Lang) -> String {
        let text = |key: &str, args: &[(&str, Arg)]| {
            TEXTS
                .as_ref()
                .and_then(|texts| texts.text(lang, key, args).ok())
                .unwrap_or_else(|| self.finding.code().to_owned())
        };
        let args = self.finding.args();
        let mut lines = vec![text(&self.finding.name_key(), &[]), text(&self.finding.meaning_key(), &args)];
        if let Some(shown) = &self.shown {
            lines.push(String::new());
            lines.extend(self.facts(shown, lang, &text));
        }
        lines.join("\n")
    }

    fn facts(
        &self,
        shown: &Shown,
        lang: Lang,
        text: &impl Fn(&str, &[(&str, Arg)]) -> String,
    ) -> Vec<String> {
        let line = |label: &str, value: &str| match lang.short() {
            "zh" => format!("{label}：{value}"),
            _ => format!("{label}: {value}"),
        };
        let number = match shown.format {
            Format::Licence => key("licences-identifier"),
            Format::Receipt => key("licences-case-no"),
        };
        let mut lines = vec![
            line(&text(key("licences-document"), &[]), in_lang(&shown.name, lang)),
            line(&text(number, &[]), &shown.number),
            line(&text(key("licences-issuer"), &[]), in_lang(&shown.issuer, lang)),
            line(&text(key("licences-issued"), &[]), &shown.issued_at.to_china_string()),
        ];
        lines.push(line(&text(key("licences-signatures"), &[]), &text(shown.carrier.signatures_key(), &[])));
        for claim in &shown.claims {
            lines.push(line(in_lang(&claim.label, lang), in_lang(&claim.value, lang)));
        }
        if let Some(copy) = &shown.copy {
            lines.push(line(&text(key("licences-copy-purpose"), &[]), &copy.purpose));
            lines.push(line(&text(key("licences-copy-recipient"), &[]), &copy.recipient));
            lines.push(line(&text(key("licences-copy-until"), &[]), &copy.valid_to.to_string()));
        }
        if let Some(as_of) = self.as_of {
            lines.push(line(&text(key("licences-as-of"), &[]), &as_of.to_china_string()));
        }
        lines
    }
}

fn in_lang(words: &Words, lang: Lang) -> &str {
    if lang.short() == "zh" { &words.zh } else { &words.en }
}

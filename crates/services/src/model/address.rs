//! Addresses: a township of the node and the rest of the line, kept as one text.

use kernel::division::{DivisionCode, Divisions};

/// One text of the township's path, where one was chosen, and the rest of the line.
pub(crate) fn join(division: &str, rest: &str) -> String {
    let rest = rest.trim();
    let divisions = Divisions::embedded();
    let code = DivisionCode::parse(division).ok();
    let Some((code, path)) = code.and_then(|code| Some((code, divisions.path_name(code)?))) else {
        return rest.to_owned();
    };
    if rest.is_empty() || rest.starts_with(&path) {
        return rest.to_owned();
    }
    // People repeat the lower parts of the path: 大理市大理镇….
    let mut left = rest;
    for above in divisions.ancestors(code).into_iter().chain(divisions.get(code)) {
        left = left.strip_prefix(above.name).unwrap_or(left).trim_start();
    }
    if left.is_empty() { path } else { format!("{path}{left}") }
}

/// The code of the division with whose path the text begins, and the rest.
pub(crate) fn split(text: &str) -> (Option<String>, String) {
    let divisions = Divisions::embedded();
    let mut found = None;
    let mut rest = text;
    let mut under = divisions.provinces();
    while let Some((code, after)) =
        under.iter().find_map(|division| Some((division.code, rest.strip_prefix(division.name)?)))
    {
        rest = after.trim_start();
        found = Some(code);
        under = divisions.named_children(code);
    }
    (found.map(|code| code.to_string()), rest.to_owned())
}

/// Whether a text cannot be an address at which anybody is found.
pub(crate) fn is_too_short(text: &str) -> bool {
    split(text).1.chars().filter(|letter| letter.is_alphanumeric()).count() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_put_together_and_taken_apart_again() {
        let text = join("532901102", "复兴路12号");
        assert!(text.starts_with("云南省大理白族自治州大理市"), "{text}");
        let (code, rest) = split(&text);
        assert_eq!(code.as_deref(), Some("532901102"));
        assert_eq!(rest, "复兴路12号");
        assert_eq!(join("532901102", &text), text);
        assert_eq!(join("532901102", "大理市复兴路12号"), text);
    }

    #[test]
    fn an_address_of_elsewhere_stays_as_it_is() {
        assert_eq!(split("某地1号"), (None, "某地1号".to_owned()));
        assert_eq!(join("", "某地1号"), "某地1号");
        assert!(is_too_short("云南省大理白族自治州大理市"));
        assert!(!is_too_short("复兴路12号"));
    }
}

//! The settings of a connection: those of clients that change nothing of what is answered, and the platform's own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::Failure;

/// Why the data are used: a word of the grant.
pub(super) const PURPOSE: &str = "yiwang.purpose";
/// For which case.
pub(super) const CASE: &str = "yiwang.case";

/// The longest value.
const MAX_VALUE: usize = 500;

/// A setting: its name, its value at first, whether it may be set, and the name under which a client is told of it.
type Known = (&'static str, &'static str, bool, Option<&'static str>);

const KNOWN: &[Known] = &[
    ("application_name", "", true, Some("application_name")),
    ("bytea_output", "hex", false, None),
    ("client_encoding", "UTF8", true, Some("client_encoding")),
    ("client_min_messages", "notice", true, None),
    ("datestyle", "ISO, YMD", true, Some("DateStyle")),
    ("default_transaction_isolation", "read committed", true, None),
    ("default_transaction_read_only", "on", true, Some("default_transaction_read_only")),
    ("extra_float_digits", "1", true, None),
    ("idle_in_transaction_session_timeout", "0", true, None),
    ("in_hot_standby", "off", false, Some("in_hot_standby")),
    ("integer_datetimes", "on", false, Some("integer_datetimes")),
    ("intervalstyle", "postgres", true, Some("IntervalStyle")),
    ("is_superuser", "off", false, Some("is_superuser")),
    ("jit", "off", true, None),
    ("lock_timeout", "0", true, None),
    ("max_identifier_length", "63", false, None),
    ("max_index_keys", "32", false, None),
    ("row_security", "on", true, None),
    ("search_path", "public", true, None),
    ("server_encoding", "UTF8", false, Some("server_encoding")),
    ("server_version", super::SERVER_VERSION, false, Some("server_version")),
    ("server_version_num", super::SERVER_VERSION_NUMBER, false, None),
    ("session_authorization", "", false, Some("session_authorization")),
    ("standard_conforming_strings", "on", true, Some("standard_conforming_strings")),
    ("statement_timeout", "0", true, None),
    ("synchronize_seqscans", "on", true, None),
    ("timezone", "UTC", true, Some("TimeZone")),
    ("transaction_isolation", "read committed", true, None),
    ("transaction_read_only", "on", true, None),
    ("yiwang.case", "", true, None),
    ("yiwang.purpose", "", true, None),
];

/// The settings of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    set: BTreeMap<&'static str, String>,
    /// What they go back to: what the client gave when it connected.
    first: BTreeMap<&'static str, String>,
}

fn known(name: &str) -> Option<&'static Known> {
    let lower = name.to_ascii_lowercase();
    KNOWN.iter().find(|known| known.0 == lower)
}

impl Settings {
    /// The value; none if there is no such setting.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (name, default, ..) = known(name)?;
        Some(self.set.get(name).or_else(|| self.first.get(name)).map_or(*default, String::as_str))
    }

    /// The value, if it was given.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Sets, or goes back where there is no value. Says under which name the client is told, if it is.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<Option<&'static str>, Failure> {
        let (name, .., told) = Self::check(name, value)?;
        match value {
            Some(value) => self.set.insert(name, kept(name, value)),
            None => self.set.remove(name),
        };
        Ok(*told)
    }

    /// What the client gave when it connected.
    pub(super) fn begin(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let (name, ..) = Self::check(name, Some(value))?;
        self.first.insert(name, kept(name, value));
        Ok(())
    }

    /// What the door itself says.
    pub(super) fn fix(&mut self, name: &'static str, value: &str) {
        self.first.insert(name, value.to_owned());
    }

    /// Goes back to what the client gave when it connected.
    pub(super) fn reset(&mut self) {
        self.set.clear();
    }

    fn check(name: &str, value: Option<&str>) -> Result<&'static Known, Failure> {
        let shown = || name.chars().take(70).collect::<String>();
        let Some(known) = known(name) else {
            return Err(Failure::new("42501", "wire.setting", format!("`{}` may not be set", shown())));
        };
        if !known.2 {
            return Err(Failure::new("55P02", "wire.setting", format!("`{}` cannot be changed", shown())));
        }
        let Some(value) = value else { return Ok(known) };
        let lower = value.to_ascii_lowercase();
        let fits = value.len() <= MAX_VALUE
            && !value.contains('\0')
            && match known.0 {
                // What is answered is written in one way; another would be promised in vain.
                "client_encoding" => {
                    matches!(lower.replace(['-', '_', '\''], "").as_str(), "utf8" | "unicode")
                }
                "datestyle" => lower.starts_with("iso"),
                "intervalstyle" => lower == "postgres",
                "standard_conforming_strings" => lower == "on",
                "statement_timeout" => duration(value).is_some(),
                _ => true,
            };
        match fits {
            true => Ok(known),
            false => {
                Err(Failure::new("22023", "wire.setting", format!("`{}` does not take this value", shown())))
            }
        }
    }

    /// How long a statement may run, as the client wishes it.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        self.get("statement_timeout").and_then(duration).filter(|time| !time.is_zero())
    }

    /// What a client is told when it has connected.
    pub(super) fn told(&self) -> impl Iterator<Item = (&'static str, &str)> {
        KNOWN.iter().filter_map(|(name, .., told)| Some(((*told)?, self.get(name)?)))
    }

    /// All of them, for `current_setting` and `pg_settings`.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        KNOWN
            .iter()
            .map(|known| (known.0.to_owned(), self.get(known.0).unwrap_or_default().to_owned()))
            .collect()
    }
}

/// A value as it is kept: there is one encoding, whatever a client calls it.
fn kept(name: &str, value: &str) -> String {
    if name == "client_encoding" { "UTF8".to_owned() } else { value.to_owned() }
}

/// `200`, in milliseconds, or with a unit.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// The settings in a client's startup options: `-c name=value` and `--name=value`, a blank in a value after a backslash.
pub(super) fn options(text: &str) -> Vec<(String, String)> {
    let mut words = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => words.last_mut().into_iter().for_each(|word| word.extend(letters.next())),
            blank if blank.is_whitespace() => words.push(String::new()),
            other => words.last_mut().into_iter().for_each(|word| word.push(other)),
        }
    }
    let mut found = Vec::new();
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let setting = match word.as_str() {
            "-c" => words.next().unwrap_or_default(),
            other => match other.strip_prefix("--").or_else(|| other.strip_prefix("-c")) {
                Some(setting) => setting.to_owned(),
                None => other.to_owned(),
            },
        };
        let (name, value) = setting.split_once('=').unwrap_or((&setting, ""));
        found.push((name.replace('-', "_"), value.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_settings_are_kept_and_the_engines_are_refused() {
        let mut settings = Settings::default();
        assert_eq!(settings.set("TimeZone", Some("Asia/Shanghai")).unwrap(), Some("TimeZone"));
        assert_eq!(settings.get("timezone"), Some("Asia/Shanghai"));
        settings.begin("statement_timeout", "5s").unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(5)));
        settings.set("statement_timeout", Some("200")).unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_millis(200)));
        settings.reset();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(5)));
        assert_eq!(settings.set("datafusion.execution.batch_size", Some("1")).unwrap_err().state, "42501");
        assert_eq!(settings.set("server_version", Some("1")).unwrap_err().state, "55P02");
        for (name, value) in [
            ("client_encoding", "GBK"),
            ("DateStyle", "German"),
            ("statement_timeout", "soon"),
            ("standard_conforming_strings", "off"),
        ] {
            assert_eq!(settings.set(name, Some(value)).unwrap_err().state, "22023", "{name}");
        }
    }

    #[test]
    fn startup_options_are_read() {
        let read =
            options("-c yiwang.purpose=statistics -cyiwang.case=A\\ 1 --statement-timeout=200 -c geqo=off");
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            read,
            [
                ("yiwang.purpose", "statistics"),
                ("yiwang.case", "A 1"),
                ("statement_timeout", "200"),
                ("geqo", "off")
            ]
        );
    }
}

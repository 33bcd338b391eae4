//! Reading an answer: from a form or from JSON, checked, with errors that name the field and say why.

use kernel::citizen_id::CitizenId;
use kernel::division::Divisions;
use kernel::time::Date;
use packs::expr::{FactType, Value};
use packs::fact_type;
use packs::model::{Field, FieldKind, FieldOption, Question, Words};
use serde_json::{Map, Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::{Lang, key};

use super::address;

/// The longest text where the item sets no limit.
const LONGEST_LINE: u32 = 200;
const LONGEST_TEXT: u32 = 2_000;

/// One thing that is asked, in a form or before it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The fact that the answer becomes.
    pub id: &'a str,
    /// What kind of answer it takes.
    pub kind: FieldKind,
    /// The label or question.
    pub label: &'a Words,
    /// What helps to answer.
    pub hint: Option<&'a Words>,
    /// The choices.
    pub options: &'a [FieldOption],
    /// Whether an answer must be given.
    pub required: bool,
    max_len: Option<u32>,
    min: Option<i64>,
    max: Option<i64>,
}

impl<'a> From<&'a Field> for Asked<'a> {
    fn from(field: &'a Field) -> Self {
        Self {
            id: &field.id,
            kind: field.kind,
            label: &field.label,
            hint: field.hint.as_ref(),
            options: &field.options,
            required: field.required,
            max_len: field.max_len,
            min: field.min,
            max: field.max,
        }
    }
}

impl<'a> From<&'a Question> for Asked<'a> {
    fn from(question: &'a Question) -> Self {
        Self {
            id: &question.id,
            kind: question.kind,
            label: &question.label,
            hint: question.hint.as_ref(),
            options: &question.options,
            required: true,
            max_len: None,
            min: None,
            max: None,
        }
    }
}

/// An answer: none where the field was left empty.
pub(crate) type Answer = Option<Value>;

impl Asked<'_> {
    /// The same, where it may be left open.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// Reads and checks what a form sent.
    pub fn from_form(&self, posted: &Posted, today: Date, lang: Lang) -> Result<Answer, FieldError> {
        let answer = match self.kind {
            FieldKind::Date => self.date_parts(posted)?,
            FieldKind::Checkboxes => {
                let chosen: Vec<String> = posted
                    .all(self.id)
                    .into_iter()
                    .filter(|one| !one.is_empty())
                    .map(str::to_owned)
                    .collect();
                (!chosen.is_empty()).then_some(Value::List(chosen))
            }
            FieldKind::YesNo | FieldKind::PersonConfirm => match posted.get(self.id) {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                "" => None,
                _ => return Err(self.error(key("services-error-choice"))),
            },
            FieldKind::Number => match posted.get(self.id) {
                "" => None,
                text => Some(
                    text.replace([',', '，'], "")
                        .parse::<i64>()
                        .ok()
                        .and_then(Value::whole)
                        .ok_or_else(|| self.error(key("services-error-number")))?,
                ),
            },
            FieldKind::Address => {
                let text = address::join(posted.get(&division_name(self.id)), posted.get(self.id));
                (!text.is_empty()).then_some(Value::Text(text))
            }
            _ => match posted.get(self.id) {
                "" => None,
                text => Some(Value::Text(text.to_owned())),
            },
        };
        self.check(answer, today, lang)
    }

    /// Reads and checks what a program sent; null and the empty text leave the field empty.
    pub fn from_json(&self, json: &Json, today: Date, lang: Lang) -> Result<Answer, FieldError> {
        let empty = json.is_null() || json.as_str().is_some_and(|text| text.trim().is_empty());
        let answer = if empty {
            None
        } else {
            let wrong =
                || self.error(key("services-error-type")).with("wanted", type_name(fact_type(self.kind)));
            Some(Value::from_json(fact_type(self.kind), json).ok_or_else(wrong)?)
        };
        self.check(answer, today, lang)
    }

    /// Checks an answer and gives it in its one way of writing.
    pub fn check(&self, answer: Answer, today: Date, lang: Lang) -> Result<Answer, FieldError> {
        let Some(value) = answer else {
            return if self.required { Err(self.missing(lang)) } else { Ok(None) };
        };
        let value = match (self.kind, value) {
            (FieldKind::Text | FieldKind::Slot | FieldKind::File, Value::Text(text)) => {
                Value::Text(self.text(&text, LONGEST_LINE, false)?)
            }
            (FieldKind::Textarea, Value::Text(text)) => Value::Text(self.text(&text, LONGEST_TEXT, true)?),
            (FieldKind::Address, Value::Text(text)) => {
                let text = self.text(&text, LONGEST_LINE, false)?;
                if address::is_too_short(&text) {
                    return Err(self.error(key("services-error-address")));
                }
                Value::Text(text)
            }
            (FieldKind::Phone, Value::Text(text)) => {
                Value::Text(phone(&text).ok_or_else(|| self.error(key("services-error-phone")))?)
            }
            (FieldKind::CitizenId, Value::Text(text)) => Value::Text(self.citizen_id(&text, today)?),
            (FieldKind::Radios | FieldKind::Select, Value::Text(text)) => {
                if !self.options.iter().any(|option| option.value == text) {
                    return Err(self.error(key("services-error-choice")));
                }
                Value::Text(text)
            }
            (FieldKind::Checkboxes, Value::List(chosen)) => {
                if chosen.iter().any(|one| !self.options.iter().any(|option| option.value == *one)) {
                    return Err(self.error(key("services-error-choice")));
                }
                let in_order =
                    self.options.iter().map(|option| &option.value).filter(|one| chosen.contains(one));
                Value::List(in_order.cloned().collect())
            }
            (FieldKind::Number, value) => self.number(value)?,
            (FieldKind::Date, Value::Date(date)) => {
                if !(1850..=2200).contains(&date.year()) {
                    return Err(self.error(key("services-error-date")));
                }
                Value::Date(date)
            }
            (FieldKind::YesNo | FieldKind::PersonConfirm, Value::Boolean(truth)) => Value::Boolean(truth),
            (_, value) => {
                debug_assert!(value.kind() != fact_type(self.kind), "every kind of answer has its check");
                return Err(self
                    .error(key("services-error-type"))
                    .with("wanted", type_name(fact_type(self.kind))));
            }
        };
        let empty = match &value {
            Value::Text(text) => text.is_empty(),
            Value::List(chosen) => chosen.is_empty(),
            _ => false,
        };
        match (empty, self.required) {
            (false, _) => Ok(Some(value)),
            (true, false) => Ok(None),
            (true, true) => Err(self.missing(lang)),
        }
    }

    fn date_parts(&self, posted: &Posted) -> Result<Answer, FieldError> {
        let part = |name: &str| posted.get(&format!("{}-{name}", self.id)).to_owned();
        let (year, month, day) = (part("year"), part("month"), part("day"));
        if year.is_empty() && month.is_empty() && day.is_empty() {
            return Ok(None);
        }
        let wrong = || self.error(key("services-error-date"));
        let date = match (year.parse(), month.parse(), day.parse()) {
            (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        Ok(Some(Value::Date(date)))
    }

    fn text(&self, text: &str, longest: u32, lines: bool) -> Result<String, FieldError> {
        let text = text.trim();
        if text.chars().any(|letter| letter.is_control() && !(lines && letter == '\n')) {
            return Err(self.error(key("services-error-control")));
        }
        let most = self.max_len.unwrap_or(longest);
        if text.chars().count() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(self.error(key("services-error-too-long")).with("most", most));
        }
        Ok(text.to_owned())
    }

    fn citizen_id(&self, text: &str, today: Date) -> Result<String, FieldError> {
        use kernel::error::Coded;
        CitizenId::parse(text, today, Divisions::embedded()).map(|id| id.as_str().to_owned()).map_err(
            |error| {
                let word = error.code().rsplit('.').next().unwrap_or_default().replace('_', "-");
                self.error(&format!("{}{word}", key("services-error-citizen-id-")))
            },
        )
    }

    fn number(&self, value: Value) -> Result<Value, FieldError> {
        let Value::Number(number) = &value else {
            return Err(self.error(key("services-error-number")));
        };
        let whole = number.as_whole().ok_or_else(|| self.error(key("services-error-number")))?;
        match (self.min, self.max) {
            (Some(min), _) if whole < min => {
                Err(self.error(key("services-error-min")).with("least", min.to_string()))
            }
            (_, Some(max)) if whole > max => {
                Err(self.error(key("services-error-max")).with("most", max.to_string()))
            }
            _ => Ok(value),
        }
    }

    fn missing(&self, lang: Lang) -> FieldError {
        let text = match self.kind {
            FieldKind::Radios | FieldKind::Checkboxes | FieldKind::Select | FieldKind::YesNo => {
                key("services-error-choose")
            }
            FieldKind::File => key("services-error-attach"),
            _ => key("services-error-fill"),
        };
        self.error(text).with("label", self.label.get(lang.as_str()))
    }

    fn error(&self, text: &str) -> FieldError {
        FieldError::new(self.id, text)
    }
}

/// The name under which a form sends the division of an address.
pub(crate) fn division_name(id: &str) -> String {
    format!("{id}-division")
}

/// A mobile number of mainland China, or a landline with its area code; without spaces and hyphens.
fn phone(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{3000}')).collect();
    let plain = plain.strip_prefix("+86").unwrap_or(&plain).to_owned();
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut digits = plain.bytes();
    let fits = match (digits.next(), digits.next()) {
        (Some(b'1'), Some(b'3'..=b'9')) => plain.len() == 11,
        (Some(b'0'), Some(b'1'..=b'9')) => (10..=12).contains(&plain.len()),
        _ => false,
    };
    fits.then_some(plain)
}

fn type_name(kind: FactType) -> String {
    serde_json::to_value(kind).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A question as its page shows it.
pub(crate) fn question_view(question: &Question, lang: Lang) -> Json {
    view(&Asked::from(question), lang)
}

/// What is asked, as its page shows it.
pub(crate) fn view(asked: &Asked<'_>, lang: Lang) -> Json {
    let code = lang.as_str();
    let options: Vec<Json> = asked
        .options
        .iter()
        .map(|option| {
            json!({
                "value": option.value, "text": option.label.get(code),
                "hint": option.hint.as_ref().map(|hint| hint.get(code)),
            })
        })
        .collect();
    json!({
        "id": asked.id,
        "kind": serde_json::to_value(asked.kind).unwrap_or_default(),
        "label": asked.label.get(code),
        "hint": asked.hint.map(|hint| hint.get(code)),
        "options": options,
        "optional": !asked.required,
        "max_len": asked.max_len,
    })
}

/// An answer as form fields show it: `{name: text or list}`.
pub(crate) fn put_values(asked: &Asked<'_>, answer: Option<&Value>, values: &mut Map<String, Json>) {
    let Some(answer) = answer else { return };
    match (asked.kind, answer) {
        (_, Value::Date(date)) => {
            for (part, number) in [
                ("year", i32::from(date.year())),
                ("month", i32::from(date.month())),
                ("day", i32::from(date.day())),
            ] {
                values.insert(format!("{}-{part}", asked.id), Json::from(number.to_string()));
            }
        }
        (FieldKind::Address, Value::Text(text)) => {
            let (division, rest) = address::split(text);
            values.insert(division_name(asked.id), Json::from(division.unwrap_or_default()));
            values.insert(asked.id.to_owned(), Json::from(rest));
        }
        (_, Value::Boolean(truth)) => {
            values.insert(asked.id.to_owned(), Json::from(truth.to_string()));
        }
        (_, Value::Text(text)) => {
            values.insert(asked.id.to_owned(), Json::from(text.as_str()));
        }
        (_, Value::List(list)) => {
            values.insert(asked.id.to_owned(), Json::from(list.clone()));
        }
        (_, Value::Number(number)) => {
            values.insert(asked.id.to_owned(), Json::from(number.to_string()));
        }
        (_, Value::Money(fen)) => {
            values.insert(asked.id.to_owned(), Json::from(crate::catalogue::yuan(*fen)));
        }
    }
}

/// What was posted, as the form shows it again.
pub(crate) fn echo(posted: &Posted) -> Json {
    let mut values = Map::new();
    for (name, value) in posted.fields() {
        match values.get_mut(name) {
            None => {
                values.insert(name.to_owned(), Json::from(value.trim()));
            }
            Some(Json::Array(list)) => list.push(Json::from(value.trim())),
            Some(present) => *present = Json::from(vec![present.take(), Json::from(value.trim())]),
        }
    }
    Json::Object(values)
}

/// An answer in words, as a reader reads it.
pub(crate) fn words(asked: &Asked<'_>, answer: &Value) -> Words {
    let label = |value: &str| {
        let option = asked.options.iter().find(|option| option.value == value);
        option.map_or_else(|| Words::new(value, value), |option| option.label.clone())
    };
    match answer {
        Value::Text(text) => label(text),
        Value::List(list) => {
            let labels: Vec<Words> = list.iter().map(|one| label(one)).collect();
            let all =
                |pick: fn(&Words) -> &str, join: &str| labels.iter().map(pick).collect::<Vec<_>>().join(join);
            Words::new(all(|one| &one.zh, "、"), all(|one| &one.en, ", "))
        }
        other => other.words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_has_one_spelling_or_none() {
        assert_eq!(phone("138 0000-1234").as_deref(), Some("13800001234"));
        assert_eq!(phone("+86 13800001234").as_deref(), Some("13800001234"));
        assert_eq!(phone("0872-2120000").as_deref(), Some("08722120000"));
        for wrong in ["", "12800001234", "1380000123", "138000012345", "abc", "00000000000"] {
            assert_eq!(phone(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn checkboxes_keep_the_order_of_the_options_and_refuse_others() {
        let label = Words::new("范围", "Scope");
        let option = |value: &str| FieldOption { value: value.to_owned(), label: label.clone(), hint: None };
        let options = [option("a"), option("b"), option("c")];
        let asked = Asked {
            id: "x",
            kind: FieldKind::Checkboxes,
            label: &label,
            hint: None,
            options: &options,
            required: true,
            max_len: None,
            min: None,
            max: None,
        };
        let today = Date::constant(2026, 11, 24);
        let chosen = asked.from_json(&json!(["c", "a", "c"]), today, Lang::ZH).unwrap();
        assert_eq!(chosen, Some(Value::List(vec!["a".to_owned(), "c".to_owned()])));
        assert_eq!(asked.from_json(&json!(["d"]), today, Lang::ZH).unwrap_err().key, "services-error-choice");
        assert_eq!(asked.from_json(&json!([]), today, Lang::ZH).unwrap_err().key, "services-error-choose");
        assert_eq!(asked.from_json(&json!("a"), today, Lang::ZH).unwrap_err().key, "services-error-type");
    }

    #[test]
    fn posted_lists_are_shown_again_as_lists() {
        let posted = Posted::from_fields(vec![
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "x".to_owned()),
            ("b".to_owned(), "y".to_owned()),
        ]);
        assert_eq!(echo(&posted), json!({ "a": "1", "b": ["x", "y"] }));
    }
}

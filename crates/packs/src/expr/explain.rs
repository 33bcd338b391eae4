//! An answer with what it rests on, and its rendering in both languages.

use serde::{Deserialize, Serialize};

use super::value::{Value, yuan};
use crate::model::{RuleRow, RuleUnit, Words};

/// A value and how it came about. Without a value the answer is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// What was done.
    pub how: How,
    /// The value.
    pub value: Option<Value>,
    /// The parts it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Explained>,
}

/// What was done at one place of an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A literal was read.
    Literal {
        /// The label, where it is an option.
        shown: Option<Words>,
    },
    /// A fact was looked up; its derivation, if any, is what it rests on.
    Fact {
        /// The id.
        id: String,
        /// What it is called.
        label: Words,
        /// The labels of its options.
        shown: Option<Words>,
    },
    /// A dated rule was looked up.
    Rule(RuleUse),
    /// The day of evaluation.
    Today,
    /// A function was called.
    Call {
        /// Its ASCII name.
        name: String,
    },
    /// 非.
    Not,
    /// 且.
    And,
    /// 或.
    Or,
    /// A comparison.
    Compare {
        /// Its sign.
        sign: String,
    },
    /// 含.
    Contains,
    /// 含任一.
    ContainsAny,
    /// 属于.
    In,
    /// 为空.
    Empty,
    /// 不为空.
    NotEmpty,
}

/// A dated rule row as it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleUse {
    /// The rule's id.
    pub id: String,
    /// What it is called.
    pub name: Words,
    /// The first day of the row that was in force.
    pub effective_from: jiff::civil::Date,
    /// The number.
    pub value: i64,
    /// Its unit.
    pub unit: RuleUnit,
    /// Whether the number has been verified against its source.
    pub verified: bool,
}

impl RuleUse {
    pub(crate) fn of(row: &RuleRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            effective_from: row.effective_from,
            value: row.value,
            unit: row.unit,
            verified: row.verified,
        }
    }
}

impl Explained {
    /// The truth of the answer, where it is one and is known.
    pub fn truth(&self) -> Option<bool> {
        match self.value {
            Some(Value::Boolean(b)) => Some(b),
            _ => None,
        }
    }

    /// One sentence in both languages: 经营者年龄（15）< 最低年龄（16）：是.
    pub fn sentence(&self) -> Words {
        let said = self.render(0);
        let (zh, en) = match self.truth() {
            Some(true) => ("是", "yes"),
            Some(false) => ("否", "no"),
            None => ("尚不清楚", "not known yet"),
        };
        Words::new(format!("{}：{zh}", said.zh), format!("{}: {en}", said.en))
    }

    /// The ids of facts that stand in the way of an answer: those not known, and those known
    /// whose value is of no use, such as a malformed number. Empty where the answer is known.
    pub fn missing(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect_missing(&mut found);
        found
    }

    fn collect_missing<'a>(&'a self, found: &mut Vec<&'a str>) {
        if self.value.is_some() {
            return;
        }
        let unknown = self.because.iter().filter(|part| part.value.is_none());
        let mut deeper = false;
        for part in unknown {
            deeper = true;
            part.collect_missing(found);
        }
        if !deeper {
            self.collect_facts(found);
        }
    }

    fn collect_facts<'a>(&'a self, found: &mut Vec<&'a str>) {
        for part in &self.because {
            part.collect_facts(found);
        }
        if let How::Fact { id, .. } = &self.how
            && self.because.is_empty()
            && !found.contains(&id.as_str())
        {
            found.push(id);
        }
    }

    /// The dated rules that were used, each once.
    pub fn rules(&self) -> Vec<&RuleUse> {
        let mut found: Vec<&RuleUse> = Vec::new();
        self.collect_rules(&mut found);
        found
    }

    fn collect_rules<'a>(&'a self, found: &mut Vec<&'a RuleUse>) {
        if let How::Rule(used) = &self.how
            && !found.contains(&used)
        {
            found.push(used);
        }
        for part in &self.because {
            part.collect_rules(found);
        }
    }

    fn render(&self, least: u8) -> Words {
        let words = match &self.how {
            How::Literal { shown } => shown.clone().unwrap_or_else(|| self.value_words()),
            How::Fact { label, shown, .. } => {
                let value = shown.clone().unwrap_or_else(|| self.value_words());
                Words::new(format!("{}（{}）", label.zh, value.zh), format!("{} ({})", label.en, value.en))
            }
            How::Rule(used) => {
                let value = used.words();
                Words::new(
                    format!("{}（{}）", used.name.zh, value.zh),
                    format!("{} ({})", used.name.en, value.en),
                )
            }
            How::Today => {
                let value = self.value_words();
                Words::new(format!("今天（{}）", value.zh), format!("today ({})", value.en))
            }
            How::Call { name } => self.render_call(name),
            How::Not => {
                let part = self.part(0, 4);
                Words::new(format!("并非{}", part.zh), format!("not {}", part.en))
            }
            How::And => self.render_joined("，且", " and ", 2),
            How::Or => self.render_joined("，或", " or ", 1),
            How::Compare { sign } => {
                let (zh, en) = match sign.as_str() {
                    "<" => ("小于", "is less than"),
                    "<=" => ("不大于", "is at most"),
                    ">" => ("大于", "is more than"),
                    ">=" => ("不小于", "is at least"),
                    "!=" => ("不是", "is not"),
                    _ => ("是", "is"),
                };
                self.render_between(zh, en)
            }
            How::Contains => self.render_between("含", "contains"),
            How::ContainsAny => self.render_list("含任一", "contains any of"),
            How::In => self.render_list("属于", "is one of"),
            How::Empty => {
                let part = self.part(0, 4);
                Words::new(format!("{}为空", part.zh), format!("{} is empty", part.en))
            }
            How::NotEmpty => {
                let part = self.part(0, 4);
                Words::new(format!("{}不为空", part.zh), format!("{} is not empty", part.en))
            }
        };
        if self.binding() < least {
            return Words::new(format!("（{}）", words.zh), format!("({})", words.en));
        }
        words
    }

    fn binding(&self) -> u8 {
        match self.how {
            How::Or => 0,
            How::And => 1,
            How::Not => 2,
            How::Compare { .. } | How::Contains | How::ContainsAny | How::In | How::Empty | How::NotEmpty => {
                3
            }
            _ => 4,
        }
    }

    fn render_call(&self, name: &str) -> Words {
        let zh = super::ast::Function::named(name).map_or(name, |f| {
            let [_, zh] = f.names();
            zh
        });
        let arguments: Vec<Words> = self.because.iter().map(|part| part.render(0)).collect();
        let zh_arguments: Vec<&str> = arguments.iter().map(|w| w.zh.as_str()).collect();
        let en_arguments: Vec<&str> = arguments.iter().map(|w| w.en.as_str()).collect();
        let value = self.value_words();
        Words::new(
            format!("{zh}（{}）= {}", zh_arguments.join("，"), value.zh),
            format!("{}({}) = {}", name.replace('_', " "), en_arguments.join(", "), value.en),
        )
    }

    fn render_joined(&self, zh: &str, en: &str, least: u8) -> Words {
        let parts: Vec<Words> = self.because.iter().map(|part| part.render(least)).collect();
        let zh_parts: Vec<&str> = parts.iter().map(|w| w.zh.as_str()).collect();
        let en_parts: Vec<&str> = parts.iter().map(|w| w.en.as_str()).collect();
        Words::new(zh_parts.join(zh), en_parts.join(en))
    }

    fn render_between(&self, zh: &str, en: &str) -> Words {
        let (a, b) = (self.part(0, 4), self.part(1, 4));
        Words::new(format!("{}{zh}{}", a.zh, b.zh), format!("{} {en} {}", a.en, b.en))
    }

    fn render_list(&self, zh: &str, en: &str) -> Words {
        let a = self.part(0, 4);
        let items: Vec<Words> = self.because.iter().skip(1).map(|part| part.render(4)).collect();
        let zh_items: Vec<&str> = items.iter().map(|w| w.zh.as_str()).collect();
        let en_items: Vec<&str> = items.iter().map(|w| w.en.as_str()).collect();
        Words::new(
            format!("{}{zh}{}", a.zh, zh_items.join("、")),
            format!("{} {en} {}", a.en, en_items.join(", ")),
        )
    }

    fn part(&self, i: usize, least: u8) -> Words {
        self.because.get(i).map(|part| part.render(least)).unwrap_or_default()
    }

    fn value_words(&self) -> Words {
        self.value.as_ref().map_or_else(|| Words::new("未知", "not known"), Value::words)
    }
}

impl RuleUse {
    /// The number with its unit.
    pub fn words(&self) -> Words {
        let n = self.value;
        match self.unit {
            RuleUnit::WorkingDays => Words::new(format!("{n} 个工作日"), format!("{n} working days")),
            RuleUnit::NaturalDays => Words::new(format!("{n} 日"), format!("{n} days")),
            RuleUnit::YearsOfAge => Words::new(format!("{n} 周岁"), format!("{n} years of age")),
            RuleUnit::Fen => Words::new(format!("{} 元", yuan(n)), format!("CNY {}", yuan(n))),
            RuleUnit::Count => Words::new(n.to_string(), n.to_string()),
            RuleUnit::Percent => Words::new(format!("{n}%"), format!("{n} %")),
        }
    }
}

/// The labels of a value that is made of options.
pub(super) fn option_words(value: &Value, options: &[(String, Words)]) -> Option<Words> {
    let label = |text: &String| options.iter().find(|(v, _)| v == text).map(|(_, label)| label);
    match value {
        Value::Text(text) => label(text).cloned(),
        Value::List(items) if !items.is_empty() => {
            let labels: Vec<&Words> = items.iter().map(label).collect::<Option<_>>()?;
            let zh: Vec<&str> = labels.iter().map(|w| w.zh.as_str()).collect();
            let en: Vec<&str> = labels.iter().map(|w| w.en.as_str()).collect();
            Some(Words::new(zh.join("、"), en.join(", ")))
        }
        _ => None,
    }
}

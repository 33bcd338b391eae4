//! 我的数据足迹: who looked at a person's data, when, in which case, what for, in plain words.
//!
//! The audit log keeps codes; this file says them in the reader's language. Officers are shown by their
//! organisation, post and staff number, never by name; whoever acts for the person, by a masked name.

use std::collections::BTreeMap;

use kernel::ids::{AccountId, SubjectId};
use kernel::time::Timestamp;
use packs::model::Words;
use store::audit::{self, StoredEntry};
use store::{Reads, StoreError};
use web::i18n::key;
use web::{Ctx, Problem};

use crate::people::masked_name;
use crate::{accounts, orgs, people};

/// Lines of a page.
pub const PAGE: usize = 30;
/// The most lines of a file.
pub const FILE_LINES: usize = 10_000;
/// Entries that are read at a time.
const CHUNK: u32 = 200;

/// Which lines somebody wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Every line.
    All,
    /// Only what others did.
    Others,
}

/// One line, in words.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the log.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, in words.
    pub who: String,
    /// Whether it was the person themself.
    pub own: bool,
    /// What was done, in words.
    pub what: String,
    /// What was done, as a code.
    pub action: String,
    /// What for, in words.
    pub purpose: String,
    /// What for, as a code.
    pub purpose_code: String,
    /// The case, or an empty text.
    pub case_no: String,
}

/// Lines and where the next page begins.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Newest first.
    pub lines: Vec<Line>,
    /// The cursor of the next page, if there is one.
    pub next: Option<i64>,
}

/// The footprint of `subject`: up to `limit` lines below the cursor `before`.
pub async fn lines(
    ctx: &Ctx,
    subject: SubjectId,
    whose: Whose,
    before: Option<i64>,
    limit: usize,
) -> Result<Lines, Problem> {
    let db = ctx.read();
    let mut teller = Teller::new(&db, subject).await?;
    let mut lines = Vec::new();
    let mut cursor = before;
    loop {
        let chunk = audit::footprint(&db, subject, cursor, CHUNK).await?;
        let exhausted = chunk.len() < CHUNK as usize;
        for entry in &chunk {
            if whose == Whose::Others && teller.is_own(entry) {
                continue;
            }
            if lines.len() == limit {
                let next = lines.last().map(|line: &Line| line.seq);
                return Ok(Lines { lines, next });
            }
            lines.push(teller.tell(ctx, &db, entry).await?);
        }
        cursor = chunk.last().map(|entry| entry.seq);
        if exhausted {
            return Ok(Lines { lines, next: None });
        }
    }
}

/// Says entries in words; knows the posts and remembers the names that it looked up.
pub(crate) struct Teller {
    own: Vec<String>,
    /// Whether the reader is somebody else than the subject.
    neutral: bool,
    posts: BTreeMap<String, (Words, Words)>,
    names: BTreeMap<String, String>,
}

impl Teller {
    /// For the eyes of `subject`.
    pub(crate) async fn new(db: &impl Reads, subject: SubjectId) -> Result<Self, StoreError> {
        let own = accounts::of_subject(db, subject).await?;
        Ok(Self {
            own: own.into_iter().map(|account| account.id.to_string()).collect(),
            neutral: false,
            posts: posts(db).await?,
            names: BTreeMap::new(),
        })
    }

    /// For the eyes of an auditor, to whom nobody is "you".
    pub(crate) async fn neutral(db: &impl Reads) -> Result<Self, StoreError> {
        Ok(Self { own: Vec::new(), neutral: true, posts: posts(db).await?, names: BTreeMap::new() })
    }

    pub(crate) fn is_own(&self, entry: &StoredEntry) -> bool {
        self.own.contains(&entry.actor_id)
    }

    pub(crate) async fn tell(
        &mut self,
        ctx: &Ctx,
        db: &impl Reads,
        entry: &StoredEntry,
    ) -> Result<Line, Problem> {
        let own = self.is_own(entry);
        Ok(Line {
            seq: entry.seq,
            at: entry.at,
            who: if own { ctx.text(key("identity-who-you"), &[])? } else { self.who(ctx, db, entry).await? },
            own,
            what: act(ctx, &entry.action)?,
            action: entry.action.clone(),
            purpose: purpose(ctx, &entry.purpose)?,
            purpose_code: entry.purpose.clone(),
            case_no: entry.case_no.clone(),
        })
    }

    async fn who(&mut self, ctx: &Ctx, db: &impl Reads, entry: &StoredEntry) -> Result<String, Problem> {
        match entry.actor_kind.as_str() {
            "officer" => {
                let posts: Vec<String> =
                    entry.actor_label.split(',').filter_map(|post| self.post(ctx, post)).collect();
                let number = staff_number(&entry.actor_id);
                let posts = if posts.is_empty() {
                    ctx.text(key("identity-who-no-post"), &[])?
                } else {
                    posts.join(&ctx.text(key("identity-list-comma"), &[])?)
                };
                Ok(ctx.text(
                    key("identity-who-officer"),
                    &[("posts", posts.into()), ("number", number.into())],
                )?)
            }
            "citizen" | "account" => {
                let name = self.name(db, &entry.actor_id).await?;
                let text =
                    if self.neutral { key("identity-who-person") } else { key("identity-who-citizen") };
                Ok(ctx.text(text, &[("name", name.into())])?)
            }
            "auditor" => {
                Ok(ctx
                    .text(key("identity-who-auditor"), &[("number", staff_number(&entry.actor_id).into())])?)
            }
            "administrator" => Ok(ctx.text(
                key("identity-who-administrator"),
                &[("number", staff_number(&entry.actor_id).into())],
            )?),
            "system" => {
                Ok(ctx.text(key("identity-who-system"), &[("name", entry.actor_label.as_str().into())])?)
            }
            "node" => Ok(ctx.text(key("identity-who-node"), &[])?),
            _ => Ok(ctx.text(key("identity-who-nobody"), &[])?),
        }
    }

    /// Organisation and post in the reader's language.
    fn post(&self, ctx: &Ctx, code: &str) -> Option<String> {
        let (org, post) = self.posts.get(code)?;
        let zh = ctx.lang().short() == "zh";
        Some(if zh { format!("{} {}", org.zh, post.zh) } else { format!("{}, {}", org.en, post.en) })
    }

    async fn name(&mut self, db: &impl Reads, account: &str) -> Result<String, StoreError> {
        if let Some(name) = self.names.get(account) {
            return Ok(name.clone());
        }
        let name = match account.parse::<AccountId>() {
            Ok(id) => match accounts::get(db, id).await? {
                Some(found) => masked_name(&people::display_name(db, found.subject).await?),
                None => String::new(),
            },
            Err(_) => String::new(),
        };
        self.names.insert(account.to_owned(), name.clone());
        Ok(name)
    }
}

async fn posts(db: &impl Reads) -> Result<BTreeMap<String, (Words, Words)>, StoreError> {
    let mut posts = BTreeMap::new();
    for org in orgs::all(db).await? {
        for post in &org.posts {
            posts.insert(post.code.to_string(), (org.name.clone(), post.name.clone()));
        }
    }
    Ok(posts)
}

/// A number by which an office finds its officer again: the last letters of the account's id.
pub fn staff_number(account: &str) -> String {
    account.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect::<String>().to_uppercase()
}

/// What was done, in words; a new kind of act is named by its code until it has a text.
fn act(ctx: &Ctx, action: &str) -> Result<String, Problem> {
    let code = action.replace(['.', '_'], "-");
    let text_key = format!("{}{code}", key("identity-action-"));
    if ctx.app.renderer.languages().has(ctx.lang(), &text_key) {
        Ok(ctx.text(&text_key, &[])?)
    } else {
        Ok(ctx.text(key("identity-unnamed-action"), &[("code", action.into())])?)
    }
}

fn purpose(ctx: &Ctx, word: &str) -> Result<String, Problem> {
    let text_key = format!("{}{}", key("identity-purpose-"), word.replace('_', "-"));
    if ctx.app.renderer.languages().has(ctx.lang(), &text_key) {
        Ok(ctx.text(&text_key, &[])?)
    } else {
        Ok(word.to_owned())
    }
}

/// Lines as a file for a spreadsheet: UTF-8 with a mark, so that every program reads the Chinese.
pub fn csv(header: [&str; 5], lines: &[Line]) -> Vec<u8> {
    let mut text = String::from("\u{feff}");
    let mut push = |cells: [&str; 5]| {
        let row: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    };
    push(header);
    for line in lines {
        push([&line.at.to_china_string(), &line.who, &line.what, &line.purpose, &line.case_no]);
    }
    text.into_bytes()
}

/// A cell that no spreadsheet takes for a formula.
fn csv_cell(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", guarded.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_breaks_its_row() {
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell("他说\"好\""), "\"他说\"\"好\"\"\"");
        assert_eq!(csv_cell("大理市,登记岗"), "\"大理市,登记岗\"");
    }

    #[test]
    fn a_file_begins_with_its_mark_and_has_a_row_a_line() {
        let line = Line {
            seq: 1,
            at: Timestamp::parse("2026-11-24T08:30:00+08:00").unwrap(),
            who: "您本人".to_owned(),
            own: true,
            what: "登录".to_owned(),
            action: "identity.sign_in".to_owned(),
            purpose: "登录".to_owned(),
            purpose_code: "sign_in".to_owned(),
            case_no: String::new(),
        };
        let text = String::from_utf8(csv(["时间", "谁", "做了什么", "目的", "办件"], &[line])).unwrap();
        assert!(text.starts_with("\u{feff}\"时间\",\"谁\""), "{text}");
        assert!(text.ends_with("\"2026-11-24 08:30\",\"您本人\",\"登录\",\"登录\",\"\"\r\n"), "{text}");
    }

    #[test]
    fn a_staff_number_is_the_end_of_the_id() {
        assert_eq!(staff_number("01890a5d-ac96-774b-bcce-b302099a8057"), "9A8057");
        assert_eq!(staff_number(""), "");
    }
}

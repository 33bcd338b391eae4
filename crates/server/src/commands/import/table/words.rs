//! What `yiwang import table` says, in Chinese and in English.

use std::fmt::Display;
use std::io::Write;

use kernel::error::Coded;
use lake::TableId;
use lake::loading::{ColumnNote, Loaded, Note, Progress, Proposal, Reason, Rejected, State};
use tokio::time::Instant;

/// Rows of the sample that are printed.
const SAMPLE: usize = 3;
/// The widest column that is printed.
const WIDEST: usize = 28;

/// One of two languages.
pub(super) struct Words {
    english: bool,
}

impl Words {
    pub(super) fn new(english: bool) -> Self {
        Self { english }
    }

    fn say<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        if self.english { english } else { chinese }
    }

    pub(super) fn question(&self) -> &str {
        self.say("按以上方式装载？(y/N)", "load it like this? (y/N)")
    }

    pub(super) fn nothing_done(&self) -> &str {
        self.say("未装载任何数据。", "nothing was loaded")
    }

    pub(super) fn saved(&self, file: &dyn Display) -> String {
        format!("{} `{file}`", self.say("装载方案已写入", "the mapping was written to"))
    }

    pub(super) fn rejects_written(&self, file: &dyn Display) -> String {
        format!("{} `{file}`", self.say("被拒绝的行已写入", "rejected rows were written to"))
    }

    pub(super) fn more(&self, loaded: &Loaded) -> String {
        if self.english {
            format!("… {} rejected in all, {} kept as load {}", loaded.rejected, loaded.kept, loaded.id)
        } else {
            format!("…… 共拒绝 {} 行，保留 {} 行，装载编号 {}", loaded.rejected, loaded.kept, loaded.id)
        }
    }

    pub(super) fn outcome(&self, loaded: &Loaded) -> String {
        let how = match loaded.state {
            State::Done => self.say("装载完成", "done"),
            State::Repeated => {
                self.say("内容此前已装载，未重复写入", "this content is there already; nothing was added")
            }
            State::Refused => {
                self.say("被拒绝的行过多，未写入", "too many rows would be rejected; nothing was added")
            }
            State::Cancelled => self.say(
                "已取消；已写入的保留，再次运行即可续装",
                "cancelled; what has arrived stays, and the same command goes on",
            ),
            _ => loaded.state.as_str(),
        };
        let mut text = if self.english {
            format!("{how}: {} rows, {} rejected, load {}", loaded.rows, loaded.rejected, loaded.id)
        } else {
            format!("{how}：写入 {} 行，拒绝 {} 行，装载编号 {}", loaded.rows, loaded.rejected, loaded.id)
        };
        if loaded.known_batches > 0 {
            let before = self.say("批此前已写入", "batches had arrived before");
            text.push_str(&format!(" ({} {before})", loaded.known_batches));
        }
        if let Some(earlier) = loaded.earlier {
            text.push_str(&format!(" ({} {earlier})", self.say("见装载", "see load")));
        }
        text
    }

    /// A rejected row as one line, without its cells, which may be of a person.
    pub(super) fn rejected(&self, row: &Rejected) -> String {
        let faults: Vec<String> = row
            .faults
            .iter()
            .map(|fault| match &fault.column {
                Some(column) => format!("{column}: {} [{}]", self.reason(fault.reason), fault.reason.code()),
                None => format!("{} [{}]", self.reason(fault.reason), fault.reason.code()),
            })
            .collect();
        format!("{} {}: {}", self.say("行", "line"), row.line, faults.join("; "))
    }

    fn reason(&self, reason: Reason) -> &str {
        match reason {
            Reason::WrongKind => self.say("类型不符", "not of this kind"),
            Reason::OutOfRange => self.say("超出范围", "out of range"),
            Reason::Empty => self.say("不能为空", "must not be empty"),
            Reason::TooManyCells => self.say("单元格过多", "too many cells"),
            Reason::TooFewCells => self.say("单元格过少", "too few cells"),
            Reason::Encoding => self.say("编码错误", "not in this encoding"),
            Reason::TooLong => self.say("过长", "too long"),
            Reason::Broken => self.say("引号或结构错误", "quotes or structure broken"),
            Reason::DigitsLost => self.say("数字位数已被表格软件丢失", "the spreadsheet lost digits"),
            Reason::Formula => self.say("公式错误", "the formula has an error"),
            Reason::CitizenId => self.say("不是有效的公民身份号码", "not a citizen number"),
            Reason::Uscc => self.say("不是有效的统一社会信用代码", "not a unified social credit code"),
            Reason::Division => self.say("不是有效的行政区划代码", "not a division"),
            _ => reason.code(),
        }
    }

    fn note(&self, note: Note) -> String {
        match note {
            Note::EncodingUnsure => self.say("编码是推测的", "the encoding is a guess").to_owned(),
            Note::DelimiterUnsure => self.say("分隔符是推测的", "the delimiter is a guess").to_owned(),
            Note::HeaderRow(row) => format!("{} {row}", self.say("表头在第几行：", "the header is in row")),
            Note::Merged => self.say("有合并单元格，已按覆盖范围填充", "merged cells are filled").to_owned(),
        }
    }

    fn column_note(&self, note: ColumnNote) -> String {
        let counted = |many: usize, chinese: &str, english: &str| {
            if self.english { format!("{many} {english}") } else { format!("{many} {chinese}") }
        };
        match note {
            ColumnNote::Empty => self.say("样本全空", "empty in the sample").to_owned(),
            ColumnNote::Unfit(many) => counted(many, "个样本值不符", "of the sample do not fit"),
            ColumnNote::Code => self.say("按代码保留为文本", "a code, kept as text").to_owned(),
            ColumnNote::DigitsLost(many) => counted(many, "个数字已丢位", "lost digits"),
            ColumnNote::Formula(many) => counted(many, "个公式错误", "formulas have errors"),
            ColumnNote::Trimmed => self.say("去除首尾空格", "spaces at the ends are taken away").to_owned(),
            ColumnNote::PersonalByName => self.say("名称似个人信息", "personal by its name").to_owned(),
            ColumnNote::PersonalByContent => {
                self.say("内容是个人信息", "personal by what it holds").to_owned()
            }
            ColumnNote::CompactDays => self.say("八位数字按日期", "eight digits taken as days").to_owned(),
        }
    }

    /// Prints what was found.
    pub(super) fn proposal(
        &self,
        out: &mut impl Write,
        table: &TableId,
        proposal: &Proposal,
        there: bool,
    ) -> std::io::Result<()> {
        let state = if there { self.say("已有", "is there") } else { self.say("新建", "is made") };
        writeln!(out, "{} → {table} ({state})", proposal.source)?;
        let reading = &proposal.reading;
        let mut how = Vec::new();
        how.extend(reading.form.map(|form| format!("{form:?}").to_lowercase()));
        how.extend(reading.encoding.map(|encoding| encoding.name().to_owned()));
        how.extend(reading.delimiter.map(|delimiter| format!("`{}`", delimiter.escape_debug())));
        how.extend(reading.sheet.clone());
        writeln!(out, "{}", how.join(", "))?;
        for note in &proposal.notes {
            writeln!(out, "! {}", self.note(*note))?;
        }
        let header = [
            self.say("来源列", "source"),
            self.say("列", "column"),
            self.say("类型", "kind"),
            self.say("个人信息", "personal"),
            self.say("说明", "notes"),
            self.say("样本", "sample"),
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for (at, column) in proposal.columns.iter().enumerate() {
            let mapped = &column.mapped;
            let mut notes: Vec<String> = column.notes.iter().map(|note| self.column_note(*note)).collect();
            notes.extend(mapped.check.map(|check| format!("{check:?}")));
            let sample: Vec<&str> =
                proposal.sample.iter().filter_map(|row| row.get(at)?.as_deref()).take(SAMPLE).collect();
            let (name, kind, personal) = match &mapped.column {
                Some(column) => (column.name.clone(), column.kind.to_string(), column.personal),
                None => (self.say("（不装载）", "(left out)").to_owned(), String::new(), false),
            };
            let personal = if personal { self.say("是", "yes") } else { "" };
            rows.push(vec![
                mapped.source.clone(),
                name,
                kind,
                personal.to_owned(),
                notes.join("; "),
                sample.join(" | "),
            ]);
        }
        print(out, &rows)
    }
}

/// Prints rows below one another. A Chinese character is as wide as two Latin ones.
fn print(out: &mut impl Write, rows: &[Vec<String>]) -> std::io::Result<()> {
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shorten(cell)).collect()).collect();
    let columns = shown.first().map_or(0, Vec::len);
    let widest: Vec<usize> = (0..columns)
        .map(|column| {
            shown.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in &shown {
        let cells = row
            .iter()
            .zip(&widest)
            .map(|(cell, widest)| format!("{cell}{}", " ".repeat(widest.saturating_sub(width(cell)))));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn width(text: &str) -> usize {
    text.chars().map(|one| if u32::from(one) >= 0x2e80 { 2 } else { 1 }).sum()
}

/// On one line, without what a terminal would obey.
fn shorten(cell: &str) -> String {
    let mut short = String::new();
    for one in cell.chars().map(|one| if one.is_control() { ' ' } else { one }) {
        if width(&short) >= WIDEST {
            short.push('…');
            break;
        }
        short.push(one);
    }
    short
}

/// How fast it goes, and when to say so.
pub(super) struct Meter {
    terminal: bool,
    since: Instant,
    said: Option<Instant>,
    rows: u64,
}

impl Meter {
    /// On a terminal each time, elsewhere each ten seconds.
    pub(super) fn new(terminal: bool) -> Self {
        Self { terminal, since: Instant::now(), said: None, rows: 0 }
    }

    pub(super) fn line(&mut self, now: &Progress, words: &Words) -> Option<String> {
        if now.rows < self.rows {
            // The second pass begins.
            self.since = Instant::now();
        }
        self.rows = now.rows;
        let waited = self.said.is_none_or(|said| said.elapsed().as_secs() >= 10);
        if !self.terminal && !waited {
            return None;
        }
        self.said = Some(Instant::now());
        let seconds = self.since.elapsed().as_millis().max(1);
        let rate = u128::from(now.rows) * 1_000 / seconds;
        let what = match now.rows_total {
            None => words.say("检查", "checking"),
            Some(_) => words.say("写入", "loading"),
        };
        let rows = match now.rows_total {
            Some(total) => format!("{} / {total}", now.rows),
            None => now.rows.to_string(),
        };
        let mib = |bytes: u64| bytes >> 20;
        let bytes = match now.bytes_total {
            Some(total) => format!("{} / {} MiB", mib(now.bytes), mib(total)),
            None => format!("{} MiB", mib(now.bytes)),
        };
        Some(if words.english {
            format!("{what}: {rows} rows, {bytes}, {} rejected, {rate} rows/s", now.rejected)
        } else {
            format!("{what}：{rows} 行，{bytes}，拒绝 {} 行，{rate} 行/秒", now.rejected)
        })
    }
}

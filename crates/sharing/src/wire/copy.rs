//! `COPY (query) TO STDOUT`, as text or CSV: how clients take many rows at once.

use bytes::Bytes;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};

use super::connection::Connection;
use super::encode;
use super::error::Failure;

/// How the rows are written.
#[derive(Clone, Copy)]
struct Style {
    csv: bool,
    delimiter: char,
}

impl Connection {
    /// Runs the query, and sends its rows as lines.
    pub(super) async fn copy(
        &mut self,
        query: &str,
        csv: bool,
        header: bool,
        delimiter: Option<char>,
    ) -> Result<(), Failure> {
        let columns = self.begin(query, None, &[], &[], None).await?;
        let style = Style { csv, delimiter: delimiter.unwrap_or(if csv { ',' } else { '\t' }) };
        let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
        let begin = CopyOutResponse::new(0, count, vec![0; columns.len()]);
        self.send(PgWireBackendMessage::CopyOutResponse(begin)).await?;
        if header {
            let names: Vec<_> = columns.iter().map(|(name, _)| style.written(Some(name))).collect();
            self.send_line(style.line(&names)).await?;
        }
        let mut sent = 0_usize;
        loop {
            let Some(running) = &mut self.current else { break };
            let Some((cells, next)) = running.more().await? else { break };
            let row: Vec<String> = (0..cells.columns())
                .map(|column| {
                    let cell = cells.at(*next, column);
                    style.written((cell != lake::Cell::Empty).then(|| encode::text(&cell)).as_deref())
                })
                .collect();
            *next += 1;
            let line = style.line(&row);
            running.count(line.len());
            sent += 1;
            self.send_line(line).await?;
        }
        self.send(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        self.done(format!("COPY {sent}")).await
    }

    /// Each row is a message of its own, as clients that read row by row take for granted.
    async fn send_line(&mut self, line: String) -> Result<(), Failure> {
        self.send(PgWireBackendMessage::CopyData(CopyData::new(Bytes::from(line)))).await
    }
}

impl Style {
    /// A row as a line.
    fn line(self, row: &[String]) -> String {
        let mut line = String::new();
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                line.push(self.delimiter);
            }
            line.push_str(cell);
        }
        line.push('\n');
        line
    }

    /// A cell as its line holds it.
    fn written(self, cell: Option<&str>) -> String {
        match (cell, self.csv) {
            (None, true) => String::new(),
            (None, false) => "\\N".to_owned(),
            (Some(text), true) => {
                let plain =
                    !text.is_empty() && text != "\\." && !text.contains(['"', '\n', '\r', self.delimiter]);
                match plain {
                    true => text.to_owned(),
                    false => format!("\"{}\"", text.replace('"', "\"\"")),
                }
            }
            (Some(text), false) => {
                let mut written = String::with_capacity(text.len());
                for letter in text.chars() {
                    match letter {
                        '\\' => written.push_str("\\\\"),
                        '\n' => written.push_str("\\n"),
                        '\r' => written.push_str("\\r"),
                        '\t' => written.push_str("\\t"),
                        '\u{8}' => written.push_str("\\b"),
                        '\u{b}' => written.push_str("\\v"),
                        '\u{c}' => written.push_str("\\f"),
                        other if other == self.delimiter => {
                            written.push('\\');
                            written.push(other);
                        }
                        other => written.push(other),
                    }
                }
                written
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_so_that_lines_can_be_taken_apart() {
        let text = Style { csv: false, delimiter: '\t' };
        let csv = Style { csv: true, delimiter: ';' };
        for (cell, as_text, as_csv) in [
            (None, "\\N", ""),
            (Some(""), "", "\"\""),
            (Some("a;b"), "a;b", "\"a;b\""),
            (Some("a\tb\\\n"), "a\\tb\\\\\\n", "\"a\tb\\\n\""),
            (Some("\"大\""), "\"大\"", "\"\"\"大\"\"\""),
            (Some("\\."), "\\\\.", "\"\\.\""),
        ] {
            assert_eq!(text.written(cell), as_text);
            assert_eq!(csv.written(cell), as_csv);
        }
    }
}

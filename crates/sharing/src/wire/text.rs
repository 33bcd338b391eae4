//! What a client's text asks for: one statement after another, each of one sort.
//!
//! Only what the door itself answers is understood here (transactions, settings, cursors, copies). Everything else
//! goes to the lake as it stands, which decides what is a query: a mistake here can fail a statement, and cannot make
//! one run that the lake would refuse.

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// For the lake.
    Query(String),
    /// `DECLARE name CURSOR FOR query`.
    Declare { name: String, query: String, hold: bool },
    /// `FETCH n FROM name`; all rows if no number is given.
    Fetch { name: String, rows: Option<usize> },
    /// `CLOSE name`, or all.
    Close(Option<String>),
    /// `COPY (query) TO STDOUT`, or `COPY table TO STDOUT`.
    Copy { query: String, csv: bool, header: bool, delimiter: Option<char> },
    /// `SET name = value`; none for the default.
    Set { name: String, value: Option<String>, local: bool },
    /// `RESET name`, or all.
    Reset(Option<String>),
    /// `SHOW name`.
    Show(String),
    /// `BEGIN` and the like.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`.
    Savepoint(&'static str),
    /// `ROLLBACK TO`.
    RollbackTo,
    /// `DEALLOCATE name`, or all.
    Deallocate(Option<String>),
    /// `DISCARD ALL`.
    Discard,
    /// What does nothing here and may be asked: `UNLISTEN *`.
    Nothing(&'static str),
    /// What no door runs.
    Refused,
}

/// A word, a quoted name, a string or a sign of SQL, and where it begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    kind: TokenKind,
    /// In lower case for words, without quotes for names and strings.
    text: String,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Word,
    Quoted,
    String,
    Sign,
}

/// The statements of a text, without the semicolons between them and without empty ones.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let tokens = tokens(text);
    let of = |part: &[Token]| {
        let (first, last) = (part.first()?, part.last()?);
        Some(read(part, text.get(first.start..last.end)?))
    };
    tokens.split(|token| token.kind == TokenKind::Sign && token.text == ";").filter_map(of).collect()
}

fn read(tokens: &[Token], text: &str) -> Statement {
    let word = |place: usize| {
        tokens
            .get(place)
            .filter(|token| token.kind == TokenKind::Word)
            .map_or("", |token| token.text.as_str())
    };
    match word(0) {
        "begin" | "start" => Statement::Begin,
        "commit" | "end" if word(1) != "prepared" => Statement::Commit,
        "rollback" | "abort" => {
            let at = usize::from(matches!(word(1), "work" | "transaction")) + 1;
            match word(at) {
                "to" => Statement::RollbackTo,
                "prepared" => Statement::Refused,
                _ => Statement::Rollback,
            }
        }
        "savepoint" => Statement::Savepoint("SAVEPOINT"),
        "release" => Statement::Savepoint("RELEASE"),
        "set" => set(tokens),
        "reset" => Statement::Reset(name_or_all(tokens.get(1..).unwrap_or_default())),
        "show" => Statement::Show(setting(tokens.get(1..).unwrap_or_default()).0),
        "discard" => Statement::Discard,
        "deallocate" => {
            let from = 1 + usize::from(word(1) == "prepare" && tokens.len() > 2);
            Statement::Deallocate(name_or_all(tokens.get(from..).unwrap_or_default()))
        }
        "unlisten" => Statement::Nothing("UNLISTEN"),
        "close" => Statement::Close(name_or_all(tokens.get(1..).unwrap_or_default())),
        "declare" => declare(tokens, text).unwrap_or(Statement::Refused),
        "fetch" => fetch(tokens).unwrap_or(Statement::Refused),
        "copy" => copy(tokens, text).unwrap_or(Statement::Refused),
        _ => Statement::Query(text.to_owned()),
    }
}

fn name_or_all(tokens: &[Token]) -> Option<String> {
    let first = tokens.first()?;
    let all = first.kind == TokenKind::Word && first.text == "all";
    (!all).then(|| setting(tokens).0)
}

/// A name of one or several parts, and how many tokens it takes. Names of several words are those of the standard.
fn setting(tokens: &[Token]) -> (String, usize) {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        ["time", "zone", ..] => ("timezone".to_owned(), 2),
        ["transaction", "isolation", "level", ..] => ("transaction_isolation".to_owned(), 3),
        ["session", "authorization", ..] => ("session_authorization".to_owned(), 2),
        [first, ".", second, ..] => (format!("{first}.{second}"), 3),
        [first, ..] => ((*first).to_owned(), 1),
        [] => (String::new(), 0),
    }
}

fn set(tokens: &[Token]) -> Statement {
    let mut rest = tokens.get(1..).unwrap_or_default();
    let mut local = false;
    if let [scope, next, ..] = rest
        && scope.kind == TokenKind::Word
        && matches!(scope.text.as_str(), "session" | "local")
        && !(scope.text == "session" && matches!(next.text.as_str(), "characteristics" | "authorization"))
    {
        local = scope.text == "local";
        rest = rest.get(1..).unwrap_or_default();
    }
    let words: Vec<&str> = rest.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        // Every transaction here only reads, at whatever level.
        ["transaction", ..] | ["session", "characteristics", ..] => return Statement::Nothing("SET"),
        ["names", ..] => {
            let value = rest.get(1).map(|token| token.text.clone());
            return Statement::Set { name: "client_encoding".to_owned(), value, local };
        }
        _ => {}
    }
    let (name, taken) = setting(rest);
    let mut values = rest.get(taken..).unwrap_or_default();
    if let Some(sign) = values.first()
        && (sign.text == "=" && sign.kind == TokenKind::Sign
            || sign.text == "to" && sign.kind == TokenKind::Word)
    {
        values = values.get(1..).unwrap_or_default();
    }
    let value = match values {
        [] => return Statement::Refused,
        [one] if one.kind == TokenKind::Word && one.text == "default" => None,
        // `-5` is two tokens.
        several => {
            let part = |token: &Token| match token.kind == TokenKind::Sign && token.text == "," {
                true => ", ".to_owned(),
                false => token.text.clone(),
            };
            Some(several.iter().map(part).collect())
        }
    };
    Statement::Set { name, value, local }
}

fn declare(tokens: &[Token], text: &str) -> Option<Statement> {
    let name = tokens.get(1)?.text.clone();
    let is = |token: &Token, word: &str| token.kind == TokenKind::Word && token.text == word;
    let cursor = tokens.iter().position(|token| is(token, "cursor"))?;
    let head = tokens.get(2..cursor)?;
    if head.iter().any(|token| token.text == "binary") {
        return None;
    }
    let query = cursor + tokens.get(cursor..)?.iter().position(|token| is(token, "for"))? + 1;
    let hold = tokens
        .get(cursor..query)?
        .windows(2)
        .any(|two| matches!(two, [first, second] if is(first, "with") && is(second, "hold")));
    let start = tokens.get(query)?.start - tokens.first()?.start;
    Some(Statement::Declare { name, query: text.get(start..)?.to_owned(), hold })
}

fn fetch(tokens: &[Token]) -> Option<Statement> {
    let name = tokens.last()?.text.clone();
    let middle: Vec<&str> = tokens
        .get(1..tokens.len().checked_sub(1)?)?
        .iter()
        .map(|token| token.text.as_str())
        .filter(|word| !matches!(*word, "from" | "in" | "forward" | "next"))
        .collect();
    let all = middle.as_slice() == ["all"];
    let rows = match middle.as_slice() {
        [] if !all => Some(1),
        ["all"] => None,
        [number] => Some(number.parse().ok()?),
        _ => return None,
    };
    (tokens.len() >= 2).then_some(Statement::Fetch { name, rows })
}

fn copy(tokens: &[Token], text: &str) -> Option<Statement> {
    let first = tokens.first()?.start;
    let mut depth = 0_usize;
    let to = tokens.iter().position(|token| {
        match token.text.as_str() {
            "(" if token.kind == TokenKind::Sign => depth += 1,
            ")" if token.kind == TokenKind::Sign => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.kind == TokenKind::Word && token.text == "to"
    })?;
    let what = tokens.get(1..to)?;
    let whole = text.get(what.first()?.start - first..what.last()?.end - first)?;
    let query = match what {
        [open, .., close] if open.text == "(" && open.kind == TokenKind::Sign && close.text == ")" => {
            whole.get(1..whole.len() - 1)?.to_owned()
        }
        [_] | [_, _, _] if !what.iter().any(|token| token.text == "(") => format!("SELECT * FROM {whole}"),
        [table @ .., open, columns, close] if open.text == "(" && close.text == ")" => {
            let table = text.get(table.first()?.start - first..table.last()?.end - first)?;
            format!("SELECT {} FROM {table}", text.get(columns.start - first..columns.end - first)?)
        }
        _ => {
            // `table (a, b, c)`
            let open = what.iter().position(|token| token.text == "(")?;
            let table = text.get(what.first()?.start - first..what.get(open)?.start - first)?;
            let columns = text.get(what.get(open)?.end - first..what.last()?.start - first)?;
            format!("SELECT {columns} FROM {table}")
        }
    };
    let target = tokens.get(to + 1)?;
    if target.kind != TokenKind::Word || target.text != "stdout" {
        return None;
    }
    let options: Vec<&Token> = tokens.get(to + 2..)?.iter().collect();
    let (mut csv, mut header, mut delimiter) = (false, false, None);
    let mut place = 0;
    while let Some(option) = options.get(place) {
        place += 1;
        match (option.kind, option.text.as_str()) {
            (TokenKind::Word, "csv") => csv = true,
            (TokenKind::Word, "header") => {
                header =
                    !options.get(place).is_some_and(|next| matches!(next.text.as_str(), "false" | "off"));
            }
            (TokenKind::Word, "delimiter" | "delimiters") => {
                let text = options.iter().skip(place).find(|next| next.kind == TokenKind::String)?;
                let mut letters = text.text.chars();
                delimiter = letters.next().filter(|letter| letter.is_ascii() && letters.next().is_none());
                delimiter?;
            }
            (TokenKind::Word, "with" | "format" | "text" | "true" | "on" | "false" | "off" | "as")
            | (TokenKind::Sign, "(" | ")" | ",")
            | (TokenKind::String, _) => {}
            _ => return None,
        }
    }
    Some(Statement::Copy { query, csv, header, delimiter })
}

/// The tokens of a text. Comments are between them, strings and quoted names are one each.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (length, token) = match first {
            _ if first.is_whitespace() => (first.len_utf8(), None),
            _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
            _ if rest.starts_with("/*") => (comment(rest), None),
            '\'' => {
                let (length, text) = quoted(rest, '\'', false);
                (length, Some((TokenKind::String, text)))
            }
            '"' => {
                let (length, text) = quoted(rest, '"', false);
                (length, Some((TokenKind::Quoted, text)))
            }
            'e' | 'E' if rest.get(1..).is_some_and(|next| next.starts_with('\'')) => {
                let (length, text) = quoted(rest.get(1..).unwrap_or_default(), '\'', true);
                (length + 1, Some((TokenKind::String, text)))
            }
            '$' if let Some(length) = dollar(rest) => {
                (length, Some((TokenKind::String, rest.get(..length).unwrap_or_default().to_owned())))
            }
            _ if first.is_alphanumeric() || first == '_' || first == '$' => {
                let length = rest
                    .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
                    .unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default().to_lowercase();
                (length, Some((TokenKind::Word, word)))
            }
            _ => (first.len_utf8(), Some((TokenKind::Sign, first.to_string()))),
        };
        if let Some((kind, text)) = token {
            tokens.push(Token { kind, text, start, end: start + length });
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

/// The length of a comment at the beginning, those within it counted.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut place = 0;
    while let Some(rest) = text.get(place..) {
        if rest.starts_with("/*") {
            depth += 1;
            place += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else if let Some(letter) = rest.chars().next() {
            place += letter.len_utf8();
        } else {
            break;
        }
    }
    text.len()
}

/// The length of what is quoted at the beginning, and what it says.
fn quoted(text: &str, quote: char, escapes: bool) -> (usize, String) {
    let mut said = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((place, letter)) = letters.next() {
        if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                said.push(quote);
                letters.next();
            } else {
                return (place + quote.len_utf8(), said);
            }
        } else if escapes && letter == '\\' {
            said.extend(letters.next().map(|(_, next)| match next {
                't' => '\t',
                'n' => '\n',
                other => other,
            }));
        } else {
            said.push(letter);
        }
    }
    (text.len(), said)
}

/// The length of a string in dollars at the beginning: `$$…$$`, `$tag$…$tag$`. A parameter is none.
fn dollar(text: &str) -> Option<usize> {
    let tag = text.get(1..)?.find('$')? + 2;
    let (open, rest) = text.split_at_checked(tag)?;
    let name = open.get(1..tag - 1)?;
    let is_tag = !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_tag.then(|| rest.find(open).map_or(text.len(), |end| tag + end + tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Statement {
        let mut all = statements(text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        all.remove(0)
    }

    #[test]
    fn semicolons_part_statements_but_not_within_quotes_and_comments() {
        let text = "SELECT ';' AS \"a;b\"; /* ; /* ; */ ; */ SELECT $$;$$ -- ;\n, $t$;$$;$t$ ;; SELECT E'\\';', $1; ";
        let all = statements(text);
        assert_eq!(
            all,
            ["SELECT ';' AS \"a;b\"", "SELECT $$;$$ -- ;\n, $t$;$$;$t$", "SELECT E'\\';', $1",]
                .map(|query| Statement::Query(query.to_owned()))
        );
        assert!(statements(" ; -- nothing\n;/* */").is_empty());
        for unended in ["SELECT 'a;", "SELECT \"a;", "SELECT /* ;", "SELECT $$ ;", "SELECT E'\\"] {
            assert_eq!(
                statements(unended),
                [Statement::Query(unended.trim_end_matches("/* ;").trim_end().to_owned())]
            );
        }
    }

    #[test]
    fn settings_are_read_in_every_spelling() {
        let set = |name: &str, value: Option<&str>| Statement::Set {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            local: false,
        };
        assert_eq!(one("SET yiwang.purpose = '防疫'"), set("yiwang.purpose", Some("防疫")));
        assert_eq!(one("set SESSION search_path TO public, \"x\""), set("search_path", Some("public, x")));
        assert_eq!(one("SET TIME ZONE 'Asia/Shanghai'"), set("timezone", Some("Asia/Shanghai")));
        assert_eq!(one("SET extra_float_digits = -5"), set("extra_float_digits", Some("-5")));
        assert_eq!(one("SET NAMES 'UTF8'"), set("client_encoding", Some("UTF8")));
        assert_eq!(one("SET a TO DEFAULT"), set("a", None));
        assert_eq!(one("SET TRANSACTION READ ONLY"), Statement::Nothing("SET"));
        assert_eq!(one("RESET ALL"), Statement::Reset(None));
        assert_eq!(one("RESET yiwang.case"), Statement::Reset(Some("yiwang.case".to_owned())));
        assert_eq!(
            one("SHOW TRANSACTION ISOLATION LEVEL"),
            Statement::Show("transaction_isolation".to_owned())
        );
        assert!(matches!(one("SET LOCAL a = 1"), Statement::Set { local: true, .. }));
    }

    #[test]
    fn cursors_and_copies_are_read() {
        let declare = |name: &str, query: &str, hold| Statement::Declare {
            name: name.to_owned(),
            query: query.to_owned(),
            hold,
        };
        assert_eq!(one("DECLARE c CURSOR FOR SELECT 1"), declare("c", "SELECT 1", false));
        assert_eq!(
            one("declare \"My c\" no scroll cursor with hold for select $1"),
            declare("My c", "select $1", true)
        );
        let fetch = |rows| Statement::Fetch { name: "c".to_owned(), rows };
        assert_eq!(one("FETCH FORWARD 100 FROM c"), fetch(Some(100)));
        assert_eq!(one("FETCH ALL IN c"), fetch(None));
        assert_eq!(one("FETCH NEXT FROM c"), fetch(Some(1)));
        assert_eq!(one("FETCH c"), fetch(Some(1)));
        assert_eq!(one("FETCH BACKWARD 1 FROM c"), Statement::Refused);
        let copy = |text: &str| match one(text) {
            Statement::Copy { query, csv, header, delimiter } => (query, csv, header, delimiter),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            copy("COPY (SELECT ')' , 1) TO STDOUT"),
            ("SELECT ')' , 1".to_owned(), false, false, None)
        );
        assert_eq!(
            copy("COPY  ( SELECT 1 ) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER ';')"),
            (" SELECT 1 ".to_owned(), true, true, Some(';'))
        );
        assert_eq!(
            copy("copy persons to stdout csv header"),
            ("SELECT * FROM persons".to_owned(), true, true, None)
        );
        assert_eq!(copy("COPY p (a, b) TO STDOUT").0, "SELECT a, b FROM p ");
        for refused in [
            "COPY persons FROM STDIN",
            "COPY persons TO '/tmp/x'",
            "COPY (SELECT 1) TO PROGRAM 'sh'",
            "COPY (SELECT 1) TO STDOUT WITH (FORMAT binary)",
            "COPY",
            "DECLARE c",
            "FETCH",
        ] {
            assert_eq!(one(refused), Statement::Refused, "{refused}");
        }
    }

    #[test]
    fn transactions_are_read() {
        for (text, wanted) in [
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", Statement::Begin),
            ("START TRANSACTION READ ONLY", Statement::Begin),
            ("END", Statement::Commit),
            ("ABORT", Statement::Rollback),
            ("ROLLBACK WORK", Statement::Rollback),
            ("ROLLBACK TO SAVEPOINT a", Statement::RollbackTo),
            ("SAVEPOINT a", Statement::Savepoint("SAVEPOINT")),
            ("DEALLOCATE \"_pg3_0\"", Statement::Deallocate(Some("_pg3_0".to_owned()))),
            ("DEALLOCATE PREPARE a", Statement::Deallocate(Some("a".to_owned()))),
            ("DEALLOCATE ALL", Statement::Deallocate(None)),
            ("CLOSE ALL", Statement::Close(None)),
            ("/* c */ DISCARD ALL", Statement::Discard),
            ("EXPLAIN SELECT 1", Statement::Query("EXPLAIN SELECT 1".to_owned())),
        ] {
            assert_eq!(one(text), wanted, "{text}");
        }
    }
}

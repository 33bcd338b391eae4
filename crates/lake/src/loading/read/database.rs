//! A table of another database, PostgreSQL or MySQL, read row by row as it was at one moment.
//!
//! Every column is asked for as text, so that no type of theirs has to be understood twice. Rows come in the order
//! of the primary key, or of all columns where there is none: the same table gives the same rows in the same
//! order, by which a load that is run again is known. Names are quoted, and an address may say nothing but whom
//! to ask: parameters that name files or another host are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor, Row};
use tokio::sync::Mutex;
use url::Url;

use super::file::check_columns;
use crate::Kind;
use crate::loading::error::{LoadError, Reason};
use crate::loading::record::{Cell, Cells, Record};
use crate::loading::source::{Addresses, Form, Head, Message, Reading, Sender};

const CONNECT: Duration = Duration::from_secs(20);
/// Rows that are sent on at once.
const ROWS: usize = 1_024;
const BYTES: usize = 1 << 20;

/// Whom to ask, and for what.
#[derive(Clone)]
pub(crate) struct Address {
    server: Server,
    /// The schema if one was named, and the table.
    schema: Option<String>,
    table: String,
}

#[derive(Clone)]
enum Server {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password.
        f.debug_struct("Address")
            .field("schema", &self.schema)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl Address {
    pub(crate) fn new(url: &Url, table: &str, addresses: &Addresses) -> Result<Self, LoadError> {
        addresses.check(url)?;
        let refused = |what: &str| LoadError::Reading(format!("the address of a database: {what}"));
        let text = |part: &str| percent_decode(part).ok_or_else(|| refused("a part of it is no text"));
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let local = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let mut mode = None;
        for (name, value) in url.query_pairs() {
            if name != "sslmode" || mode.is_some() {
                return Err(refused("`sslmode` is its only parameter"));
            }
            mode = Some(value.into_owned());
        }
        let database = text(url.path().trim_start_matches('/'))?;
        let (user, password) = (text(url.username())?, url.password().map(text).transpose()?);
        let bad_mode = |_| refused("`sslmode` is not known");
        let server = match url.scheme() {
            "postgres" | "postgresql" => {
                let mut options = PgConnectOptions::new_without_pgpass()
                    .host(&host)
                    .port(url.port().unwrap_or(5432))
                    .username(&user)
                    .database(&database)
                    .application_name("yiwang")
                    .ssl_mode(if local { PgSslMode::Prefer } else { PgSslMode::Require });
                if let Some(password) = password {
                    options = options.password(&password);
                }
                if let Some(mode) = mode {
                    options = options.ssl_mode(mode.parse().map_err(bad_mode)?);
                }
                Server::Postgres(Box::new(options.disable_statement_logging()))
            }
            _ => {
                let mut options = MySqlConnectOptions::new()
                    .host(&host)
                    .port(url.port().unwrap_or(3306))
                    .username(&user)
                    .database(&database)
                    // Times without a zone and times with one are then alike: as clocks in China show them.
                    .timezone("+08:00".to_owned())
                    .ssl_mode(if local { MySqlSslMode::Preferred } else { MySqlSslMode::Required });
                if let Some(password) = password {
                    options = options.password(&password);
                }
                if let Some(mode) = mode {
                    options = options.ssl_mode(mode.replace('-', "_").parse().map_err(bad_mode)?);
                }
                Server::MySql(Box::new(options.disable_statement_logging()))
            }
        };
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
            None => (None, table.to_owned()),
        };
        for name in schema.iter().chain([&table]) {
            if name.is_empty() || name.len() > 128 || name.contains(['\0', '.']) {
                return Err(LoadError::Reading(format!("`{name}` is no name of a table")));
            }
        }
        Ok(Self { server, schema, table })
    }
}

fn percent_decode(part: &str) -> Option<String> {
    // The crate `url` leaves what was escaped as it is.
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

enum Connection {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

struct Found {
    name: String,
    kind: Option<Kind>,
    /// How it is asked for.
    expression: String,
    /// Its place in the primary key.
    key: Option<i64>,
}

/// A table as it was at one moment.
pub(crate) struct Snapshot {
    connection: Arc<Mutex<Connection>>,
    columns: Vec<Found>,
    sql: String,
}

impl Snapshot {
    pub(crate) async fn open(address: &Address) -> Result<Self, LoadError> {
        let opened = tokio::time::timeout(CONNECT, connect(&address.server)).await;
        let mut connection =
            opened.map_err(|_| LoadError::Unreadable("the database does not answer".to_owned()))??;
        let (columns, table, order) = match &mut connection {
            Connection::Postgres(connection) => {
                let table = qualified(address, quote_postgres);
                let columns = postgres_columns(connection, &table).await?;
                let order = order(&columns, quote_postgres, |column| format!("{column}::text COLLATE \"C\""));
                (columns, table, order)
            }
            Connection::MySql(connection) => {
                let columns = mysql_columns(connection, address).await?;
                let order = order(&columns, quote_mysql, |column| format!("CAST({column} AS BINARY)"));
                (columns, qualified(address, quote_mysql), order)
            }
        };
        if columns.is_empty() {
            return Err(LoadError::Unreadable(format!("there is no table `{}`", address.table)));
        }
        let wanted: Vec<&str> = columns.iter().map(|column| column.expression.as_str()).collect();
        let sql = format!("SELECT {} FROM {table} ORDER BY {order}", wanted.join(", "));
        Ok(Self { connection: Arc::new(Mutex::new(connection)), columns, sql })
    }

    /// Sends the rows from the first on.
    pub(crate) async fn read(&mut self, sender: Sender, done: Arc<AtomicU64>) -> Result<(), LoadError> {
        let columns: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        check_columns(columns.len())?;
        let head = Head {
            kinds: self.columns.iter().map(|column| column.kind).collect(),
            columns,
            reading: Reading { form: Some(Form::Table), ..Reading::default() },
            ..Head::default()
        };
        let (connection, sql) = (self.connection.clone(), self.sql.clone());
        tokio::spawn(async move {
            if sender.send(Ok(Message::Head(Box::new(head)))).await.is_err() {
                return;
            }
            let mut connection = connection.lock().await;
            let outcome = match &mut *connection {
                Connection::Postgres(connection) => {
                    let rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
                    send(rows.map_ok(|row| cells(&row, PgRow::len(&row))), &sender, &done).await
                }
                Connection::MySql(connection) => {
                    let rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
                    send(rows.map_ok(|row| cells(&row, MySqlRow::len(&row))), &sender, &done).await
                }
            };
            // Whoever has gone does not miss the end.
            drop(sender.send(outcome.map(|()| Message::End)).await);
        });
        Ok(())
    }
}

async fn connect(server: &Server) -> Result<Connection, LoadError> {
    match server {
        Server::Postgres(options) => {
            let mut connection = PgConnection::connect_with(options).await.map_err(LoadError::Database)?;
            for sql in [
                "SET DateStyle = 'ISO, YMD'",
                "SET TimeZone = 'UTC'",
                "SET bytea_output = 'hex'",
                "SET extra_float_digits = 3",
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ] {
                connection.execute(sql).await.map_err(LoadError::Database)?;
            }
            Ok(Connection::Postgres(connection))
        }
        Server::MySql(options) => {
            let mut connection = MySqlConnection::connect_with(options).await.map_err(LoadError::Database)?;
            for sql in [
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ] {
                sqlx::raw_sql(sql).execute(&mut connection).await.map_err(LoadError::Database)?;
            }
            Ok(Connection::MySql(connection))
        }
    }
}

/// The cells of a row, or none if some are no text.
fn cells<R: Row>(row: &R, many: usize) -> Option<Cells>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> Option<&'r str>: sqlx::Decode<'r, R::Database>,
{
    let mut cells = Cells::default();
    for column in 0..many {
        match row.try_get_unchecked::<Option<&str>, usize>(column).ok()? {
            None => cells.push(Cell::Empty),
            Some(text) => cells.push(Cell::Text(text)),
        }
    }
    Some(cells)
}

async fn send(
    mut rows: impl futures_util::Stream<Item = Result<Option<Cells>, sqlx::Error>> + Unpin,
    sender: &Sender,
    done: &AtomicU64,
) -> Result<(), LoadError> {
    let (mut records, mut bytes, mut number) = (Vec::new(), 0, 0);
    while let Some(cells) = rows.try_next().await.map_err(LoadError::Database)? {
        number += 1;
        let record = match cells {
            Some(cells) if !cells.has_nul() => Record::whole(number, cells),
            Some(cells) => Record::broken(number, Reason::Encoding, &Record::whole(number, cells).to_csv()),
            None => Record::broken(number, Reason::Encoding, ""),
        };
        bytes += record.cells.bytes();
        records.push(record);
        if records.len() >= ROWS || bytes >= BYTES {
            done.fetch_add(bytes as u64, Ordering::Relaxed);
            bytes = 0;
            if sender.send(Ok(Message::Rows(std::mem::take(&mut records)))).await.is_err() {
                return Ok(());
            }
        }
    }
    done.fetch_add(bytes as u64, Ordering::Relaxed);
    // Whoever has gone does not miss the rest.
    drop(sender.send(Ok(Message::Rows(records))).await);
    Ok(())
}

fn quote_postgres(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quote_mysql(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn qualified(address: &Address, quote: fn(&str) -> String) -> String {
    match &address.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&address.table)),
        None => quote(&address.table),
    }
}

fn order(columns: &[Found], quote: fn(&str) -> String, whole: fn(&str) -> String) -> String {
    let mut key: Vec<&Found> = columns.iter().filter(|column| column.key.is_some()).collect();
    key.sort_by_key(|column| column.key);
    let order: Vec<String> = if key.is_empty() {
        columns.iter().map(|column| whole(&quote(&column.name))).collect()
    } else {
        key.iter().map(|column| quote(&column.name)).collect()
    };
    order.join(", ")
}

async fn postgres_columns(connection: &mut PgConnection, table: &str) -> Result<Vec<Found>, LoadError> {
    let rows = sqlx::query(
        "SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
                array_position(i.indkey::int2[], a.attnum)::bigint AS key
           FROM pg_attribute a
           LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
          WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY a.attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await
    .map_err(LoadError::Database)?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get("name")?;
            let type_: String = row.try_get("type")?;
            let expression = format!("{}::text", quote_postgres(&name));
            Ok(Found { kind: postgres_kind(&type_), expression, key: row.try_get("key")?, name })
        })
        .collect::<Result<_, sqlx::Error>>()
        .map_err(LoadError::Database)
}

fn postgres_kind(type_: &str) -> Option<Kind> {
    match type_ {
        "smallint" | "integer" | "bigint" => Some(Kind::Integer),
        "real" | "double precision" => Some(Kind::Float),
        "boolean" => Some(Kind::Boolean),
        "date" => Some(Kind::Date),
        _ if type_.starts_with("timestamp") => Some(Kind::Timestamp),
        _ => {
            let (precision, scale) = type_.strip_prefix("numeric(")?.strip_suffix(')')?.split_once(',')?;
            decimal(precision.parse().ok()?, scale.parse().ok()?)
        }
    }
}

fn decimal(precision: i64, scale: i64) -> Option<Kind> {
    (precision <= 38 && (0..38).contains(&scale)).then(|| u8::try_from(scale).ok().map(Kind::Decimal))?
}

async fn mysql_columns(connection: &mut MySqlConnection, address: &Address) -> Result<Vec<Found>, LoadError> {
    let rows = sqlx::query(
        "SELECT CAST(c.column_name AS CHAR) AS name, CAST(c.data_type AS CHAR) AS type,
                CAST(c.column_type AS CHAR) AS whole_type,
                CAST(COALESCE(c.numeric_precision, 0) AS SIGNED) AS digits,
                CAST(COALESCE(c.numeric_scale, 0) AS SIGNED) AS scale,
                CAST(s.seq_in_index AS SIGNED) AS key_place
           FROM information_schema.columns c
           LEFT JOIN information_schema.statistics s
             ON s.table_schema = c.table_schema AND s.table_name = c.table_name
                AND s.column_name = c.column_name AND s.index_name = 'PRIMARY'
          WHERE c.table_schema = COALESCE(?, DATABASE()) AND c.table_name = ?
          ORDER BY c.ordinal_position",
    )
    .bind(address.schema.as_deref())
    .bind(&address.table)
    .fetch_all(connection)
    .await
    .map_err(LoadError::Database)?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get_unchecked("name")?;
            let type_: String = row.try_get_unchecked("type")?;
            let whole: String = row.try_get_unchecked("whole_type")?;
            let (digits, scale): (i64, i64) = (row.try_get("digits")?, row.try_get("scale")?);
            let quoted = quote_mysql(&name);
            let (kind, expression) = match type_.as_str() {
                _ if whole == "tinyint(1)" => (Some(Kind::Boolean), format!("CAST({quoted} AS CHAR)")),
                "bigint" if whole.contains("unsigned") => {
                    (Some(Kind::Decimal(0)), format!("CAST({quoted} AS CHAR)"))
                }
                "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => {
                    (Some(Kind::Integer), format!("CAST({quoted} AS CHAR)"))
                }
                "decimal" => (decimal(digits, scale), format!("CAST({quoted} AS CHAR)")),
                // As a double, for a single is shown with six digits.
                "float" | "double" => (Some(Kind::Float), format!("CAST({quoted} + 0e0 AS CHAR)")),
                "date" => (Some(Kind::Date), format!("CAST({quoted} AS CHAR)")),
                "datetime" | "timestamp" => (Some(Kind::Timestamp), format!("CAST({quoted} AS CHAR)")),
                "bit" => (None, format!("CAST({quoted} + 0 AS CHAR)")),
                "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                    (None, format!("LOWER(HEX({quoted}))"))
                }
                _ => (None, format!("CAST({quoted} AS CHAR)")),
            };
            Ok(Found { name, kind, expression, key: row.try_get("key_place")? })
        })
        .collect::<Result<_, sqlx::Error>>()
        .map_err(LoadError::Database)
}

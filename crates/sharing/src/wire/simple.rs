//! Statements as text, one after another, and what the door answers itself.

use lake::CellKind;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{DataRow, RowDescription};
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;

use super::connection::Connection;
use super::encode::{self, Formats};
use super::error::Failure;
use super::settings::Settings;
use super::text::{self, Statement};

impl Connection {
    /// Answers a text of statements. The first that fails is the last.
    pub(super) async fn simple(&mut self, sql: &str) -> Result<(), Failure> {
        let statements = text::statements(sql);
        if statements.is_empty() {
            self.send(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for statement in statements {
            self.allowed(&statement)?;
            self.one(statement).await?;
            self.note_end(None).await;
        }
        if self.transaction == TransactionStatus::Idle {
            self.close_portals(false).await;
        }
        self.ready().await
    }

    async fn one(&mut self, statement: Statement) -> Result<(), Failure> {
        match statement {
            Statement::Query(query) => {
                let columns = self.begin(&query, None, &[], &[], None).await?;
                self.describe_rows(&columns, &Formats::default()).await?;
                let (sent, _) = self.send_rows(&Formats::default(), None).await?;
                self.done(format!("SELECT {sent}")).await
            }
            Statement::Declare { name, query, hold } => {
                self.declare(&name, &query, hold, Vec::new(), Vec::new(), None).await?;
                self.done("DECLARE CURSOR").await
            }
            Statement::Fetch { name, rows } => {
                let columns = self.cursor_columns(&name)?;
                self.describe_rows(&columns, &Formats::default()).await?;
                let sent = self.fetch(&name, rows, &Formats::default()).await?;
                self.done(format!("FETCH {sent}")).await
            }
            Statement::Show(name) => {
                self.describe_rows(&[(name.clone(), CellKind::Text)], &Formats::default()).await?;
                self.show(&name).await
            }
            other => self.command(other).await,
        }
    }

    /// Whether a statement may be answered now: in a transaction that failed, only its end.
    pub(super) fn allowed(&self, statement: &Statement) -> Result<(), Failure> {
        let ends = matches!(statement, Statement::Commit | Statement::Rollback | Statement::RollbackTo);
        match self.transaction == TransactionStatus::Error && !ends {
            true => {
                let text = "the transaction has failed; nothing is answered until it ends";
                Err(Failure::new("25P02", "wire.transaction_failed", text))
            }
            false => Ok(()),
        }
    }

    pub(super) async fn describe_rows(
        &mut self,
        columns: &[(String, CellKind)],
        formats: &Formats,
    ) -> Result<(), Failure> {
        let description = RowDescription::new(encode::fields(columns, formats));
        self.send(PgWireBackendMessage::RowDescription(description)).await
    }

    /// `SHOW`: the row, and that it is done.
    pub(super) async fn show(&mut self, name: &str) -> Result<(), Failure> {
        let Some(value) = self.settings.get(name) else {
            return Err(Failure::new("42704", "wire.setting", "there is no such setting"));
        };
        let mut row = bytes::BytesMut::new();
        bytes::BufMut::put_i32(&mut row, i32::try_from(value.len()).unwrap_or(i32::MAX));
        row.extend_from_slice(value.as_bytes());
        self.send(PgWireBackendMessage::DataRow(DataRow::new(row, 1))).await?;
        self.done("SHOW").await
    }

    /// What answers with no rows.
    pub(super) async fn command(&mut self, statement: Statement) -> Result<(), Failure> {
        let tag = match statement {
            Statement::Copy { query, csv, header, delimiter } => {
                return self.copy(&query, csv, header, delimiter).await;
            }
            Statement::Set { name, value, local } => {
                self.set(&name, value.as_deref(), local).await?;
                "SET"
            }
            Statement::Reset(Some(name)) => {
                self.set(&name, None, false).await?;
                "RESET"
            }
            Statement::Reset(None) => {
                self.settings.reset();
                "RESET"
            }
            Statement::Begin => {
                if self.transaction == TransactionStatus::Idle {
                    self.transaction = TransactionStatus::Transaction;
                    self.before = Some((self.settings.clone(), Vec::new()));
                }
                "BEGIN"
            }
            Statement::Commit => match self.transaction {
                TransactionStatus::Error => self.end_transaction(false).await,
                _ => self.end_transaction(true).await,
            },
            Statement::Rollback => self.end_transaction(false).await,
            Statement::RollbackTo => {
                if self.transaction == TransactionStatus::Error {
                    self.transaction = TransactionStatus::Transaction;
                }
                "ROLLBACK"
            }
            Statement::Savepoint(tag) => match self.transaction {
                TransactionStatus::Idle => {
                    return Err(Failure::new("25P01", "wire.no_transaction", "there is no transaction"));
                }
                _ => tag,
            },
            Statement::Close(Some(name)) => match self.close_portal(&name).await {
                true => "CLOSE CURSOR",
                false => return Err(Failure::new("34000", "wire.no_cursor", "there is no such cursor")),
            },
            Statement::Close(None) => {
                self.close_portals(true).await;
                "CLOSE CURSOR ALL"
            }
            Statement::Deallocate(Some(name)) => match self.statements.remove(&name) {
                Some(_) => "DEALLOCATE",
                None => return Err(Failure::new("26000", "wire.no_statement", "there is no such statement")),
            },
            Statement::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            Statement::Discard => {
                self.close_portals(true).await;
                self.statements.clear();
                self.settings.reset();
                "DISCARD ALL"
            }
            Statement::Nothing(tag) => tag,
            // Those with rows are answered elsewhere.
            Statement::Refused
            | Statement::Query(_)
            | Statement::Declare { .. }
            | Statement::Fetch { .. }
            | Statement::Show(_) => {
                return Err(Failure::new("42501", "lake.not_a_query", "only queries are run"));
            }
        };
        self.done(tag).await
    }

    async fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<(), Failure> {
        if local {
            let old = self.settings.get(name).map(str::to_owned);
            match &mut self.before {
                Some((_, locals)) => locals.push((name.to_owned(), old)),
                // As PostgreSQL: outside of a transaction it is over at once.
                None => return Settings::default().set(name, value).map(drop),
            }
        }
        let told = self.settings.set(name, value)?;
        self.tell(told).await
    }

    /// Tells a client of a setting that it keeps account of.
    async fn tell(&mut self, told: Option<&'static str>) -> Result<(), Failure> {
        let Some(told) = told else { return Ok(()) };
        let value = self.settings.get(told).unwrap_or_default().to_owned();
        self.send(PgWireBackendMessage::ParameterStatus(ParameterStatus::new(told.to_owned(), value))).await
    }

    /// Ends the transaction: there is nothing to keep or undo but settings. The tag of what was done.
    async fn end_transaction(&mut self, keep: bool) -> &'static str {
        self.transaction = TransactionStatus::Idle;
        self.close_portals(false).await;
        if let Some((before, locals)) = self.before.take() {
            match keep {
                true => {
                    for (name, old) in locals.into_iter().rev() {
                        // It was set just so before, and so can be again.
                        let _ = self.settings.set(&name, old.as_deref());
                    }
                }
                false => self.settings = before,
            }
        }
        if keep { "COMMIT" } else { "ROLLBACK" }
    }
}

//! Statements that are prepared, bound to values, described and run one step at a time.

use lake::{Cell, CellKind};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, PortalSuspended,
};
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};

use super::connection::Connection;
use super::cursors::{Portal, PortalState};
use super::encode::Formats;
use super::error::Failure;
use super::run::Ready;
use super::text::{self, Statement};
use super::{decode, types};

/// A statement that was prepared.
pub(super) struct Stored {
    /// None for a text without a statement.
    statement: Option<Statement>,
    /// The types that the client gave, and was told, for its parameters.
    types: Vec<u32>,
    declared: Vec<Option<CellKind>>,
    kinds: Vec<CellKind>,
    columns: Option<Vec<(String, CellKind)>>,
    ready: Option<Ready>,
}

impl Connection {
    pub(super) async fn parse(&mut self, parse: Parse) -> Result<(), Failure> {
        let name = parse.name.unwrap_or_default();
        let mut statements = text::statements(&parse.query);
        let statement = statements.pop();
        if !statements.is_empty() {
            return Err(Failure::new("42601", "lake.several_statements", "one statement at a time"));
        }
        if let Some(statement) = &statement {
            self.allowed(statement)?;
        }
        let declared: Vec<_> = parse.type_oids.iter().map(|oid| types::kind(*oid)).collect();
        let query = match &statement {
            Some(Statement::Query(query) | Statement::Declare { query, .. }) => Some(query.clone()),
            _ => None,
        };
        let ready = match &query {
            None => None,
            Some(query) => match self.understand(query, &declared).await {
                Ok(ready) => Some(ready),
                Err(failure) => {
                    // Refused or not understood: that it was asked is noted as well.
                    self.note_begin(query).await?;
                    return Err(failure);
                }
            },
        };
        let kinds = ready.as_ref().map(|ready| ready.prepared.parameters()).unwrap_or_default();
        let columns = match &statement {
            Some(Statement::Query(_)) => ready.as_ref().map(|ready| ready.prepared.columns().to_vec()),
            Some(Statement::Show(name)) => Some(vec![(name.clone(), CellKind::Text)]),
            // A cursor may be opened only after its FETCH was prepared.
            Some(Statement::Fetch { name, .. }) => self.cursor_columns(name).ok(),
            _ => None,
        };
        let types = kinds
            .iter()
            .enumerate()
            .map(|(place, kind)| match parse.type_oids.get(place) {
                Some(oid) if *oid != 0 && types::kind(*oid).is_some() => *oid,
                _ if query.as_ref().is_some_and(|query| types::casts_to_oids(query, place)) => types::OIDS,
                _ => types::oid(kind),
            })
            .collect();
        if self.statements.len() >= self.shared.limits.kept && !self.statements.contains_key(&name) {
            return Err(Failure::new("54000", "wire.too_many_statements", "too many statements are kept"));
        }
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(Failure::new("42P05", "wire.statement_exists", "there is a statement of this name"));
        }
        self.statements.insert(name, Stored { statement, types, declared, kinds, columns, ready });
        self.send(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await
    }

    pub(super) async fn bind(&mut self, bind: Bind) -> Result<(), Failure> {
        let stored = self
            .statements
            .get_mut(bind.statement_name.as_deref().unwrap_or_default())
            .ok_or_else(no_statement)?;
        if bind.parameters.len() != stored.kinds.len() {
            let text = format!("{} values for {} parameters", bind.parameters.len(), stored.kinds.len());
            return Err(Failure::protocol(text));
        }
        let formats = Formats::new(&bind.parameter_format_codes);
        let mut values = Vec::with_capacity(bind.parameters.len());
        for (place, value) in bind.parameters.iter().enumerate() {
            let kind = stored
                .types
                .get(place)
                .and_then(|oid| types::kind(*oid))
                .or_else(|| stored.kinds.get(place).cloned())
                .unwrap_or(CellKind::Text);
            let cell = match value {
                None => Some(Cell::Empty),
                Some(bytes) if formats.is_binary(place) => decode::binary(&kind, bytes),
                Some(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| match text.contains('\0') {
                    true => None,
                    false => decode::text(&kind, text),
                }),
            };
            values.push(cell.ok_or_else(|| {
                let text = format!("the value of parameter {} is none of its type", place + 1);
                Failure::new("22P02", "lake.parameter", text)
            })?);
        }
        let portal = Portal {
            statement: stored.statement.clone(),
            declared: stored.declared.clone(),
            values,
            formats: Formats::new(&bind.result_column_format_codes),
            columns: stored.columns.clone(),
            // It belongs to the first that asks: later ones see what is granted then.
            ready: stored.ready.take(),
            state: PortalState::Bound,
            hold: false,
        };
        let name = bind.portal_name.unwrap_or_default();
        if !name.is_empty() && self.portals.contains_key(&name) {
            return Err(Failure::new("42P03", "wire.cursor_exists", "there is a cursor of this name"));
        }
        self.keep_portal(&name, portal).await?;
        self.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await
    }

    pub(super) async fn describe(&mut self, describe: Describe) -> Result<(), Failure> {
        let name = describe.name.unwrap_or_default();
        let (columns, formats) = match describe.target_type {
            b'S' => {
                let stored = self.statements.get(&name).ok_or_else(no_statement)?;
                let (types, columns) =
                    (stored.types.clone(), self.columns_now(&stored.statement, &stored.columns));
                let description = ParameterDescription::new(types);
                self.send(PgWireBackendMessage::ParameterDescription(description)).await?;
                (columns, Formats::default())
            }
            b'P' => {
                let portal = self.portals.get(&name).ok_or_else(no_portal)?;
                (self.columns_now(&portal.statement, &portal.columns), portal.formats.clone())
            }
            _ => return Err(Failure::protocol("neither a statement nor a portal is to be described")),
        };
        match columns {
            Some(columns) => self.describe_rows(&columns, &formats).await,
            None => self.send(PgWireBackendMessage::NoData(NoData::new())).await,
        }
    }

    fn columns_now(
        &self,
        statement: &Option<Statement>,
        known: &Option<Vec<(String, CellKind)>>,
    ) -> Option<Vec<(String, CellKind)>> {
        match (known, statement) {
            (None, Some(Statement::Fetch { name, .. })) => self.cursor_columns(name).ok(),
            (known, _) => known.clone(),
        }
    }

    pub(super) async fn execute(&mut self, execute: Execute) -> Result<(), Failure> {
        let name = execute.name.unwrap_or_default();
        let most = usize::try_from(execute.max_rows).ok().filter(|rows| *rows > 0);
        let portal = self.portals.get_mut(&name).ok_or_else(no_portal)?;
        let Some(statement) = portal.statement.clone() else {
            return match &portal.columns {
                // A cursor that was declared: its rows are fetched.
                Some(_) => {
                    let formats = portal.formats.clone();
                    let sent = self.fetch(&name, most, &formats).await?;
                    self.note_end(None).await;
                    self.done(format!("SELECT {sent}")).await
                }
                None => self.send(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await,
            };
        };
        self.allowed(&statement)?;
        let portal = self.portals.get_mut(&name).ok_or_else(no_portal)?;
        let formats = portal.formats.clone();
        match statement {
            Statement::Query(query) => {
                match std::mem::replace(&mut portal.state, PortalState::Ended(None)) {
                    PortalState::Bound => {
                        let (ready, columns) = (portal.ready.take(), portal.columns.clone());
                        let (declared, values) = (portal.declared.clone(), portal.values.clone());
                        self.begin(&query, ready, &declared, &values, columns.as_deref()).await?;
                    }
                    PortalState::Suspended(running) => self.current = Some(running),
                    PortalState::Ended(None) => return self.done("SELECT 0").await,
                    PortalState::Ended(Some(code)) => {
                        return Err(Failure::new("57014", code, "the time of the statement is over"));
                    }
                }
                let (sent, all) = self.send_rows(&formats, most).await?;
                if all {
                    self.note_end(None).await;
                    return self.done(format!("SELECT {sent}")).await;
                }
                if let Some(running) = self.current.take()
                    && let Some(portal) = self.portals.get_mut(&name)
                {
                    portal.state = PortalState::Suspended(running);
                }
                self.send(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await
            }
            Statement::Declare { name: cursor, query, hold } => {
                let ready = portal.ready.take();
                let (declared, values) = (portal.declared.clone(), portal.values.clone());
                self.declare(&cursor, &query, hold, declared, values, ready).await?;
                self.done("DECLARE CURSOR").await
            }
            Statement::Fetch { name: cursor, rows } => {
                let sent = self.fetch(&cursor, rows, &formats).await?;
                self.note_end(None).await;
                self.done(format!("FETCH {sent}")).await
            }
            Statement::Show(setting) => self.show(&setting).await,
            other => {
                self.command(other).await?;
                self.note_end(None).await;
                Ok(())
            }
        }
    }

    pub(super) async fn close(&mut self, close: Close) -> Result<(), Failure> {
        let name = close.name.unwrap_or_default();
        match close.target_type {
            b'S' => {
                self.statements.remove(&name);
            }
            b'P' => {
                self.close_portal(&name).await;
            }
            _ => return Err(Failure::protocol("neither a statement nor a portal is to be closed")),
        }
        self.send(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await
    }

    pub(super) async fn sync(&mut self) -> Result<(), Failure> {
        self.skipping = false;
        if self.transaction == TransactionStatus::Idle {
            self.close_portals(false).await;
        }
        self.ready().await
    }
}

fn no_statement() -> Failure {
    Failure::new("26000", "wire.no_statement", "there is no such statement")
}

fn no_portal() -> Failure {
    Failure::new("34000", "wire.no_cursor", "there is no such portal")
}

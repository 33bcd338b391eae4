//! What is bound to be run, and what runs while its client does something else: portals and cursors.

use lake::{Cell, CellKind};
use pgwire::messages::response::TransactionStatus;
use tokio::time::Instant;

use super::connection::Connection;
use super::encode::Formats;
use super::error::Failure;
use super::run::{Ready, Running};
use super::text::Statement;

/// A statement with its values.
pub(super) struct Portal {
    pub(super) statement: Option<Statement>,
    pub(super) declared: Vec<Option<CellKind>>,
    pub(super) values: Vec<Cell<'static>>,
    pub(super) formats: Formats,
    /// The columns that were told of it.
    pub(super) columns: Option<Vec<(String, CellKind)>>,
    pub(super) ready: Option<Ready>,
    pub(super) state: PortalState,
    /// Whether it outlives the transaction.
    pub(super) hold: bool,
}

/// How far a portal has come.
pub(super) enum PortalState {
    /// Nothing was asked of it.
    Bound,
    /// Some of its rows were sent.
    Suspended(Running),
    /// All of them were, or its time was over: then by which error.
    Ended(Option<&'static str>),
}

impl Connection {
    /// When the time of the first of the queries that were put aside is over.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let expiry = |portal: &Portal| match &portal.state {
            PortalState::Suspended(running) => Some(running.expiry()),
            _ => None,
        };
        self.portals.values().filter_map(expiry).min()
    }

    /// Ends the queries whose time is over: they hold memory, and one of the few places.
    pub(super) async fn expire(&mut self) {
        let now = Instant::now();
        let mut over = Vec::new();
        for portal in self.portals.values_mut() {
            if matches!(&portal.state, PortalState::Suspended(running) if running.expiry() <= now)
                && let PortalState::Suspended(running) =
                    std::mem::replace(&mut portal.state, PortalState::Ended(Some("lake.limit_time")))
            {
                over.push(running);
            }
        }
        for running in over {
            self.note_end_of(running, Some("lake.limit_time")).await;
        }
    }

    /// Forgets a portal.
    pub(super) async fn close_portal(&mut self, name: &str) -> bool {
        let Some(portal) = self.portals.remove(name) else { return false };
        if let PortalState::Suspended(running) = portal.state {
            self.note_end_of(running, None).await;
        }
        true
    }

    /// Forgets all portals, those that outlive the transaction only if `also_held`.
    pub(super) async fn close_portals(&mut self, also_held: bool) {
        let over: Vec<String> = self
            .portals
            .iter()
            .filter(|(_, portal)| also_held || !portal.hold)
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            self.close_portal(&name).await;
        }
    }

    /// Keeps a portal under its name.
    pub(super) async fn keep_portal(&mut self, name: &str, portal: Portal) -> Result<(), Failure> {
        self.close_portal(name).await;
        if self.portals.len() >= self.shared.limits.kept {
            return Err(Failure::new("54000", "wire.too_many_cursors", "too many cursors are open"));
        }
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// `DECLARE`: begins the query, and puts it aside.
    pub(super) async fn declare(
        &mut self,
        name: &str,
        query: &str,
        hold: bool,
        declared: Vec<Option<CellKind>>,
        values: Vec<Cell<'static>>,
        ready: Option<Ready>,
    ) -> Result<(), Failure> {
        if self.transaction == TransactionStatus::Idle && !hold {
            return Err(Failure::new("25P01", "wire.no_transaction", "a cursor lives in a transaction"));
        }
        if self.portals.contains_key(name) {
            return Err(Failure::new("42P03", "wire.cursor_exists", "there is a cursor of this name"));
        }
        let columns = self.begin(query, ready, &declared, &values, None).await?;
        let Some(running) = self.current.take() else { return Ok(()) };
        let portal = Portal {
            statement: None,
            declared,
            values,
            formats: Formats::default(),
            columns: Some(columns),
            ready: None,
            state: PortalState::Suspended(running),
            hold,
        };
        self.keep_portal(name, portal).await
    }

    /// The columns of a cursor.
    pub(super) fn cursor_columns(&self, name: &str) -> Result<Vec<(String, CellKind)>, Failure> {
        let cursor = self.portals.get(name).ok_or_else(no_cursor)?;
        cursor.columns.clone().ok_or_else(no_cursor)
    }

    /// `FETCH`: sends the next rows of a cursor; how many.
    pub(super) async fn fetch(
        &mut self,
        name: &str,
        rows: Option<usize>,
        formats: &Formats,
    ) -> Result<usize, Failure> {
        let cursor = self.portals.get_mut(name).ok_or_else(no_cursor)?;
        match std::mem::replace(&mut cursor.state, PortalState::Ended(None)) {
            PortalState::Suspended(running) => self.current = Some(running),
            PortalState::Ended(None) => return Ok(0),
            PortalState::Ended(Some(code)) => {
                return Err(Failure::new("57014", code, "the time of the cursor is over"));
            }
            PortalState::Bound => return Err(no_cursor()),
        }
        let (sent, all) = self.send_rows(formats, rows).await?;
        if !all
            && let Some(running) = self.current.take()
            && let Some(cursor) = self.portals.get_mut(name)
        {
            cursor.state = PortalState::Suspended(running);
        }
        Ok(sent)
    }
}

fn no_cursor() -> Failure {
    Failure::new("34000", "wire.no_cursor", "there is no such cursor")
}

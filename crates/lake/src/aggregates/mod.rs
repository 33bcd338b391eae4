//! Aggregates only: a door through which counts, sums and means leave and no row does.
//!
//! A question has one shape ([`AggregateQuery`]); SQL that says the same is read into it, and nothing else is. It is
//! run through the governed table, its rows are put into groups here, and
//!
//! - every group that is answered covers at least k entities ([`Terms`]); smaller ones are one remainder;
//! - no sum is answered to which one or two entities contribute nearly all;
//! - the answers, together with all that the same holder has had before, do not tell of fewer than k entities
//!   (`audit`); the exact sets are written to the ledger before the answer leaves.
//!
//! The history belongs to the holder of the grants, an organisation: its people talk to each other. What this does
//! not protect from is in docs/adr/0013-aggregates-only.md.

mod audit;
mod groups;
pub(crate) mod history;
mod parse;
mod query;
mod roster;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use futures_util::StreamExt;
use kernel::time::Timestamp;
use roaring::RoaringBitmap;
use store::{Reads, StoreError};
use tokio::time::Instant;

use self::groups::Tally;
use self::history::{Asked, Head, Kept, roster_id};
use self::roster::Fresh;
use crate::answer::Answer;
use crate::barrier::governed::GovernedTable;
use crate::barrier::{keys, rules};
use crate::error::{Limit, Refusal};
use crate::lineage::Lineage;
use crate::policy::RowRule;
use crate::schema::Schema;
use crate::session::{Granted, run};
use crate::{Lake, LakeError, Table, reading, session};

pub use query::{AggregateQuery, Item, Order, Output, REMAINDER, Terms};

/// How often an answer is tried that another process gets in the way of.
const TRIES: usize = 5;
/// The columns that hold the keys of a row and of its entity; no table can have columns of these names.
const ROW_KEY: &str = "_row_key";
const ENTITY_KEY: &str = "_entity_key";

/// What an asker sees where aggregates alone are answered: one table.
pub struct AggregateSession {
    lake: Lake,
    granted: Granted,
    terms: Terms,
    owner: String,
    table: Table,
    below: Arc<dyn TableProvider>,
    edition: String,
    shown: Schema,
}

impl Lake {
    /// A session for aggregates of a table as it stands now. `owner` is whose history it is: the organisation that
    /// holds the grant, or the person if none does.
    pub async fn aggregates(
        &self,
        granted: &Granted,
        terms: &Terms,
        owner: &str,
    ) -> Result<AggregateSession, LakeError> {
        if owner.is_empty() {
            return Err(LakeError::Policy("a history is somebody's".to_owned()));
        }
        // The rows have to be known that a set is of, so what arrives meanwhile is not in them by half.
        for _ in 0..TRIES {
            let table = Self::table(&self.store().read(), &granted.table).await?;
            let before = edition(self, &table).await?;
            let below = reading::provider(self, &table).await?;
            if before != edition(self, &table).await? {
                continue;
            }
            granted.policy.check(&table.schema)?;
            terms.check(&table.schema)?;
            let shown = query::shown(&granted.policy, &table.schema)?;
            return Ok(AggregateSession {
                lake: self.clone(),
                granted: granted.clone(),
                terms: terms.clone(),
                owner: owner.to_owned(),
                table,
                below,
                edition: before,
                shown,
            });
        }
        Err(LakeError::Limit(Limit::Concurrency))
    }
}

/// Which rows a table has: every batch is numbered.
async fn edition(lake: &Lake, table: &Table) -> Result<String, LakeError> {
    let sql = "SELECT last_seq, version FROM lake_table WHERE table_id = $1";
    let rows = lake.store().read().rows(sql, store::params![table.id.as_str()]).await?;
    let row = rows.first().ok_or_else(|| LakeError::NoTable(table.id.to_string()))?;
    Ok(format!("{}.{}", row.get::<i64>("version")?, row.get::<i64>("last_seq")?))
}

impl AggregateSession {
    /// Answers one question in SQL.
    pub async fn query(&self, sql: &str) -> Result<Answer, LakeError> {
        let statement = session::parse(sql)?;
        self.ask(&parse::query(&statement, &self.granted.name, &self.shown, &self.terms.entity)?).await
    }

    /// Answers one question. The answer has a row for each group; where rows are grouped its last column,
    /// [`REMAINDER`], says whether the row is what is left of groups that are too small. If no answer covers enough
    /// entities, it has no rows, as if there were none.
    ///
    /// A question that was answered before over other rows of the table, and that would now be refused, is answered as
    /// it was then ([`Answer::as_of`]).
    pub async fn ask(&self, asked: &AggregateQuery) -> Result<Answer, LakeError> {
        let permit = self
            .lake
            .running()
            .clone()
            .try_acquire_owned()
            .map_err(|_| LakeError::Limit(Limit::Concurrency))?;
        let deadline = Instant::now() + self.lake.limits().time;
        asked.check(&self.granted.policy, &self.terms, &self.shown)?;
        let asked = &complete(asked)?;
        let timed = tokio::time::timeout_at(deadline, self.answered(asked));
        let (answer, at) = timed.await.map_err(|_| LakeError::Limit(Limit::Time))??;
        let batch = groups::laid_out(&answer, &asked.order, asked.limit)?;
        let text = serde_json::to_vec(&(asked, self.policy_hash()?)).map_err(StoreError::from)?;
        let lineage = Lineage::of_aggregates(asked, &self.granted, &batch.schema());
        Ok(Answer::whole(batch, crypto::hash::sm3(&text), lineage, at, &self.granted.name, deadline, permit))
    }

    async fn answered(&self, asked: &AggregateQuery) -> Result<(RecordBatch, Option<Timestamp>), LakeError> {
        let roster = roster_id(&self.table.id, &self.terms.entity, self.terms.one_row);
        let store = self.lake.store();
        let head = Head {
            question: asked.question(),
            policy: self.policy_hash()?,
            edition: self.edition.clone(),
            remainder: false,
            one_row: self.terms.one_row,
            k: self.terms.k,
        };
        if history::is_split(store, &self.table.id, &roster, &self.owner).await? {
            return Err(LakeError::Policy("the table was asked before under other terms".to_owned()));
        }
        let kept = self.lake.histories().kept(&roster);
        let secret = {
            let mut kept = kept.lock().await;
            kept.refresh(store, &roster, &self.owner).await?;
            let secret = kept.roster.secret(store, &roster).await?;
            if let Some(known) = known(&kept, &self.owner, &head, true) {
                return Ok((batch(&known.answer)?, Some(known.at)));
            }
            secret
        };
        let below = self.governed(secret)?;
        let tally = self.read(asked, below.clone()).await?;
        for _ in 0..TRIES {
            let mut kept = kept.lock().await;
            kept.refresh(store, &roster, &self.owner).await?;
            match self.admitted(&mut kept, &tally, asked, &head, &below).await {
                Err(LakeError::Refused(Refusal::TooClose)) => {
                    let known = known(&kept, &self.owner, &head, false);
                    let known = known.ok_or(LakeError::Refused(Refusal::TooClose))?;
                    return Ok((batch(&known.answer)?, Some(known.at)));
                }
                Err(LakeError::Store(StoreError::Taken(_))) => {}
                other => return other.map(|answer| (answer, None)),
            }
        }
        Err(LakeError::Limit(Limit::Concurrency))
    }

    /// The answer, if it may leave; then it is in the ledger.
    async fn admitted(
        &self,
        kept: &mut Kept,
        tally: &Tally,
        asked: &AggregateQuery,
        head: &Head,
        below: &Arc<GovernedTable>,
    ) -> Result<RecordBatch, LakeError> {
        let groups = tally.groups(head.k as usize)?;
        let answer = tally.answer(asked, &groups, &below.schema())?;
        if groups.is_empty() {
            return Ok(answer);
        }
        let roster = roster_id(&self.table.id, &self.terms.entity, self.terms.one_row);
        let mut fresh = Fresh::default();
        // Should this be given up before all is written, then what is in memory counts for nothing.
        kept.unsure = true;
        let numbered = (|| {
            let mut sets = Vec::with_capacity(groups.len());
            for group in &groups {
                let mut numbers = Vec::new();
                for (row, entity) in tally.keys(group) {
                    numbers.push(kept.roster.number(row, entity, &mut fresh)?);
                }
                numbers.sort_unstable();
                let mut set: RoaringBitmap = numbers.into_iter().collect();
                set.optimize();
                sets.push(set);
            }
            let head = Head { remainder: tally.has_remainder(&groups), ..head.clone() };
            kept.admit(&self.owner, &head, &sets)?;
            Ok::<_, LakeError>((head, sets))
        })();
        let (head, sets) = match numbered {
            Ok(numbered) => numbered,
            Err(error) => {
                kept.roster.forget(&fresh);
                kept.unsure = false;
                return Err(error);
            }
        };
        let asked = Asked { head, sets, answer: bytes(&answer)?, at: self.lake.store().env().now() };
        self.write(kept, &roster, &fresh, asked).await?;
        kept.unsure = false;
        self.lake.store().env().faults.reached("lake.history_written").await;
        Ok(answer)
    }

    async fn write(
        &self,
        kept: &mut Kept,
        roster: &str,
        fresh: &Fresh,
        asked: Asked,
    ) -> Result<(), LakeError> {
        let tx = self.lake.store().begin().await?;
        kept.roster.write(&tx, roster, fresh).await?;
        kept.write(&tx, roster, &self.owner, asked).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The governed table with the keys of the rows and their entities, which are reckoned below the fence.
    fn governed(&self, secret: [u8; 32]) -> Result<Arc<GovernedTable>, LakeError> {
        let columns = self.table.schema.columns();
        let places: Vec<(u16, &str)> = (0_u16..).zip(columns).map(|(n, column)| (n, &*column.name)).collect();
        let entity: Vec<(u16, &str)> =
            places.iter().filter(|(_, name)| *name == self.terms.entity).copied().collect();
        let row = if self.terms.one_row { &entity } else { &places };
        let key = |name| Field::new(name, DataType::FixedSizeBinary(keys::KEY_LEN), true);
        let governed = GovernedTable::new(
            self.below.clone(),
            &self.table.schema,
            &self.granted.policy,
            self.granted.witness.clone(),
        )?
        .with_column(key(ROW_KEY), keys::of(row, secret).alias(ROW_KEY))
        .with_column(key(ENTITY_KEY), keys::of(&entity, secret).alias(ENTITY_KEY))
        .with_rows(rules::named(&self.terms.entity).is_not_null());
        Ok(Arc::new(governed))
    }

    /// The rows that the question counts.
    async fn read(&self, asked: &AggregateQuery, below: Arc<GovernedTable>) -> Result<Tally, LakeError> {
        let schema = below.schema();
        let kind = |column: &&str| schema.field_with_name(column).map(|field| field.data_type().clone());
        let groups: Vec<&str> = asked.groups.iter().map(String::as_str).collect();
        let summed: Vec<&str> = asked.summed().into_iter().collect();
        let mut tally = Tally::new(
            &groups.iter().map(kind).collect::<Result<Vec<_>, _>>()?,
            &summed.iter().map(kind).collect::<Result<Vec<_>, _>>()?,
            self.terms.one_row,
        )?;
        let plan = |error| LakeError::Plan(Box::new(error));
        let filter = asked.filter.as_ref().map(|rule| rules::predicate(rule, &schema)).transpose()?;
        let built = || -> datafusion::error::Result<LogicalPlan> {
            let mut scan = LogicalPlanBuilder::scan("t", provider_as_source(below), None)?;
            if let Some(filter) = filter {
                scan = scan.filter(filter)?;
            }
            let wanted = groups.iter().chain(&summed).chain(&[ROW_KEY, ENTITY_KEY]);
            // A column that is both grouped by and summed stands twice, so each has a name of its own.
            scan.project(
                wanted.enumerate().map(|(place, name)| rules::named(name).alias(format!("{place}"))),
            )?
            .build()
        };
        let logical = built().map_err(plan)?;
        // In this process, whatever else is run elsewhere: the secret of the keys stays here.
        let config = session::config(self.lake.limits().partitions);
        let context = SessionContext::new_with_config_rt(config, self.lake.runtime().clone());
        let optimised = context.state().optimize(&logical).map_err(run)?;
        session::check_matches(&optimised)?;
        let physical = context.state().create_physical_plan(&optimised).await.map_err(run)?;
        let mut stream =
            datafusion::physical_plan::execute_stream(physical, context.task_ctx()).map_err(run)?;
        while let Some(batch) = stream.next().await {
            tally.take(&batch.map_err(run)?)?;
        }
        Ok(tally)
    }

    fn policy_hash(&self) -> Result<String, LakeError> {
        let policy = serde_json::to_vec(&(&self.granted.policy, &self.terms)).map_err(StoreError::from)?;
        Ok(hex::encode(crypto::hash::sm3(&policy)))
    }
}

/// The question with what it means by an empty cell. A count of filled cells and a mean tell how many cells are
/// empty, which is a filter: so it has to be one, `column IS NOT NULL`, and is added where the question asks of
/// this column alone. In a sum an empty cell is nothing.
fn complete(asked: &AggregateQuery) -> Result<AggregateQuery, LakeError> {
    let counted =
        asked.columns.iter().filter(|output| matches!(output.item, Item::Filled(_) | Item::Average(_)));
    let counted: Vec<&str> = counted.filter_map(|output| output.item.column()).collect();
    let Some(first) = counted.iter().find(|column| !is_filled(asked.filter.as_ref(), column)) else {
        return Ok(asked.clone());
    };
    let alone = asked.columns.iter().all(|output| match &output.item {
        Item::Group(_) => true,
        Item::Rows | Item::Entities => false,
        Item::Filled(column) | Item::Sum(column) | Item::Average(column) => column == first,
    });
    if !alone {
        let text = format!("`{first}` may be empty, so ask with `{first} IS NOT NULL`");
        return Err(LakeError::NotAggregate(text));
    }
    let filled = RowRule::Not(Box::new(RowRule::Empty { column: (*first).to_owned() }));
    let filter = asked.filter.clone().into_iter().chain([filled]).collect();
    Ok(AggregateQuery { filter: Some(RowRule::All(filter)), ..asked.clone() })
}

/// Whether the filter lets no row through where the column is empty.
fn is_filled(filter: Option<&RowRule>, column: &str) -> bool {
    match filter {
        Some(RowRule::All(rules)) => rules.iter().any(|rule| is_filled(Some(rule), column)),
        Some(RowRule::Not(rule)) => {
            matches!(rule.as_ref(), RowRule::Empty { column: empty } if empty == column)
        }
        Some(
            RowRule::Compare { column: compared, .. }
            | RowRule::In { column: compared, .. }
            | RowRule::StartsWith { column: compared, .. },
        ) => compared == column,
        _ => false,
    }
}

/// The same question, if it was answered: over the same rows, or last.
fn known<'a>(kept: &'a Kept, owner: &str, head: &Head, same_edition: bool) -> Option<&'a Asked> {
    kept.asked(owner).iter().rev().find(|asked| {
        asked.head.question == head.question
            && asked.head.policy == head.policy
            && (!same_edition || asked.head.edition == head.edition)
    })
}

fn bytes(batch: &RecordBatch) -> Result<Vec<u8>, LakeError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn batch(bytes: &[u8]) -> Result<RecordBatch, LakeError> {
    let mut batches = StreamReader::try_new(bytes, None)?;
    let torn = || StoreError::Sealed("a kept answer is empty".to_owned());
    Ok(batches.next().ok_or_else(torn)??)
}

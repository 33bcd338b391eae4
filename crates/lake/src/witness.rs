//! A witness takes down whose rows pass the barrier of one table: what a person is told of later.
//!
//! It stands below the fence, on its inner side, and reads the column that names the entity, whether or not the asker
//! may see that column. It counts rows that the engine takes up, which may be more than are shown in the end: a
//! person is rather told once too often. Beyond its limit it stops looking and says so.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions,
};
use futures_util::{Stream, StreamExt};

/// Whose rows passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// These entities and no others.
    Entities(BTreeSet<String>),
    /// More than the witness counts.
    Many,
}

/// Takes down whose rows pass. Clones write into one book.
#[derive(Clone)]
pub struct Witness {
    column: Arc<str>,
    most: usize,
    seen: Arc<Mutex<Seen>>,
}

impl Witness {
    /// A witness of the entities in `column`, up to `most` of them.
    pub fn new(column: &str, most: usize) -> Self {
        Self { column: column.into(), most, seen: Arc::new(Mutex::new(Seen::Entities(BTreeSet::new()))) }
    }

    /// The column that it reads.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Whose rows passed so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn watch(&self, column: &dyn Array) -> Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen::Entities(entities) = &mut *seen else { return Ok(()) };
        let mut add = |entity: &str| {
            if !entities.contains(entity) {
                entities.insert(entity.to_owned());
            }
            entities.len() <= self.most
        };
        let few = if *column.data_type() == DataType::Utf8 {
            column.as_string::<i32>().iter().flatten().all(&mut add)
        } else {
            let options = FormatOptions::default();
            let texts = ArrayFormatter::try_new(column, &options)?;
            (0..column.len())
                .filter(|row| !column.is_null(*row))
                .all(|row| add(&texts.value(row).to_string()))
        };
        if !few {
            *seen = Seen::Many;
        }
        Ok(())
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("column", &self.column).finish_non_exhaustive()
    }
}

/// Shows the last column of its input to the witness and forwards the others.
#[derive(Debug)]
pub(crate) struct WitnessExec {
    input: Arc<dyn ExecutionPlan>,
    witness: Witness,
    properties: Arc<PlanProperties>,
}

impl WitnessExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, witness: Witness) -> Self {
        let mut fields: Vec<_> = input.schema().fields().iter().cloned().collect();
        fields.pop();
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(Schema::new(fields))),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, witness, properties: Arc::new(properties) }
    }

    fn above(mut children: Vec<Arc<dyn ExecutionPlan>>, witness: Witness) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, witness))),
            _ => Err(DataFusionError::Internal("a witness has one input".to_owned())),
        }
    }
}

impl DisplayAs for WitnessExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WitnessExec")
    }
}

impl ExecutionPlan for WitnessExec {
    fn name(&self) -> &'static str {
        "WitnessExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _each: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Self::above(children, self.witness.clone())
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Self::above(children, self.witness.clone())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(Watched { input, witness: self.witness.clone(), schema: self.schema() }))
    }
}

struct Watched {
    input: SendableRecordBatchStream,
    witness: Witness,
    schema: SchemaRef,
}

impl Watched {
    fn kept(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let (watched, kept) = match batch.columns().split_last() {
            Some((watched, kept)) => (watched, kept.to_vec()),
            None => return Err(DataFusionError::Internal("a witness has nothing to read".to_owned())),
        };
        self.witness.watch(watched.as_ref())?;
        // With no column left, the number of rows has to be told.
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), kept, &options)?)
    }
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.input.poll_next_unpin(context));
        Poll::Ready(next.map(|batch| batch.and_then(|batch| self.kept(&batch))))
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

//! A governed scan on its way: everything below a fence as one node, under the gateway's seal.
//!
//! Executors share a scan by its partitions, and the scheduler knows how to deal out those of constants. So the
//! node has a carrier below it: constants, of which each partition holds the number of one partition of the scan.
//! Whatever is done to the carrier chooses partitions of what was sealed and changes nothing of it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use ballista_scheduler::state::task_builder::restrict_plan_to_partitions;
use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::cast::as_uint32_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions,
};
use kernel::time::Timestamp;

/// A scan under seal.
pub(crate) struct SealedScanExec {
    /// What travels.
    sealed: Arc<[u8]>,
    /// What it opens to, with all its partitions.
    below: Arc<dyn ExecutionPlan>,
    expires: Timestamp,
    carrier: Arc<dyn ExecutionPlan>,
    /// What is run, made once: partitions that run side by side share files, so they have to be of one plan.
    chosen: OnceLock<Result<Arc<dyn ExecutionPlan>, Arc<DataFusionError>>>,
    properties: Arc<PlanProperties>,
}

impl SealedScanExec {
    /// The scan with all its partitions.
    pub(crate) fn whole(
        sealed: Arc<[u8]>,
        below: Arc<dyn ExecutionPlan>,
        expires: Timestamp,
    ) -> Result<Self> {
        let partitions = u32::try_from(below.output_partitioning().partition_count()).unwrap_or(u32::MAX);
        Self::over(sealed, below, expires, carrier(partitions)?)
    }

    /// The partitions of the scan that a carrier names.
    pub(crate) fn over(
        sealed: Arc<[u8]>,
        below: Arc<dyn ExecutionPlan>,
        expires: Timestamp,
        carrier: Arc<dyn ExecutionPlan>,
    ) -> Result<Self> {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(below.schema()),
            Partitioning::UnknownPartitioning(carrier.output_partitioning().partition_count()),
            below.pipeline_behavior(),
            below.boundedness(),
        );
        Ok(Self {
            sealed,
            below,
            expires,
            carrier,
            chosen: OnceLock::new(),
            properties: Arc::new(properties),
        })
    }

    /// The same scan with another carrier.
    fn carried_by(&self, mut carrier: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (carrier.pop(), carrier.is_empty()) {
            (Some(carrier), true) => {
                Ok(Arc::new(Self::over(self.sealed.clone(), self.below.clone(), self.expires, carrier)?))
            }
            _ => internal_err!("a sealed scan has one carrier"),
        }
    }

    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    pub(crate) fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The scan cut to the partitions that the carrier names. The whole plan would not do: a partition that runs
    /// takes files of those that do not.
    fn choose(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let count = self.below.output_partitioning().partition_count();
        let mut chosen = Vec::new();
        let Some(config) = self
            .carrier
            .downcast_ref::<DataSourceExec>()
            .and_then(|source| source.data_source().downcast_ref::<MemorySourceConfig>())
        else {
            return internal_err!("a sealed scan has no carrier");
        };
        for partition in config.partitions() {
            let [batch] = partition.as_slice() else {
                return internal_err!("a carrier holds one batch each");
            };
            let numbers = as_uint32_array(batch.column(0))?;
            match numbers.values().iter().as_slice() {
                [number] if (*number as usize) < count && !chosen.contains(&(*number as usize)) => {
                    chosen.push(*number as usize);
                }
                _ => return internal_err!("a carrier names a partition that is none, or one twice"),
            }
        }
        if chosen.len() == count && chosen.is_sorted() {
            return Ok(self.below.clone());
        }
        restrict_plan_to_partitions(self.below.clone(), &chosen)
    }
}

/// The numbers of all partitions.
fn carrier(partitions: u32) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::new(Schema::new(vec![Field::new("partition", DataType::UInt32, false)]));
    let batch =
        |number| RecordBatch::try_new(schema.clone(), vec![Arc::new(UInt32Array::from(vec![number]))]);
    let numbers = (0..partitions).map(|number| Ok(vec![batch(number)?])).collect::<Result<Vec<_>>>()?;
    Ok(MemorySourceConfig::try_new_exec(&numbers, schema, None)?)
}

impl fmt::Debug for SealedScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedScanExec")
    }
}

impl DisplayAs for SealedScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedScanExec")
    }
}

impl ExecutionPlan for SealedScanExec {
    fn name(&self) -> &'static str {
        "SealedScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.carrier]
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
        self.carried_by(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.carried_by(children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match self.chosen.get_or_init(|| self.choose().map_err(Arc::new)) {
            Ok(plan) => plan.execute(partition, context),
            Err(error) => Err(DataFusionError::Shared(error.clone())),
        }
    }
}

/// Every sealed scan of a plan.
pub(crate) fn sealed_scans(plan: &Arc<dyn ExecutionPlan>) -> Vec<&SealedScanExec> {
    let mut found = Vec::new();
    let mut open = vec![plan];
    while let Some(node) = open.pop() {
        if let Some(scan) = node.downcast_ref::<SealedScanExec>() {
            found.push(scan);
        } else {
            open.extend(node.children());
        }
    }
    found
}

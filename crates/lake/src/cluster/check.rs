//! What a plan may be made of, above a fence and below it.

use std::path::Path;

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::physical_plan::ExecutionPlan;
use object_store::path::Path as ObjectPath;
use std::sync::Arc;

use super::sealed::SealedScanExec;

/// Nodes that compute and neither read nor write anything by themselves. What is not known is refused.
const ABOVE: [&str; 25] = [
    "AggregateExec",
    "BoundedWindowAggExec",
    "BufferExec",
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "CooperativeExec",
    "CrossJoinExec",
    "EmptyExec",
    "FilterExec",
    "GlobalLimitExec",
    "HashJoinExec",
    "InterleaveExec",
    "LocalLimitExec",
    "NestedLoopJoinExec",
    "PlaceholderRowExec",
    "ProjectionExec",
    "RepartitionExec",
    "SortExec",
    "SortMergeJoinExec",
    "SortPreservingMergeExec",
    "SymmetricHashJoinExec",
    "UnionExec",
    "UnnestExec",
    "WindowAggExec",
    "PartialSortExec",
];

/// Between the stages of a plan: the work folder of this executor or of another.
const BETWEEN: [&str; 5] = [
    "ShuffleReaderExec",
    "ShuffleWriterExec",
    "SortShuffleWriterExec",
    "RangeShuffleReaderExec",
    "RangeShuffleWriterExec",
];

/// Below a fence every node works on its partition alone, so that each can be run for itself.
const BELOW: [&str; 6] =
    ["CoalesceBatchesExec", "CooperativeExec", "EmptyExec", "FilterExec", "ProjectionExec", "UnionExec"];

fn refused(what: &str) -> DataFusionError {
    DataFusionError::Plan(format!("not part of a governed plan: {what}"))
}

/// Whether what stands above sealed scans can travel.
pub(crate) fn above(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    walk(plan, &ABOVE)
}

/// Whether an executor may run this part of a plan.
pub(crate) fn task(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    let names: Vec<&str> = ABOVE.into_iter().chain(BETWEEN).collect();
    walk(plan, &names)
}

fn walk(plan: &Arc<dyn ExecutionPlan>, names: &[&str]) -> Result<()> {
    if plan.is::<SealedScanExec>() {
        // Its carrier is checked when it is run.
        return Ok(());
    }
    if !names.contains(&plan.name()) && !is_constants(plan) {
        return Err(refused(plan.name()));
    }
    plan.children().into_iter().try_for_each(|child| walk(child, names))
}

/// Whether the node holds its rows in itself.
fn is_constants(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<DataSourceExec>()
        .is_some_and(|source| source.data_source().downcast_ref::<MemorySourceConfig>().is_some())
}

/// Whether what stands below a fence reads Parquet files of the lake and constants alone.
pub(crate) fn below(plan: &Arc<dyn ExecutionPlan>, lake: &Path) -> Result<()> {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        if is_constants(plan) {
            return Ok(());
        }
        let Some(files) = source.data_source().downcast_ref::<FileScanConfig>() else {
            return Err(refused("a source"));
        };
        if files.file_source().downcast_ref::<ParquetSource>().is_none() {
            return Err(refused("a file format"));
        }
        if files.object_store_url.as_str() != "file:///" {
            return Err(refused("an object store"));
        }
        let root = ObjectPath::from_absolute_path(lake)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        for file in files.file_groups.iter().flat_map(|group| group.iter()) {
            if !file.object_meta.location.prefix_matches(&root) {
                return Err(refused("a file outside of the lake"));
            }
        }
        return Ok(());
    }
    if !BELOW.contains(&plan.name()) {
        return Err(refused(plan.name()));
    }
    plan.children().into_iter().try_for_each(|child| below(child, lake))
}

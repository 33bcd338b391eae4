//! What a plan may be made of, above a fence and below it.
//!
//! Above a fence these are lists of what is known to be right when it is cut into parts, part by part. Whatever is
//! not on them runs in the gateway.

use std::path::Path;
use std::sync::Arc;

use datafusion::common::{DataFusionError, JoinType, Result};
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use object_store::path::Path as ObjectPath;

use super::sealed::SealedScanExec;

/// Nodes that compute each partition for itself, or ask for one partition and so end a stage, and neither read nor
/// write anything by themselves.
const ABOVE: [&str; 21] = [
    "AggregateExec",
    "BoundedWindowAggExec",
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "CooperativeExec",
    "CrossJoinExec",
    "EmptyExec",
    "FilterExec",
    "GlobalLimitExec",
    "InterleaveExec",
    "LocalLimitExec",
    "PartialSortExec",
    "PlaceholderRowExec",
    "ProjectionExec",
    "SortExec",
    "SortExec(TopK)",
    "SortMergeJoinExec",
    "SortPreservingMergeExec",
    "UnionExec",
    "UnnestExec",
    "WindowAggExec",
];

/// Between the stages of a plan: the work folder of this executor or of another.
const BETWEEN: [&str; 3] = ["ShuffleReaderExec", "ShuffleWriterExec", "SortShuffleWriterExec"];

/// Below a fence every node works on its partition alone, so that each can be run for itself.
const BELOW: [&str; 6] =
    ["CoalesceBatchesExec", "CooperativeExec", "EmptyExec", "FilterExec", "ProjectionExec", "UnionExec"];

fn refused(what: &str) -> DataFusionError {
    DataFusionError::Plan(format!("not part of a governed plan: {what}"))
}

/// Whether what stands above sealed scans can travel.
pub(crate) fn above(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    walk(plan, &|node| is_known(node, &ABOVE) || becomes_a_stage(node))
}

/// Whether an executor may run this part of a plan. A repartition would have become a stage of its own: within one
/// it would share out the rows of this task alone.
pub(crate) fn task(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    walk(plan, &|node| is_known(node, &ABOVE) || BETWEEN.contains(&node.name()))
}

fn walk(plan: &Arc<dyn ExecutionPlan>, may: &dyn Fn(&Arc<dyn ExecutionPlan>) -> bool) -> Result<()> {
    if plan.is::<SealedScanExec>() {
        // Its carrier is checked when it is run.
        return Ok(());
    }
    if !may(plan) {
        return Err(refused(plan.name()));
    }
    plan.children().into_iter().try_for_each(|child| walk(child, may))
}

fn is_known(plan: &Arc<dyn ExecutionPlan>, names: &[&str]) -> bool {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        // Each partition holds both sides of its keys. A side that is collected instead is collected by every
        // task, and each would add the rows that found no match in its own part of the other side.
        return *join.partition_mode() == PartitionMode::Partitioned && !join.null_aware;
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        // The left side is collected by every task, so no row may come of that side alone.
        return matches!(
            join.join_type(),
            JoinType::Inner
                | JoinType::Right
                | JoinType::RightSemi
                | JoinType::RightAnti
                | JoinType::RightMark
        );
    }
    names.contains(&plan.name()) || is_constants(plan)
}

/// Whether the node is one at which a plan is cut. The engine drops a repartition that is not by values, and the
/// order that one keeps.
fn becomes_a_stage(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<RepartitionExec>().is_some_and(|repartition| {
        matches!(repartition.partitioning(), Partitioning::Hash(..)) && !repartition.preserve_order()
    })
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

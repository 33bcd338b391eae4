//! Whether the answer of a query is whole, by the engine's own books.
//!
//! The engine runs a part again whose executor was lost, and then counts the rows of both runs where it was a part of
//! the last stage. It also loses the rows of a part that is done where it fails to take it down. Neither is an error to
//! it, so its word that a query is done does not do.

use std::collections::BTreeSet;

use ballista_core::serde::protobuf::task_status;
use ballista_core::serde::scheduler::PartitionLocation;
use ballista_scheduler::state::execution_graph::ExecutionGraph;
use ballista_scheduler::state::execution_stage::{ExecutionStage, SuccessfulStage, TaskInfo};

/// Whether no part of a query was run twice, or has to be.
pub(super) fn ran_once(graph: &dyn ExecutionGraph) -> bool {
    graph.stages().values().all(|stage| match stage {
        ExecutionStage::UnResolved(stage) => stage.stage_attempt_num == 0,
        ExecutionStage::Resolved(stage) => stage.stage_attempt_num == 0,
        ExecutionStage::Running(stage) => {
            stage.stage_attempt_num == 0 && each_once(&stage.task_infos, stage.partitions)
        }
        ExecutionStage::Successful(stage) => {
            stage.stage_attempt_num == 0 && each_once(&stage.task_infos, stage.partitions)
        }
        ExecutionStage::Failed(_) => false,
    })
}

/// Whether each partition of each stage was run once, and what its tasks wrote is what the next stage read, or what
/// the answer is made of.
pub(super) fn is_whole(graph: &dyn ExecutionGraph) -> bool {
    ran_once(graph)
        && graph.stages().values().all(|stage| {
            let ExecutionStage::Successful(stage) = stage else { return false };
            let parts: usize =
                stage.task_infos.iter().map(|task| task.global_input_partition_ids.len()).sum();
            parts == stage.partitions && was_read(graph, stage)
        })
}

fn was_read(graph: &dyn ExecutionGraph, stage: &SuccessfulStage) -> bool {
    let written = sorted(stage.task_infos.iter().enumerate().flat_map(|(task, info)| {
        let parts = match &info.task_status {
            task_status::Status::Successful(done) => done.partitions.as_slice(),
            _ => &[],
        };
        parts.iter().map(move |part| (task, part.partition_id as usize))
    }));
    let place = |place: &PartitionLocation| (place.map_partition_id, place.partition_id.partition_id);
    match stage.output_links.as_slice() {
        [] => written == sorted(graph.output_locations().iter().map(place)),
        links => links.iter().all(|link| {
            let Some(ExecutionStage::Successful(next)) = graph.stages().get(link) else { return false };
            let Some(read) = next.inputs.get(&stage.stage_id) else { return false };
            written == sorted(read.partition_locations.values().flatten().map(place))
        }),
    }
}

/// Parts of a stage, each by its task and its number.
fn sorted(parts: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut parts: Vec<(usize, usize)> = parts.collect();
    parts.sort_unstable();
    parts
}

/// Whether no partition was handed out twice and no task failed.
fn each_once(tasks: &[TaskInfo], partitions: usize) -> bool {
    let mut handed_out = BTreeSet::new();
    tasks.iter().all(|task| {
        !matches!(task.task_status, task_status::Status::Failed(_))
            && task
                .global_input_partition_ids
                .iter()
                .all(|part| *part < partitions && handed_out.insert(*part))
    })
}

#[cfg(test)]
mod tests {
    use ballista_core::serde::protobuf::{FailedTask, RunningTask};

    use super::*;

    fn task(parts: &[usize], task_status: task_status::Status) -> TaskInfo {
        TaskInfo {
            task_id: 0,
            scheduled_time: 0,
            launch_time: 0,
            start_exec_time: 0,
            end_exec_time: 0,
            finish_time: 0,
            task_status,
            global_input_partition_ids: parts.to_vec(),
            vcores_consumed: 1,
        }
    }

    #[test]
    fn a_part_that_is_handed_out_again_is_noticed() {
        let running = |parts: &[usize]| task(parts, task_status::Status::Running(RunningTask::default()));
        let lost = |parts: &[usize]| task(parts, task_status::Status::Failed(FailedTask::default()));
        assert!(each_once(&[running(&[0, 1]), running(&[2])], 4));
        assert!(!each_once(&[running(&[0, 1]), running(&[1, 2])], 4), "twice");
        assert!(!each_once(&[lost(&[0, 1])], 4), "to be run again");
        assert!(!each_once(&[running(&[4])], 4), "there is no such part");
    }
}

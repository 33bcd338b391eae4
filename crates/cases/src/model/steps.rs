//! The steps of a procedure that come after acceptance, in their order.

use packs::model::{Procedure, ProcedureStep, Stage as PackStage, StepAction, Words};

use super::Stage;

/// A step that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkStep {
    /// The step's id in the procedure.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// What is done in it.
    pub action: StepAction,
    /// The role that does it; none where the parties or the node do.
    pub role: Option<String>,
    /// The earlier step whose person may not do this one.
    pub not_same_as: Option<String>,
    /// Review, decision for the last step of the work, or delivery after it.
    pub stage: Stage,
}

impl WorkStep {
    /// Whether the step decides the case.
    pub fn decides(&self) -> bool {
        self.stage == Stage::Decision
    }

    fn new(step: &ProcedureStep, stage: Stage) -> Self {
        Self {
            id: step.id.clone(),
            name: step.name.clone(),
            action: step.action,
            role: step.role.clone(),
            not_same_as: step.not_same_as.clone(),
            stage,
        }
    }
}

/// The work between acceptance and decision, of which the last step decides.
pub(crate) fn work_steps(procedure: &Procedure) -> Vec<WorkStep> {
    let mut steps: Vec<WorkStep> = procedure
        .steps
        .iter()
        .filter(|step| matches!(step.stage, PackStage::Accepted | PackStage::Review | PackStage::Decision))
        // A step without a role waits for the parties or the node; only a confirmation is worth waiting for.
        .filter(|step| step.role.is_some() || step.action == StepAction::Confirm)
        .filter(|step| !matches!(step.action, StepAction::Receive | StepAction::Accept))
        .map(|step| WorkStep::new(step, Stage::Review))
        .collect();
    if let Some(last) = steps.last_mut() {
        last.stage = Stage::Decision;
    }
    steps
}

/// The step that accepts, when an officer does.
pub(crate) fn intake_step(procedure: &Procedure) -> Option<WorkStep> {
    let accepts = |step: &&ProcedureStep| step.action == StepAction::Accept && step.role.is_some();
    procedure.steps.iter().find(accepts).map(|step| WorkStep::new(step, Stage::Received))
}

/// The step that hands over, when an officer does: a counter, or a call to whoever complained.
pub(crate) fn delivery_step(procedure: &Procedure) -> Option<WorkStep> {
    let delivers = |step: &&ProcedureStep| {
        matches!(step.stage, PackStage::Production | PackStage::Delivery) && step.role.is_some()
    };
    procedure.steps.iter().find(delivers).map(|step| WorkStep::new(step, Stage::Delivery))
}

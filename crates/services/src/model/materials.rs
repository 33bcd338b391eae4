//! Materials: what is needed, and how each is met.

use kernel::ids::LicenceId;
use kernel::time::Timestamp;
use packs::Item;
use packs::expr::{Env, EvalError};
use packs::model::{Material, Otherwise};

use super::{Answers, AttachedFile, Run};

/// What the node could look up for the applicant.
#[derive(Clone, Debug, Default)]
pub struct Supplied {
    /// By licence type: a valid licence that they hold, with what to call it.
    pub licences: Vec<(String, LicenceId, String)>,
    /// By source of the share catalogue: when it answered.
    pub sources: Vec<(String, Timestamp)>,
}

/// How a material is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// By a licence that the applicant holds.
    Licence(LicenceId, String),
    /// By data of another authority.
    Shared(String, Timestamp),
    /// By a file.
    File(AttachedFile),
    /// By what is filled in.
    FilledIn,
    /// By a promise (告知承诺).
    Promised,
    /// It follows later or is shown at the counter.
    Later,
}

/// A material of an application.
#[derive(Clone, Debug)]
pub struct MaterialState<'a> {
    /// The material.
    pub material: &'a Material,
    /// How it is met; none while it is missing.
    pub met: Option<Met>,
    /// Whether the applicant changed what a register said, so that only proof of their own counts.
    pub by_change: bool,
}

impl MaterialState<'_> {
    /// Whether the applicant may attach a file for it.
    pub fn takes_file(&self) -> bool {
        self.material.obtained_from.applicant == Some(Otherwise::Upload)
    }
}

/// Every material that this application needs.
pub fn materials_of<'a>(
    item: &'a Item,
    answers: &Answers,
    run: &Run<'_>,
    supplied: &Supplied,
    env: Env<'_>,
) -> Result<Vec<MaterialState<'a>>, EvalError> {
    let mut states = Vec::new();
    for material in &item.materials {
        let by_change = run.fields().any(|state| {
            state.field.changed_needs.as_deref() == Some(&material.id) && answers.was_changed(&state.field.id)
        });
        let asked_as_file = run
            .fields()
            .any(|state| state.field.material.as_deref() == Some(&material.id) && state.field.required);
        let wanted = item.material_required(&material.id, &run.facts, env)?;
        // A condition that does not hold wins: an online shop proves no premises, whatever address it gives.
        let by_change = by_change && wanted != Some(false);
        let required = by_change || asked_as_file || wanted == Some(true) && is_touched(item, material, run);
        if !required {
            continue;
        }
        let met = met(material, answers, supplied, by_change || asked_as_file);
        states.push(MaterialState { material, met, by_change });
    }
    Ok(states)
}

/// A material that only hangs on fields (`changed_needs`, a file field) is needed while one of them is
/// asked; a material that hangs on none is needed always.
fn is_touched(item: &Item, material: &Material, run: &Run<'_>) -> bool {
    let hangs = |field: &packs::model::Field| {
        field.changed_needs.as_deref() == Some(&material.id)
            || field.material.as_deref() == Some(&material.id)
    };
    let on_fields = item.form.fields().any(|(_, field)| hangs(field));
    !on_fields || run.fields().any(|state| hangs(state.field))
}

fn met(material: &Material, answers: &Answers, supplied: &Supplied, own_proof: bool) -> Option<Met> {
    if let Some(file) = answers.files.get(&material.id) {
        return Some(Met::File(file.clone()));
    }
    let from = &material.obtained_from;
    if !own_proof {
        let licence = supplied.licences.iter().find(|(kind, ..)| from.licence.as_deref() == Some(kind));
        if let Some((_, id, label)) = licence {
            return Some(Met::Licence(*id, label.clone()));
        }
        let source = supplied.sources.iter().find(|(id, _)| from.source.as_deref() == Some(id));
        if let Some((id, as_of)) = source {
            return Some(Met::Shared(id.clone(), *as_of));
        }
    }
    match from.applicant {
        Some(Otherwise::FilledIn) => Some(Met::FilledIn),
        Some(Otherwise::Show) => Some(Met::Later),
        Some(Otherwise::Promise) if answers.promised.contains(&material.id) => Some(Met::Promised),
        Some(_) if material.tolerant && answers.promised.contains(&material.id) => Some(Met::Later),
        // Neither register nor wallet has it, and the law does not let us ask the applicant: the officer
        // looks it up. A source that is down never becomes a dead end.
        None => Some(Met::Later),
        Some(_) => None,
    }
}

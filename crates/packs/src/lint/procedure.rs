//! A procedure: its steps follow its stages, its clocks rest on rules, its grounds on articles.

use crate::model::{Procedure, Words};
use crate::problem::Problems;

use super::{World, days_rule, unique, unknown};

pub(crate) fn procedure(procedure: &Procedure, world: &World, problems: &mut Problems) {
    unique(problems, "/steps", procedure.steps.iter().map(|s| s.id.as_str()));
    unique(problems, "/results", procedure.results.iter().map(|r| r.id.as_str()));
    unique(problems, "/legal_basis", procedure.legal_basis.iter().map(|b| b.id.as_str()));
    for (i, step) in procedure.steps.iter().enumerate() {
        let pointer = format!("/steps/{i}");
        if !procedure.stages.contains(&step.stage) {
            problems.add(
                format!("{pointer}/stage"),
                "pack.step_outside_stages",
                "环节所属阶段不在本程序的阶段之中",
                "the step's stage is none of this procedure",
            );
        }
        if let Some(role) = &step.role
            && !world.has_role(role)
        {
            unknown(problems, &format!("{pointer}/role"), &Words::new("角色", "role"), role);
        }
        if let Some(other) = &step.not_same_as
            && !procedure.steps.iter().take(i).any(|earlier| earlier.id == *other)
        {
            unknown(
                problems,
                &format!("{pointer}/not_same_as"),
                &Words::new("在先环节", "earlier step"),
                other,
            );
        }
    }
    clocks(procedure, world, problems);
    if let Some(review) = &procedure.review_on_request {
        days_rule(problems, "/review_on_request/within", world, &review.within);
        if !world.procedures.contains_key(&review.procedure) {
            unknown(
                problems,
                "/review_on_request/procedure",
                &Words::new("程序", "procedure"),
                &review.procedure,
            );
        }
    }
    if !procedure.auto_decision && procedure.review_outcomes.iter().any(|o| o.starts_with("auto_")) {
        problems.add(
            "/review_outcomes",
            "pack.auto_outcome_without_auto_decision",
            "程序不允许自动决定，审查结论却含自动结论",
            "the procedure has automatic outcomes but does not allow automatic decisions",
        );
    }
    if procedure.auto_decision && procedure.review_on_request.is_none() {
        problems.add(
            "/auto_decision",
            "pack.auto_decision_without_review",
            "允许自动决定的程序须给申请人要求人工复核的途径",
            "a procedure with automatic decisions must offer a review by a person",
        );
    }
}

fn clocks(procedure: &Procedure, world: &World, problems: &mut Problems) {
    let clocks = &procedure.clocks;
    for (key, rule) in [
        ("correction", &clocks.correction),
        ("correction_answer", &clocks.correction_answer),
        ("decision_limit", &clocks.decision_limit),
        ("delivery", &clocks.delivery),
    ] {
        if let Some(id) = rule {
            days_rule(problems, &format!("/clocks/{key}"), world, id);
        }
    }
    unique(problems, "/clocks/pauses", clocks.pauses.iter().map(|p| p.id.as_str()));
    for (i, pause) in clocks.pauses.iter().enumerate() {
        if procedure.basis(&pause.article).is_none() {
            problems.unknown_basis(&format!("/clocks/pauses/{i}/article"), &pause.article);
        }
    }
    if let Some(extension) = &clocks.extension {
        days_rule(problems, "/clocks/extension/rule", world, &extension.rule);
        if !world.has_role(&extension.role) {
            unknown(problems, "/clocks/extension/role", &Words::new("角色", "role"), &extension.role);
        }
        if procedure.basis(&extension.article).is_none() {
            problems.unknown_basis("/clocks/extension/article", &extension.article);
        }
    }
}

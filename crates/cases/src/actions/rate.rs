//! Rating (好差评). A bad grade opens a case of its own with the rating office.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::case_no::CaseNo;
use kernel::division::DivisionCode;
use kernel::ids::{CaseId, OrgCode};
use packs::Pack;
use packs::model::{Procedure, Words};
use store::{Reads, Tx};

use super::{At, NewCase, applicant, load, open, prepare, record};
use crate::error::ActionError;
use crate::model::{
    Case, CaseError, CaseEventKind, ChildReason, Grade, Moment, Parent, Payload, Row, Section, Terms,
};
use crate::store::Loaded;

/// The procedure of the pack that handles a bad rating.
pub(super) const BAD_RATING_PROCEDURE: &str = "bad-review";

/// A rating.
#[derive(Clone, Debug)]
pub struct NewRating {
    /// Of what.
    pub moment: Moment,
    /// How good.
    pub grade: Grade,
    /// Grades of the item's own dimensions, by their Chinese names.
    pub dimensions: BTreeMap<String, Grade>,
    /// In words; may be empty.
    pub comment: String,
}

/// The applicant rates a moment, once. The handling officers never learn of it from the case; a bad grade
/// opens a case with the rating office, whose number is given back.
pub async fn rate(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    pack: &Pack,
    rating: NewRating,
) -> Result<Option<String>, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = applicant(actor, &loaded)?;
    let mut kinds =
        loaded.case.rate(rating.moment, rating.grade, rating.dimensions.clone(), &rating.comment)?;
    let child = match rating.grade.is_bad() {
        true => Some(open_complaint(tx, actor, &loaded, pack, &rating).await?),
        false => None,
    };
    if let Some((id, number)) = &child {
        kinds.push(loaded.case.child_opened(*id, number, ChildReason::BadRating));
    }
    record(tx, &mut loaded, by, actor, "cases.rate", kinds).await?;
    let today = tx.store().env().now().china_date();
    if rating.moment == Moment::Completion
        && let Some(archived) = loaded.case.archive(today)
    {
        super::append(tx, &mut loaded, crate::model::EventActor::node(), vec![archived]).await?;
    }
    Ok(child.map(|(_, number)| number))
}

/// The rating that follows a complaint that was put right.
pub(crate) fn rate_again(case: &Case, moment: Moment, grade: Grade) -> Result<Vec<CaseEventKind>, CaseError> {
    case.rate_again(moment, grade)
}

async fn open_complaint(
    tx: &Tx,
    actor: &Actor,
    about: &Loaded,
    pack: &Pack,
    rating: &NewRating,
) -> Result<(CaseId, String), ActionError> {
    let case = &about.case;
    let sections = vec![Section {
        title: Words::new("评价", "The rating"),
        rows: vec![
            row("case_no", Words::new("被评价的办件", "The case that was rated"), case.case_no()),
            row("item", Words::new("事项", "Item"), case.opened.item_name.clone()),
            row("moment", Words::new("环节", "Moment"), moment_words(rating.moment)),
            row("grade", Words::new("等次", "Grade"), grade_words(rating.grade)),
            row("comment", Words::new("评价内容", "In words"), rating.comment.trim()),
        ],
    }];
    let facts = serde_json::json!({
        "case_no": case.case_no(), "moment": rating.moment, "grade": rating.grade.number(),
    });
    let child = Child {
        procedure: BAD_RATING_PROCEDURE,
        reason: ChildReason::BadRating,
        moment: Some(rating.moment),
        item_name: Words::new("差评核实整改", "Putting a bad rating right"),
        payload: Payload { sections, facts, materials: Vec::new() },
    };
    open_child(tx, actor, case, pack, child).await
}

/// A case that grows out of another.
pub(crate) struct Child<'a> {
    pub(crate) procedure: &'a str,
    pub(crate) reason: ChildReason,
    pub(crate) moment: Option<Moment>,
    pub(crate) item_name: Words,
    pub(crate) payload: Payload,
}

/// Opens a case about `parent`. A complaint goes to the rating office, a review stays with the parent's
/// organisation; where that one has no posts for the procedure, the nearest above it takes it.
pub(crate) async fn open_child(
    tx: &Tx,
    actor: &Actor,
    parent: &Case,
    pack: &Pack,
    child: Child<'_>,
) -> Result<(CaseId, String), ActionError> {
    let env = tx.store().env().clone();
    let now = env.now();
    let content = || ActionError::Content { procedure: child.procedure.to_owned() };
    let procedure = pack.procedure(child.procedure).ok_or_else(content)?.clone();
    let preferred = match child.reason {
        ChildReason::BadRating => pack.node().rating_office.as_str(),
        ChildReason::Review => parent.opened.org.as_str(),
    };
    let org = org_for(pack, &procedure, preferred).ok_or_else(content)?;
    let division: DivisionCode = parent.opened.division.parse().map_err(|_| content())?;
    let today = now.china_date();
    let case_id = CaseId::generate(&*env.clock, &*env.entropy);
    let case_no = CaseNo::generate(division, today, &*env.entropy).as_str().to_owned();
    let limit = Terms::decision_rule(&procedure, pack.rules(), today)?.ok_or_else(content)?;
    let terms = Terms::resolve(&procedure, pack.rules(), today)?;
    let new = NewCase {
        subject: parent.subject,
        case_id,
        case_no: case_no.clone(),
        item_id: procedure.id.clone(),
        item_hash: procedure.hash().to_owned(),
        item_name: child.item_name,
        org,
        division: parent.opened.division.clone(),
        applicant: parent.opened.applicant.clone(),
        payload: child.payload,
        received_at: now,
        statutory: None,
        promised: limit,
        terms,
        parent: Some(Parent {
            case_id: parent.id,
            case_no: parent.case_no().to_owned(),
            reason: child.reason,
            moment: child.moment,
            excluded: parent.officers().to_vec(),
        }),
        at_once: None,
        procedure,
    };
    // A child is rare and small, so it may be made ready inside the write.
    let prepared = prepare(tx.store(), actor, new)?;
    open(tx, actor, prepared).await?;
    Ok((case_id, case_no))
}

/// The organisation whose posts carry every role of the procedure.
fn org_for(pack: &Pack, procedure: &Procedure, preferred: &str) -> Option<OrgCode> {
    let roles: Vec<&str> = procedure.steps.iter().filter_map(|step| step.role.as_deref()).collect();
    let able = |org: &&packs::model::Org| roles.iter().all(|role| org.posts_with(role).next().is_some());
    let mut code = Some(preferred);
    while let Some(org) = code.and_then(|code| pack.org(code)) {
        if able(&org) {
            return org.code.parse().ok();
        }
        code = org.parent.as_deref();
    }
    pack.orgs().orgs.iter().find(able)?.code.parse().ok()
}

fn row(field: &str, label: Words, value: impl Into<crate::model::Text>) -> Row {
    Row { field: field.to_owned(), label, value: value.into(), source: None }
}

fn moment_words(moment: Moment) -> Words {
    match moment {
        Moment::Submission => Words::new("申报", "Applying"),
        Moment::Correction => Words::new("补正", "Correcting"),
        Moment::Completion => Words::new("整件办理", "The case as a whole"),
    }
}

fn grade_words(grade: Grade) -> Words {
    match grade.number() {
        5 => Words::new("非常满意", "Very satisfied"),
        4 => Words::new("满意", "Satisfied"),
        3 => Words::new("基本满意", "Fairly satisfied"),
        2 => Words::new("不满意", "Dissatisfied"),
        _ => Words::new("非常不满意", "Very dissatisfied"),
    }
}

//! An item: who decides, what its fields rest on, where its paths end, what comes out.

use crate::expr::FactType;
use crate::item::{Item, fact_type};
use crate::model::{AppointmentSpec, Field, FieldKind, ItemDoc, Procedure, Words};
use crate::problem::Problems;

use super::{World, limits, material, unique, unknown};

pub(crate) fn item(item: &Item, world: &World, problems: &mut Problems) {
    let doc: &ItemDoc = item;
    codes(doc, problems);
    unique(problems, "/legal_basis", doc.legal_basis.iter().map(|b| b.id.as_str()));
    unique(problems, "/conditions", doc.conditions.iter().map(|c| c.id.as_str()));
    for (i, condition) in doc.conditions.iter().enumerate() {
        if let Some(id) = &condition.article
            && !doc.legal_basis.iter().any(|b| b.id == *id)
        {
            problems.unknown_basis(&format!("/conditions/{i}/article"), id);
        }
    }
    let themes = world.node.iter().flat_map(|n| &n.themes);
    let themes: Vec<&str> = themes.map(|t| t.id.as_str()).collect();
    for (i, theme) in doc.themes.iter().enumerate() {
        if !themes.contains(&theme.as_str()) {
            unknown(problems, &format!("/themes/{i}"), &Words::new("主题", "theme"), theme);
        }
    }
    limits(&doc.limits, &doc.legal_basis, doc.case_type, doc.visits, problems);
    material::materials(&doc.materials, world, problems);
    material::file_fields(doc, world, problems);
    fields(doc, world, problems);
    questions(doc, problems);
    facts(doc, world, problems);
    procedure(item, world, problems);
    result(item, world, problems);
}

fn codes(doc: &ItemDoc, problems: &mut Problems) {
    if doc.catalog_code.get(2..4) != Some(doc.item_type.code()) {
        problems.add(
            "/catalog_code",
            "pack.code_mismatch",
            format!("基本编码第 3、4 位须为事项类型 {}", doc.item_type.code()),
            format!("digits 3 and 4 of the catalog code must be the item type {}", doc.item_type.code()),
        );
    }
    if let Some(code) = &doc.task_code
        && (code.len() != 31 || !code.ends_with(&doc.catalog_code))
    {
        problems.add(
            "/task_code",
            "pack.code_mismatch",
            "实施编码须为 31 位并以基本编码结尾",
            "a task code has 31 characters and ends with the catalog code",
        );
    }
}

fn procedure(item: &Item, world: &World, problems: &mut Problems) {
    let doc: &ItemDoc = item;
    let authority = world.org(&doc.authority);
    if authority.is_none() {
        unknown(problems, "/authority", &Words::new("机构", "organisation"), &doc.authority);
    }
    let Some(procedure) = world.procedures.get(&doc.procedure) else {
        unknown(problems, "/procedure", &Words::new("程序", "procedure"), &doc.procedure);
        return;
    };
    if let Some(org) = authority {
        for (step, role) in procedure.roles() {
            if org.posts_with(role).next().is_none() {
                problems.add(
                    "/authority",
                    "pack.no_post_for_step",
                    format!("`{}` 没有承担角色 `{role}` 的岗位，环节 `{step}` 无人可办", org.code),
                    format!("`{}` has no post with the role `{role}` for the step `{step}`", org.code),
                );
            }
        }
    }
    let allowed = |outcome: &str| procedure.review_outcomes.iter().any(|o| o == outcome);
    let rows = doc.decision.rows.iter().enumerate().map(|(i, row)| (format!("/decision/rows/{i}/then"), row));
    for (pointer, row) in
        rows.chain(std::iter::once(("/decision/default/then".to_owned(), &doc.decision.default)))
    {
        if !allowed(&row.then) {
            problems.add(
                pointer,
                "pack.outcome_not_allowed",
                format!("程序 `{}` 没有审查结论 `{}`", procedure.id, row.then),
                format!("the procedure `{}` has no outcome `{}`", procedure.id, row.then),
            );
        }
    }
    appointment(doc, procedure, problems);
}

fn appointment(doc: &ItemDoc, procedure: &Procedure, problems: &mut Problems) {
    unique(problems, "/parties", doc.parties.iter().map(|p| p.id.as_str()));
    if doc.appointment.is_some() != procedure.appointment.is_some() {
        problems.add(
            "/procedure",
            "pack.appointment_mismatch",
            "事项与程序须同时有或同时没有预约",
            "the item and its procedure must both book or both not book",
        );
    }
    if procedure.appointment.as_ref().is_some_and(|rules| rules.all_parties_confirm) {
        for (i, party) in doc.parties.iter().enumerate() {
            let confirms = |field: &Field| {
                field.kind == FieldKind::PersonConfirm && field.party.as_deref() == Some(party.id.as_str())
            };
            if !doc.form.fields().any(|(_, field)| confirms(field)) {
                problems.add(
                    format!("/parties/{i}"),
                    "pack.party_never_confirms",
                    format!("当事人 `{}` 没有本人确认的字段", party.id),
                    format!("the party `{}` never confirms", party.id),
                );
            }
        }
    }
    if let Some(spec) = &doc.appointment {
        opening_hours(spec, problems);
    }
}

fn opening_hours(spec: &AppointmentSpec, problems: &mut Problems) {
    if spec.min_days_ahead > spec.max_days_ahead {
        problems.add(
            "/appointment/min_days_ahead",
            "pack.bad_value",
            "最早提前天数大于最多提前天数",
            "the earliest booking lies after the latest",
        );
    }
    for (i, hours) in spec.hours.iter().enumerate() {
        let fits =
            minutes(&hours.from).zip(minutes(&hours.to)).is_some_and(|(from, to)| from + spec.minutes <= to);
        if !fits {
            problems.add(
                format!("/appointment/hours/{i}"),
                "pack.bad_value",
                "开放时间须写成 时:分，且至少容得下一个时段",
                "opening hours are HH:MM and hold at least one slot",
            );
        }
    }
}

/// `HH:MM` as minutes of the day.
fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (text.len() == 5 && hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn fields(doc: &ItemDoc, world: &World, problems: &mut Problems) {
    unique(problems, "/form/pages", doc.form.pages.iter().map(|p| p.id.as_str()));
    for (p, page) in doc.form.pages.iter().enumerate() {
        for (f, one) in page.fields.iter().enumerate() {
            field(doc, one, &format!("/form/pages/{p}/fields/{f}"), world, problems);
        }
    }
}

fn field(doc: &ItemDoc, field: &Field, pointer: &str, world: &World, problems: &mut Problems) {
    options(field.kind, &field.options, pointer, problems);
    if let Some(path) = &field.source {
        match world.sharing.field(path) {
            None => {
                unknown(problems, &format!("{pointer}/source"), &Words::new("共享字段", "shared field"), path)
            }
            Some((_, shared)) if shared.kind != fact_type(field.kind) => {
                type_mismatch(&format!("{pointer}/source"), shared.kind, problems);
            }
            Some(_) => {}
        }
    } else if field.read_only {
        problems.add(
            format!("{pointer}/read_only"),
            "pack.field_without_source",
            "只读字段须写明来源",
            "a read-only field must name its source",
        );
    }
    if let Some(id) = &field.changed_needs {
        if field.source.is_none() || field.read_only {
            problems.add(
                format!("{pointer}/changed_needs"),
                "pack.field_without_source",
                "“改后须”只用于可改的预填字段",
                "`changed_needs` is for pre-filled fields that may be changed",
            );
        }
        if !doc.materials.iter().any(|m| m.id == *id) {
            unknown(problems, &format!("{pointer}/changed_needs"), &Words::new("材料", "material"), id);
        }
    }
    if let Some(id) = &field.check
        && world.sharing.check(id).is_none()
    {
        unknown(problems, &format!("{pointer}/check"), &Words::new("核验项", "check"), id);
    }
    if let Some(id) = &field.party
        && !doc.parties.iter().any(|p| p.id == *id)
    {
        unknown(problems, &format!("{pointer}/party"), &Words::new("当事人", "party"), id);
    }
    let lacks = match field.kind {
        FieldKind::PersonConfirm if field.party.is_none() => Some(("当事方", "`party`")),
        FieldKind::Slot if doc.appointment.is_none() => Some(("事项的预约", "`appointment` of the item")),
        _ => None,
    };
    if let Some((zh, en)) = lacks {
        problems.add(
            pointer,
            "pack.missing_key",
            format!("此类字段须有{zh}"),
            format!("such a field needs {en}"),
        );
    }
}

fn options(kind: FieldKind, options: &[crate::model::FieldOption], pointer: &str, problems: &mut Problems) {
    let chooses = matches!(kind, FieldKind::Radios | FieldKind::Checkboxes | FieldKind::Select);
    if chooses == options.is_empty() {
        problems.add(
            pointer,
            "pack.options_mismatch",
            "单选、多选、下拉须有选项，其他类型不得有",
            "radios, checkboxes and select need options, other types must not have any",
        );
    }
    for (i, option) in options.iter().enumerate() {
        if options.iter().take(i).any(|earlier| earlier.value == option.value) {
            problems.add(
                format!("{pointer}/options/{i}"),
                "pack.duplicate_id",
                format!("选项 `{}` 重复", option.value),
                format!("the option `{}` stands twice", option.value),
            );
        }
    }
}

fn questions(doc: &ItemDoc, problems: &mut Problems) {
    let Some(eligibility) = &doc.eligibility else { return };
    for (i, question) in eligibility.questions.iter().enumerate() {
        let pointer = format!("/eligibility/questions/{i}");
        options(question.kind, &question.options, &pointer, problems);
        let answerable = matches!(
            question.kind,
            FieldKind::YesNo
                | FieldKind::Date
                | FieldKind::Number
                | FieldKind::Radios
                | FieldKind::Checkboxes
                | FieldKind::Select
        );
        if !answerable {
            problems.add(
                format!("{pointer}/type"),
                "pack.bad_value",
                "资格问题只能是是否、日期、数字或选择",
                "an eligibility question is yes or no, a date, a number or a choice",
            );
        }
    }
}

fn facts(doc: &ItemDoc, world: &World, problems: &mut Problems) {
    for (i, fact) in doc.facts.iter().enumerate() {
        let pointer = format!("/facts/{i}");
        let origins = [fact.check.is_some(), fact.source.is_some(), fact.value.is_some()];
        if origins.iter().filter(|o| **o).count() != 1 {
            problems.add(
                &pointer,
                "pack.fact_without_origin",
                "事实须有且只有一个出处：核验、来源或值",
                "a fact has exactly one origin: `check`, `source` or `value`",
            );
        }
        let supplied = match (&fact.check, &fact.source) {
            (Some(id), _) => match world.sharing.check(id) {
                None => {
                    unknown(problems, &format!("{pointer}/check"), &Words::new("核验项", "check"), id);
                    None
                }
                Some(check) => Some(("check", check.kind)),
            },
            (None, Some(path)) => match world.sharing.field(path) {
                None => {
                    let what = Words::new("共享字段", "shared field");
                    unknown(problems, &format!("{pointer}/source"), &what, path);
                    None
                }
                Some((_, shared)) => Some(("source", shared.kind)),
            },
            (None, None) => None,
        };
        if let Some((key, kind)) = supplied
            && kind != fact.kind
        {
            type_mismatch(&format!("{pointer}/{key}"), kind, problems);
        }
    }
}

fn result(item: &Item, world: &World, problems: &mut Problems) {
    let doc: &ItemDoc = item;
    let Some(id) = &doc.result.licence else {
        if let Some(field) = doc.result.fields.keys().next() {
            let pointer = format!("/result/fields/{field}");
            unknown(problems, &pointer, &Words::new("结果证照", "licence to fill"), field);
        }
        return;
    };
    let Some(licence) = world.licences.get(id) else {
        unknown(problems, "/result/licence", &Words::new("证照类型", "licence type"), id);
        return;
    };
    if !licence.issued_here {
        problems.add(
            "/result/licence",
            "pack.licence_not_issued_here",
            format!("证照 `{id}` 不由本地颁发"),
            format!("the licence `{id}` is not issued here"),
        );
    }
    for (field, fact) in &doc.result.fields {
        let pointer = format!("/result/fields/{field}");
        let Some(declared) = licence.field(field) else {
            unknown(problems, &pointer, &Words::new("证照字段", "licence field"), field);
            continue;
        };
        let kind = item
            .scope()
            .resolve(fact)
            .map(|(_, info)| info.kind)
            .or_else(|| item.decision_table().value_kind(fact));
        if let Some(kind) = kind
            && kind != declared.kind
        {
            type_mismatch(&pointer, kind, problems);
        }
    }
    for field in licence.fields.iter().filter(|f| f.required && !doc.result.fields.contains_key(&f.id)) {
        problems.add(
            "/result/fields",
            "pack.licence_field_unfilled",
            format!("证照必有字段 `{}` 没有填写", field.id),
            format!("the licence field `{}` is required but nothing fills it", field.id),
        );
    }
}

fn type_mismatch(pointer: &str, kind: FactType, problems: &mut Problems) {
    let words = kind.words();
    problems.add(
        pointer,
        "pack.type_mismatch",
        format!("来源的类型是{}，两边不一致", words.zh),
        format!("what supplies it is {}, the two do not agree", words.en),
    );
}

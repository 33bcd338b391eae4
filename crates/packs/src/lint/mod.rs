//! What a file must keep beyond its shape: references that exist, promises within the law, and
//! nothing asked for that the government already holds.

mod base;
mod item;
mod material;
mod procedure;

use std::collections::BTreeMap;

use kernel::division::{DivisionCode, Divisions, Level};
use kernel::uscc::Uscc;

use crate::model::{
    BaseDoc, LicenceType, NodeDoc, Org, OrgDirectory, Procedure, RuleRow, RuleSet, ShareCatalogue, Term,
    TermUnit, Words,
};
use crate::problem::Problems;
use crate::rules::Rules;
use crate::version::Versioned;

pub(crate) use base::tightens_base;
pub(crate) use item::item;
pub(crate) use material::materials;
pub(crate) use procedure::procedure;

/// Everything that an item or a procedure may refer to.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) node: Option<NodeDoc>,
    pub(crate) rules: Rules,
    pub(crate) orgs: OrgDirectory,
    pub(crate) sharing: ShareCatalogue,
    pub(crate) licences: BTreeMap<String, Versioned<LicenceType>>,
    pub(crate) procedures: BTreeMap<String, Versioned<Procedure>>,
    pub(crate) bases: BTreeMap<String, BaseDoc>,
}

impl World {
    pub(crate) fn org(&self, code: &str) -> Option<&Org> {
        self.orgs.orgs.iter().find(|org| org.code == code)
    }

    fn has_role(&self, role: &str) -> bool {
        self.orgs.roles.iter().any(|r| r.id == role)
    }
}

/// Notes a reference to what does not exist.
fn unknown(problems: &mut Problems, pointer: &str, what: &Words, id: &str) {
    problems.add(
        pointer,
        "pack.unknown_reference",
        format!("没有{} `{id}`", what.zh),
        format!("there is no {} `{id}`", what.en),
    );
}

/// Notes ids that stand twice in a list.
fn unique<'a>(problems: &mut Problems, pointer: &str, ids: impl Iterator<Item = &'a str>) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, id) in ids.enumerate() {
        if seen.contains(&id) {
            problems.add(
                format!("{pointer}/{i}/id"),
                "pack.duplicate_id",
                format!("编号 `{id}` 重复"),
                format!("the id `{id}` stands twice"),
            );
        }
        seen.push(id);
    }
}

/// A rule that must exist today and count days.
fn days_rule(problems: &mut Problems, pointer: &str, world: &World, id: &str) {
    let counts_days = world.rules.rows().find(|row| row.id == id).map(|row| {
        matches!(row.unit, crate::model::RuleUnit::WorkingDays | crate::model::RuleUnit::NaturalDays)
    });
    match counts_days {
        None => unknown(problems, pointer, &Words::new("规则", "rule"), id),
        Some(true) => {}
        Some(false) => problems.add(
            pointer,
            "pack.wrong_unit",
            format!("规则 `{id}` 不以日计"),
            format!("the rule `{id}` does not count days"),
        ),
    }
}

/// 即办件, 承诺 ≤ 法定, and a statutory limit that says where it stands.
pub(crate) fn limits(
    limits: &crate::model::Limits,
    bases: &[crate::model::LegalBasis],
    case_type: crate::model::CaseType,
    visits: u32,
    problems: &mut Problems,
) {
    if let Some(statutory) = limits.statutory {
        if !limits.promised.within(statutory) {
            let (promised, law) = (limits.promised.words(), statutory.words());
            problems.add(
                "/limits/promised",
                "pack.promise_beyond_statute",
                format!("承诺时限{}超过法定时限{}", promised.zh, law.zh),
                format!("the promise of {} is longer than the statutory {}", promised.en, law.en),
            );
        }
        match limits.article.as_deref() {
            None => problems.add(
                "/limits",
                "pack.missing_basis",
                "法定时限须写明依据条款",
                "a statutory limit must name its legal basis",
            ),
            Some(id) if !bases.iter().any(|b| b.id == id) => problems.unknown_basis("/limits/article", id),
            Some(_) => {}
        }
    }
    if case_type == crate::model::CaseType::Instant {
        let day = Term { days: 1, unit: TermUnit::WorkingDays };
        if !limits.promised.within(day) {
            problems.add(
                "/limits/promised",
                "pack.instant_case_too_slow",
                "即办件的承诺时限不得超过 1 个工作日",
                "an instant case must be promised within 1 working day",
            );
        }
        if visits > 1 {
            problems.add(
                "/visits",
                "pack.instant_case_too_many_visits",
                "即办件到现场不得超过 1 次",
                "an instant case must not take more than 1 visit",
            );
        }
    }
}

/// Rows of one rule follow each other without overlap and keep their unit.
pub(crate) fn rules(set: &RuleSet, all: &[RuleRow], problems: &mut Problems) {
    for (i, row) in set.rules.iter().enumerate() {
        if row.effective_to.is_some_and(|last| last < row.effective_from) {
            problems.add(
                format!("/rules/{i}/effective_to"),
                "pack.rule_ends_before_it_starts",
                "失效日早于施行日",
                "the last day lies before the first",
            );
        }
        let same = all.iter().filter(|other| other.id == row.id && *other != row);
        for other in same.filter(|other| other.effective_from <= row.effective_from) {
            if other.unit != row.unit {
                problems.add(
                    format!("/rules/{i}/unit"),
                    "pack.wrong_unit",
                    format!("规则 `{}` 前后单位不一", row.id),
                    format!("the rule `{}` changes its unit", row.id),
                );
            }
            if other.effective_to.is_none_or(|last| last >= row.effective_from) {
                problems.add(
                    format!("/rules/{i}/effective_from"),
                    "pack.rule_overlap",
                    format!("规则 `{}` 的施行期间重叠", row.id),
                    format!("two rows of the rule `{}` are in force on the same day", row.id),
                );
            }
        }
        let doubled = set.rules.iter().take(i).any(|earlier| earlier == row);
        if doubled {
            problems.add(
                format!("/rules/{i}/id"),
                "pack.duplicate_id",
                format!("规则 `{}` 重复", row.id),
                format!("a row of the rule `{}` stands twice", row.id),
            );
        }
    }
}

/// Organisations: one tree, deeper levels below higher ones, posts unique in the node.
pub(crate) fn orgs(directory: &OrgDirectory, world: &World, problems: &mut Problems) {
    for (i, org) in directory.orgs.iter().enumerate() {
        if world.orgs.orgs.iter().filter(|other| other.code == org.code).count() > 1 {
            problems.add(
                format!("/orgs/{i}/code"),
                "pack.duplicate_id",
                format!("机构代码 `{}` 重复", org.code),
                format!("the organisation code `{}` stands twice", org.code),
            );
        }
        if let Some(parent) = &org.parent {
            let pointer = format!("/orgs/{i}/parent");
            match world.org(parent) {
                None => unknown(problems, &pointer, &Words::new("机构", "organisation"), parent),
                // A department stands at the level of its government, never above its parent.
                Some(above) if above.level > org.level || above.code == org.code => problems.add(
                    pointer,
                    "pack.org_above_its_parent",
                    "上级机构的层级低于本机构",
                    "the parent stands at a lower level",
                ),
                Some(_) => {}
            }
        }
        if let Err(error) = Uscc::parse(&org.uscc) {
            problems.add(
                format!("/orgs/{i}/uscc"),
                "pack.bad_value",
                "统一社会信用代码不合 GB 32100（位数、字符或校验位不对）",
                format!("not a credit code of GB 32100: {error}"),
            );
        }
        division(&org.division, &format!("/orgs/{i}/division"), problems);
        for (p, post) in org.posts.iter().enumerate() {
            let holders =
                world.orgs.orgs.iter().flat_map(|o| &o.posts).filter(|other| other.code == post.code);
            if holders.count() > 1 {
                problems.add(
                    format!("/orgs/{i}/posts/{p}/code"),
                    "pack.duplicate_id",
                    format!("岗位代码 `{}` 重复", post.code),
                    format!("the post code `{}` stands twice", post.code),
                );
            }
            for (r, role) in post.roles.iter().enumerate() {
                if !world.has_role(role) {
                    let pointer = format!("/orgs/{i}/posts/{p}/roles/{r}");
                    unknown(problems, &pointer, &Words::new("角色", "role"), role);
                }
            }
        }
    }
}

/// The node's own organisations.
pub(crate) fn node(node: &NodeDoc, world: &World, problems: &mut Problems) {
    for (key, code) in
        [
            ("operator", &node.operator),
            ("auditor", &node.auditor),
            ("rating_office", &node.rating_office),
            ("data_authority", &node.data_authority),
        ]
    {
        if world.org(code).is_none() {
            unknown(problems, &format!("/{key}"), &Words::new("机构", "organisation"), code);
        }
    }
    division(&node.division, "/division", problems);
    unique(problems, "/themes", node.themes.iter().map(|t| t.id.as_str()));
}

/// A division that the national table has today.
fn division(code: &str, pointer: &str, problems: &mut Problems) {
    let known = DivisionCode::parse(code).is_ok_and(|code| {
        // Villages are an import of the node, so the embedded table knows their township only.
        let listed = if code.level() == Level::Village { code.at(Level::Township) } else { code };
        Divisions::embedded().present(listed).is_some()
    });
    if !known {
        unknown(problems, pointer, &Words::new("区划", "division"), code);
    }
}

/// Sources and checks have ids of their own.
pub(crate) fn sharing(catalogue: &ShareCatalogue, problems: &mut Problems) {
    unique(problems, "/sources", catalogue.sources.iter().map(|s| s.id.as_str()));
    unique(problems, "/checks", catalogue.checks.iter().map(|c| c.id.as_str()));
    for (i, source) in catalogue.sources.iter().enumerate() {
        unique(problems, &format!("/sources/{i}/fields"), source.fields.iter().map(|f| f.id.as_str()));
    }
}

/// A licence type: scenes show what it has, and its code has the form of the standard.
pub(crate) fn licence(licence: &LicenceType, world: &World, problems: &mut Problems) {
    for (i, role) in licence.kept_by.iter().enumerate().filter(|(_, role)| !world.has_role(role)) {
        unknown(problems, &format!("/kept_by/{i}"), &Words::new("角色", "role"), role);
    }
    unique(problems, "/fields", licence.fields.iter().map(|f| f.id.as_str()));
    unique(problems, "/scenes", licence.scenes.iter().map(|s| s.id.as_str()));
    let (authority, number) = licence.type_code.split_at_checked(18).unwrap_or_default();
    if Uscc::parse(authority).is_err() || number.len() != 3 || !number.bytes().all(|b| b.is_ascii_digit()) {
        problems.add(
            "/type_code",
            "pack.bad_value",
            "证照类型代码须为 18 位信用代码加 3 位数字（GB/T 36904）",
            "a type code is an 18-character credit code and 3 digits (GB/T 36904)",
        );
    }
    for (i, scene) in licence.scenes.iter().enumerate() {
        for (c, claim) in scene.claims.iter().enumerate() {
            let pointer = format!("/scenes/{i}/claims/{c}");
            match licence.field(claim) {
                None => unknown(problems, &pointer, &Words::new("字段", "field"), claim),
                Some(field) if field.disclosure == crate::model::Disclosure::HolderOnly => problems.add(
                    pointer,
                    "pack.discloses_holder_only",
                    format!("字段 `{claim}` 仅供本人查看，不得出示"),
                    format!("the field `{claim}` is for the holder alone"),
                ),
                Some(_) => {}
            }
        }
    }
    if let Some(id) = &licence.validity.until_field
        && licence.field(id).is_none_or(|f| f.kind != crate::expr::FactType::Date)
    {
        unknown(problems, "/validity/until_field", &Words::new("日期字段", "date field"), id);
    }
}

//! 国务院令716, article 7: what an agency can get through sharing or from a licence that it
//! issued must not be demanded of the applicant.

use crate::model::{FieldKind, ItemDoc, Material, ObtainedFrom, Words};
use crate::problem::Problems;

use super::{World, unknown};

/// Who already holds a paper.
struct Holder<'a> {
    id: &'a str,
    name: &'a Words,
    is_licence: bool,
}

/// Materials of an item or of a base.
pub(crate) fn materials(materials: &[Material], world: &World, problems: &mut Problems) {
    super::unique(problems, "/materials", materials.iter().map(|m| m.id.as_str()));
    for (i, material) in materials.iter().enumerate() {
        let pointer = format!("/materials/{i}");
        let from = &material.obtained_from;
        if from.licence.is_none() && from.source.is_none() && from.applicant.is_none() {
            problems.add(
                format!("{pointer}/obtained_from"),
                "pack.material_from_nowhere",
                "材料须写明取自何处",
                "the material must say where it comes from",
            );
        }
        if let Some(id) = &from.licence
            && !world.licences.contains_key(id)
        {
            unknown(
                problems,
                &format!("{pointer}/obtained_from/licence"),
                &Words::new("证照类型", "licence type"),
                id,
            );
        }
        if let Some(id) = &from.source
            && world.sharing.source(id).is_none()
        {
            unknown(
                problems,
                &format!("{pointer}/obtained_from/source"),
                &Words::new("数据源", "shared source"),
                id,
            );
        }
        let held = from.licence.is_some() || from.source.is_some();
        if held && material.why_not_needed.is_none() {
            problems.add(
                &pointer,
                "pack.missing_key",
                "政府已有的材料须写明免交原因",
                "a material that is already held must say why it need not be brought",
            );
        }
        already_held(&pointer, &material.name, from, world, problems);
    }
}

/// Form fields that take in files.
pub(crate) fn file_fields(item: &ItemDoc, world: &World, problems: &mut Problems) {
    for (p, page) in item.form.pages.iter().enumerate() {
        for (f, field) in page.fields.iter().enumerate() {
            if field.kind != FieldKind::File {
                continue;
            }
            let pointer = format!("/form/pages/{p}/fields/{f}");
            let material =
                field.material.as_deref().and_then(|id| item.materials.iter().find(|m| m.id == id));
            let Some(material) = material else {
                problems.add(
                    pointer,
                    "pack.file_without_material",
                    "文件字段须写明所属材料",
                    "a file field must name a material of the item",
                );
                continue;
            };
            already_held(&pointer, &field.label, &material.obtained_from, world, problems);
            let held = material.obtained_from.licence.is_some() || material.obtained_from.source.is_some();
            let unconditional = field.required
                && field.show_when.is_none()
                && page.show_when.is_none()
                && material.required_when.is_none();
            if held && unconditional {
                problems.add(
                    pointer,
                    "pack.material_already_held",
                    format!(
                        "`{}`可由证照或共享数据取得，不得一律要求上传（国务院令716 §7）",
                        material.name.zh
                    ),
                    format!(
                        "`{}` comes from a licence or shared data and must not be demanded of everyone \
                         (State Council Order 716, art. 7)",
                        material.name.en
                    ),
                );
            }
        }
    }
}

fn already_held(pointer: &str, name: &Words, from: &ObtainedFrom, world: &World, problems: &mut Problems) {
    let holders = holders(name, world);
    let taken_there = holders.iter().any(|holder| {
        let named = if holder.is_licence { &from.licence } else { &from.source };
        named.as_deref() == Some(holder.id)
    });
    if taken_there {
        return;
    }
    let Some(holder) = holders.first() else { return };
    let (kind_zh, kind_en) =
        if holder.is_licence { ("电子证照", "licence") } else { ("共享数据源", "shared source") };
    problems.add(
        pointer,
        "pack.material_already_held",
        format!(
            "`{}`不得要求申请人提交：{kind_zh}“{}”（`{}`）已经能够提供（国务院令716 §7）",
            name.zh, holder.name.zh, holder.id
        ),
        format!(
            "`{}` must not be demanded of the applicant: the {kind_en} `{}` ({}) already gives it \
             (State Council Order 716, art. 7)",
            name.en, holder.id, holder.name.en
        ),
    );
}

/// Every licence type and source that replaces a paper of that name.
fn holders<'a>(name: &Words, world: &'a World) -> Vec<Holder<'a>> {
    let english = name.en.to_lowercase();
    let replaced = |papers: &[Words]| {
        papers.iter().any(|p| name.zh.contains(p.zh.as_str()) || english.contains(&p.en.to_lowercase()))
    };
    let licences = world.licences.values().filter(|l| replaced(&l.replaces));
    let sources = world.sharing.sources.iter().filter(|s| replaced(&s.replaces));
    licences
        .map(|l| Holder { id: &l.id, name: &l.name, is_licence: true })
        .chain(sources.map(|s| Holder { id: &s.id, name: &s.name, is_licence: false }))
        .collect()
}

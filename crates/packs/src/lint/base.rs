//! A local file may only tighten its national base: shorter promise, fewer materials and
//! conditions, more channels, fewer visits, a lower fee.

use crate::model::{BaseDoc, ItemDoc};
use crate::problem::Problems;

pub(crate) fn tightens_base(item: &ItemDoc, base: &BaseDoc, problems: &mut Problems) {
    let mut loosens = |pointer: &str, zh: String, en: String| {
        problems.add(
            pointer,
            "pack.loosens_base",
            format!("不得比国家基本目录宽松：{zh}"),
            format!("looser than its base: {en}"),
        );
    };
    for (pointer, same, zh, en) in [
        ("/catalog_code", item.catalog_code == base.catalog_code, "基本编码", "catalog code"),
        ("/item_type", item.item_type == base.item_type, "事项类型", "item type"),
        ("/procedure", item.procedure == base.procedure, "程序", "procedure"),
    ] {
        if !same {
            loosens(pointer, format!("{zh}不得改动"), format!("the {en} must stay as it is"));
        }
    }
    if !item.limits.promised.within(base.limits.promised) {
        let (here, there) = (item.limits.promised.words(), base.limits.promised.words());
        loosens(
            "/limits/promised",
            format!("承诺时限{}长于{}", here.zh, there.zh),
            format!("the promise of {} is longer than {}", here.en, there.en),
        );
    }
    match (item.limits.statutory, base.limits.statutory) {
        (None, Some(_)) => {
            loosens("/limits", "缺少法定时限".to_owned(), "the statutory limit is missing".to_owned());
        }
        (Some(here), Some(there)) if !here.within(there) => {
            loosens(
                "/limits/statutory",
                format!("法定时限{}长于{}", here.words().zh, there.words().zh),
                format!("the statutory {} is longer than {}", here.words().en, there.words().en),
            );
        }
        _ => {}
    }
    for (i, material) in item.materials.iter().enumerate() {
        let pointer = format!("/materials/{i}");
        let Some(national) = base.materials.iter().find(|m| m.id == material.id) else {
            loosens(
                &pointer,
                format!("多要了材料 `{}`", material.id),
                format!("it asks for the further material `{}`", material.id),
            );
            continue;
        };
        let (here, there) = (&material.obtained_from, &national.obtained_from);
        let given_up = there.licence.is_some() && here.licence.is_none()
            || there.source.is_some() && here.source.is_none()
            || there.applicant.is_none() && here.applicant.is_some();
        if given_up {
            loosens(
                &format!("{pointer}/obtained_from"),
                format!("材料 `{}` 转由申请人提供", material.id),
                format!("the material `{}` is moved onto the applicant", material.id),
            );
        }
        if national.required_when.is_some() && material.required_when.is_none() {
            loosens(
                &pointer,
                format!("材料 `{}` 由有条件必需改为一律必需", material.id),
                format!("the material `{}` is required without its condition", material.id),
            );
        }
    }
    for (i, condition) in item.conditions.iter().enumerate() {
        if !base.conditions.iter().any(|c| c.id == condition.id) {
            loosens(
                &format!("/conditions/{i}"),
                format!("增设了条件 `{}`", condition.id),
                format!("it adds the condition `{}`", condition.id),
            );
        }
    }
    for channel in base.channels.iter().filter(|c| !item.channels.contains(c)) {
        loosens("/channels", format!("减少了渠道 {channel:?}"), format!("it drops the channel {channel:?}"));
    }
    for audience in base.audience.iter().filter(|a| !item.audience.contains(a)) {
        loosens("/audience", format!("排除了对象 {audience:?}"), format!("it shuts out {audience:?}"));
    }
    if item.visits > base.visits {
        loosens("/visits", "到现场次数增加".to_owned(), "it takes more visits".to_owned());
    }
    if item.fee.amount > base.fee.amount {
        loosens("/fee", "收费提高".to_owned(), "it costs more".to_owned());
    }
}

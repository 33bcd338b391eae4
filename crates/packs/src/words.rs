//! The one table of Chinese and English spellings of keys and of fixed values.
//!
//! The canonical form is English; an author may write either. Both columns are unique, so that a
//! Chinese key means the same in every file.

/// Canonical key and its Chinese spelling.
pub const KEYS: &[(&str, &str)] = &[
    // everywhere
    ("id", "编号"),
    ("name", "名称"),
    ("zh", "中文"),
    ("en", "英文"),
    ("summary", "简介"),
    ("text", "正文"),
    ("note", "说明"),
    ("label", "标签"),
    ("hint", "提示"),
    ("type", "类型"),
    ("value", "值"),
    ("unit", "单位"),
    ("days", "天数"),
    ("source", "来源"),
    ("verified", "已核对"),
    // legal basis
    ("legal_basis", "依据"),
    ("title", "标题"),
    ("number", "文号"),
    ("clause", "条款"),
    ("says", "规定"),
    ("article", "依据条款"),
    // items
    ("keywords", "关键词"),
    ("themes", "主题"),
    ("audience", "服务对象"),
    ("authority", "实施机关"),
    ("use_level", "行使层级"),
    ("catalog_code", "基本编码"),
    ("task_code", "实施编码"),
    ("item_type", "事项类型"),
    ("case_type", "办件类型"),
    ("procedure", "程序"),
    ("base", "继承"),
    ("conditions", "受理条件"),
    ("materials", "材料"),
    ("limits", "时限"),
    ("fee", "收费"),
    ("steps", "环节"),
    ("channels", "渠道"),
    ("where", "地点"),
    ("visits", "到现场次数"),
    ("facts", "事实"),
    ("eligibility", "资格"),
    ("form", "表单"),
    ("parties", "当事人"),
    ("appointment", "预约"),
    ("decision", "判断"),
    ("result", "结果"),
    ("ratings", "评价"),
    ("examples", "试办"),
    ("why_not_needed", "免交原因"),
    ("obtained_from", "取自"),
    ("forms", "形式"),
    ("required_when", "必需当"),
    ("tolerant", "容缺"),
    ("licence", "证照"),
    ("applicant", "申请人"),
    ("statutory", "法定"),
    ("promised", "承诺"),
    ("start", "起算"),
    ("at_once", "齐全即办"),
    ("amount", "金额"),
    ("address", "地址"),
    ("hours", "开放时间"),
    ("phone", "电话"),
    ("alias", "别名"),
    ("check", "核验"),
    ("questions", "问题"),
    ("table", "判断表"),
    ("rows", "各行"),
    ("default", "其余"),
    ("when", "当"),
    ("then", "则"),
    ("because", "因"),
    ("values", "得出"),
    ("pages", "各页"),
    ("show_when", "显示当"),
    ("fields", "字段"),
    ("options", "选项"),
    ("required", "必填"),
    ("max_len", "最长"),
    ("min", "最小"),
    ("max", "最大"),
    ("read_only", "只读"),
    ("changed_needs", "改后须"),
    ("party", "当事方"),
    ("material", "所属材料"),
    ("citizen_id_field", "身份证号字段"),
    ("resource", "资源"),
    ("minutes", "分钟"),
    ("capacity", "容量"),
    ("min_days_ahead", "最早提前天数"),
    ("max_days_ahead", "最多提前天数"),
    ("hold_minutes", "保留分钟"),
    ("no_show_limit", "爽约次数"),
    ("no_show_pause_days", "爽约停约天数"),
    ("weekdays", "星期"),
    ("from", "自"),
    ("to", "至"),
    ("delivery", "送达"),
    ("dimensions", "评价指标"),
    ("today", "当日"),
    ("given", "给"),
    ("expect", "得"),
    ("row", "第几行"),
    // procedures
    ("stages", "阶段"),
    ("clocks", "时钟"),
    ("auto_decision", "自动决定"),
    ("review_outcomes", "审查结论"),
    ("review_on_request", "申请复核"),
    ("results", "办结结果"),
    ("national_states", "国家状态表"),
    ("stage", "所属阶段"),
    ("action", "动作"),
    ("role", "角色"),
    ("not_same_as", "不得同"),
    ("correction", "补正告知"),
    ("correction_answer", "补正答复"),
    ("deemed_acceptance", "逾期视为受理"),
    ("decision_limit", "办结期限"),
    ("pauses", "中止事由"),
    ("extension", "延期"),
    ("rule", "规则"),
    ("within", "期限内"),
    ("all_parties_confirm", "各方确认"),
    ("waiting_list", "候补"),
    ("change_until_hours", "可改签小时"),
    ("national_state", "国家办件状态"),
    ("favourable", "有利"),
    ("on", "时刻"),
    ("state", "状态"),
    // licence types
    ("type_code", "类型代码"),
    ("in_charge", "主管机关"),
    ("issued_here", "本地颁发"),
    ("replaces", "替代材料"),
    ("kept_by", "管理角色"),
    ("validity", "有效期"),
    ("template", "模板"),
    ("scenes", "场景"),
    ("disclosure", "披露"),
    ("until_field", "截止字段"),
    ("claims", "出示项"),
    // share catalogue
    ("sources", "数据源"),
    ("checks", "核验项"),
    ("provider", "提供方"),
    ("freshness_days", "有效天数"),
    // organisations
    ("roles", "各角色"),
    ("orgs", "机构"),
    ("code", "代码"),
    ("uscc", "统一社会信用代码"),
    ("division", "区划"),
    ("level", "层级"),
    ("parent", "上级"),
    ("posts", "岗位"),
    // rules
    ("rules", "规则表"),
    ("effective_from", "施行日"),
    ("effective_to", "失效日"),
    // node
    ("place", "地方"),
    ("operator", "运行机构"),
    ("auditor", "审计机构"),
    ("rating_office", "评价机构"),
    ("data_authority", "数据主管机构"),
    ("kind", "种类"),
];

/// Canonical value and its Chinese spelling.
pub(crate) type Choices = &'static [(&'static str, &'static str)];

pub(crate) const AUDIENCE: Choices = &[
    ("natural_person", "自然人"),
    ("enterprise", "企业法人"),
    ("public_institution", "事业法人"),
    ("social_organisation", "社会组织法人"),
    ("unincorporated_business", "非法人企业"),
    ("government_organ", "行政机关"),
    ("other_organisation", "其他组织"),
];
pub(crate) const USE_LEVEL: Choices = &[
    ("nation", "国家级"),
    ("province", "省级"),
    ("prefecture", "市级"),
    ("county", "县级"),
    ("township", "乡级"),
    ("village", "村级"),
];
pub(crate) const ORG_LEVEL: Choices = &[
    ("province", "省级"),
    ("prefecture", "市级"),
    ("county", "县级"),
    ("township", "乡级"),
    ("village", "村级"),
    ("grid", "网格"),
];
pub(crate) const ITEM_TYPE: Choices = &[
    ("permit", "行政许可"),
    ("penalty", "行政处罚"),
    ("coercion", "行政强制"),
    ("levy", "行政征收"),
    ("benefit", "行政给付"),
    ("inspection", "行政检查"),
    ("confirmation", "行政确认"),
    ("reward", "行政奖励"),
    ("adjudication", "行政裁决"),
    ("other_power", "其他行政权力"),
    ("public_service", "公共服务"),
];
pub(crate) const CASE_TYPE: Choices = &[("instant", "即办件"), ("promised", "承诺件")];
pub(crate) const OTHERWISE: Choices =
    &[("upload", "上传"), ("filled_in", "填写"), ("promise", "告知承诺"), ("show", "出示")];
pub(crate) const MATERIAL_FORM: Choices =
    &[("e_licence", "电子证照"), ("data", "共享数据"), ("upload", "上传"), ("paper", "纸质")];
pub(crate) const START: Choices = &[("received", "收件"), ("accepted", "受理")];
pub(crate) const CHANNEL: Choices = &[
    ("online", "网上"),
    ("counter", "窗口"),
    ("post", "快递"),
    ("telephone", "电话"),
    ("kiosk", "自助终端"),
    ("home_visit", "上门"),
];
pub(crate) const FACT_TYPE: Choices = &[
    ("boolean", "是否"),
    ("number", "数字"),
    ("money", "金额"),
    ("date", "日期"),
    ("text", "文本"),
    ("list", "列表"),
];
pub(crate) const FIELD_KIND: Choices = &[
    ("text", "文本"),
    ("textarea", "多行文本"),
    ("radios", "单选"),
    ("checkboxes", "多选"),
    ("select", "下拉"),
    ("date", "日期"),
    ("number", "数字"),
    ("phone", "电话"),
    ("citizen_id", "身份证号"),
    ("address", "地址"),
    ("file", "文件"),
    ("person_confirm", "本人确认"),
    ("slot", "时段"),
    ("yes_no", "是否"),
];
pub(crate) const WEEKDAY: Choices = &[
    ("monday", "周一"),
    ("tuesday", "周二"),
    ("wednesday", "周三"),
    ("thursday", "周四"),
    ("friday", "周五"),
    ("saturday", "周六"),
    ("sunday", "周日"),
];
pub(crate) const DELIVERY: Choices = &[("electronic", "电子"), ("by_post", "邮寄"), ("collect", "自取")];
pub(crate) const ELIGIBILITY: Choices =
    &[("eligible", "符合"), ("not_eligible", "不符合"), ("unsure", "需人工判断")];
pub(crate) const REVIEW: Choices = &[
    ("auto_approve", "自动通过"),
    ("auto_refuse", "自动不予"),
    ("manual", "人工审查"),
    ("refuse", "不予通过"),
    ("transfer", "转办"),
];
/// What an example may expect of a review table.
pub(crate) const REVIEW_EXPECTED: Choices = &[
    ("auto_approve", "自动通过"),
    ("auto_refuse", "自动不予"),
    ("manual", "人工审查"),
    ("refuse", "不予通过"),
    ("transfer", "转办"),
    ("not_enough_data", "资料不足"),
];
/// What an example may expect of an eligibility table.
pub(crate) const ELIGIBILITY_EXPECTED: Choices = &[
    ("eligible", "符合"),
    ("not_eligible", "不符合"),
    ("unsure", "需人工判断"),
    ("not_enough_data", "资料不足"),
];
pub(crate) const STAGE: Choices = &[
    ("draft", "草稿"),
    ("received", "收件"),
    ("correction", "补正"),
    ("accepted", "受理"),
    ("review", "审查"),
    ("decision", "决定"),
    ("production", "制证"),
    ("delivery", "送达"),
    ("rating", "评价"),
    ("archive", "归档"),
    ("not_accepted", "不予受理"),
    ("withdrawn", "撤回"),
    ("terminated", "终止"),
    ("reconsideration", "复议"),
];
pub(crate) const ACTION: Choices = &[
    ("receive", "收件"),
    ("accept", "受理"),
    ("examine", "审查"),
    ("decide", "决定"),
    ("produce", "制证"),
    ("deliver", "送达"),
    ("confirm", "确认"),
    ("attend", "接待"),
    ("verify", "核实"),
    ("rectify", "整改"),
    ("call_back", "回访"),
];
pub(crate) const MOMENT: Choices = &[
    ("received", "收件"),
    ("withdrawn_before_acceptance", "受理前撤件"),
    ("accepted", "受理"),
    ("not_accepted", "不予受理"),
    ("correction_asked", "补正开始"),
    ("correction_answered", "补正结束"),
    ("review_started", "开始办理"),
    ("paused", "特别程序开始"),
    ("resumed", "特别程序结束"),
    ("withdrawn", "撤回"),
    ("revoked", "撤销"),
];
pub(crate) const DISCLOSURE: Choices =
    &[("always", "必示"), ("selective", "选示"), ("holder_only", "仅本人")];
pub(crate) const RULE_UNIT: Choices = &[
    ("working_days", "工作日"),
    ("natural_days", "自然日"),
    ("years_of_age", "周岁"),
    ("fen", "分"),
    ("count", "个"),
    ("percent", "百分之"),
];
pub(crate) const THEME_KIND: Choices = &[("subject", "主题"), ("life_event", "人生事件")];

/// The canonical form of a key in either language.
pub(crate) fn canonical_key(written: &str) -> Option<&'static str> {
    KEYS.iter().find(|(en, zh)| *en == written || *zh == written).map(|(en, _)| *en)
}

/// The Chinese form of a canonical key.
pub(crate) fn chinese_key(canonical: &str) -> Option<&'static str> {
    KEYS.iter().find(|(en, _)| *en == canonical).map(|(_, zh)| *zh)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_has_both_spellings_and_each_spelling_one_meaning() {
        let mut seen = HashSet::new();
        for (en, zh) in KEYS {
            assert!(en.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{en}");
            assert!(!zh.is_ascii() && !zh.is_empty(), "{en} has no Chinese spelling");
            assert!(seen.insert(*en) && seen.insert(*zh), "{en} or {zh} stands twice");
        }
    }

    #[test]
    fn every_choice_has_both_spellings_once() {
        let all = [
            AUDIENCE,
            USE_LEVEL,
            ORG_LEVEL,
            ITEM_TYPE,
            CASE_TYPE,
            OTHERWISE,
            MATERIAL_FORM,
            START,
            CHANNEL,
            FACT_TYPE,
            FIELD_KIND,
            WEEKDAY,
            DELIVERY,
            ELIGIBILITY,
            REVIEW,
            REVIEW_EXPECTED,
            ELIGIBILITY_EXPECTED,
            STAGE,
            ACTION,
            MOMENT,
            DISCLOSURE,
            RULE_UNIT,
            THEME_KIND,
        ];
        for choices in all {
            let mut seen = HashSet::new();
            for (en, zh) in choices {
                assert!(!zh.is_ascii() && seen.insert(*en) && seen.insert(*zh), "{en}");
            }
        }
    }
}

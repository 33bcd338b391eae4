//! A service item (政务服务事项) and the national base it may inherit from.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{FieldKind, FieldOption, Form, LegalBasis, Term, Words};

/// One service item as its file says it, with what it inherits already in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDoc {
    /// The item's id, as in `/items/individual-business-registration`.
    pub id: String,
    /// The official name.
    pub name: Words,
    /// What it is for, in two or three plain sentences.
    pub summary: Words,
    /// Everyday words that people search by, in any language.
    pub keywords: Vec<String>,
    /// Themes and life events of the node's list.
    pub themes: Vec<String>,
    /// Who may apply (服务对象).
    pub audience: Vec<Audience>,
    /// The organisation that decides (实施主体).
    pub authority: String,
    /// 行使层级.
    pub use_level: UseLevel,
    /// 基本编码, 12 digits.
    pub catalog_code: String,
    /// 实施编码, 31 characters, where it has been given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_code: Option<String>,
    /// 事项类型.
    pub item_type: ItemType,
    /// 办件类型.
    pub case_type: CaseType,
    /// The procedure whose stages and clocks the item runs under.
    pub procedure: String,
    /// The national base item that this file tightens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// 设定依据.
    pub legal_basis: Vec<LegalBasis>,
    /// 受理条件.
    pub conditions: Vec<Condition>,
    /// 申请材料.
    #[serde(default)]
    pub materials: Vec<Material>,
    /// 办结时限.
    pub limits: Limits,
    /// 收费.
    pub fee: Fee,
    /// 办理流程 as the guide tells it.
    pub steps: Vec<GuideStep>,
    /// 办理形式.
    pub channels: Vec<Channel>,
    /// 办理地点.
    #[serde(rename = "where")]
    pub venues: Vec<VenuePlace>,
    /// 到现场次数.
    pub visits: u32,
    /// Facts that are neither asked nor pre-filled: checks of the server and derived values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactDecl>,
    /// Questions before applying, and what their answers mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<Eligibility>,
    /// The form.
    pub form: Form,
    /// The two or more persons who all must confirm, where there are such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// What is booked, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentSpec>,
    /// How a complete application is decided.
    pub decision: ReviewTable,
    /// What the applicant gets.
    pub result: ItemResult,
    /// What is rated (好差评).
    pub ratings: RatingSpec,
    /// 试办: the item is refused while one of them fails.
    pub examples: Vec<Example>,
    /// The unit of each dated rule that the expressions name, so that a stored version compiles
    /// without the files around it. Written by the compiler, never by an author.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rule_units: BTreeMap<String, super::RuleUnit>,
}

/// What a national base item fixes; a local item takes over what it does not say itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseDoc {
    /// The base's id, for example `000131128000`.
    pub id: String,
    /// The national name.
    pub name: Words,
    /// 基本编码.
    pub catalog_code: String,
    /// 事项类型.
    pub item_type: ItemType,
    /// 办件类型.
    pub case_type: CaseType,
    /// The procedure.
    pub procedure: String,
    /// Who may apply.
    pub audience: Vec<Audience>,
    /// 设定依据.
    pub legal_basis: Vec<LegalBasis>,
    /// 受理条件.
    pub conditions: Vec<Condition>,
    /// 申请材料.
    #[serde(default)]
    pub materials: Vec<Material>,
    /// 办结时限.
    pub limits: Limits,
    /// 收费.
    pub fee: Fee,
    /// 办理形式.
    pub channels: Vec<Channel>,
    /// 到现场次数.
    pub visits: u32,
}

/// 服务对象 (GB/T 39554).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// 1 自然人.
    NaturalPerson,
    /// 2 企业法人.
    Enterprise,
    /// 3 事业法人.
    PublicInstitution,
    /// 4 社会组织法人.
    SocialOrganisation,
    /// 5 非法人企业.
    UnincorporatedBusiness,
    /// 6 行政机关.
    GovernmentOrgan,
    /// 9 其他组织.
    OtherOrganisation,
}

/// 行使层级 (GB/T 39554).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseLevel {
    /// 1 国家级.
    Nation,
    /// 2 省级.
    Province,
    /// 3 市级.
    Prefecture,
    /// 4 县级.
    County,
    /// 5 乡级.
    Township,
    /// 6 村级.
    Village,
}

/// 事项类型 (GB/T 39554).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// 01 行政许可.
    Permit,
    /// 02 行政处罚.
    Penalty,
    /// 03 行政强制.
    Coercion,
    /// 04 行政征收.
    Levy,
    /// 05 行政给付.
    Benefit,
    /// 06 行政检查.
    Inspection,
    /// 07 行政确认.
    Confirmation,
    /// 08 行政奖励.
    Reward,
    /// 09 行政裁决.
    Adjudication,
    /// 10 其他行政权力.
    OtherPower,
    /// 20 公共服务.
    PublicService,
}

impl ItemType {
    /// The two digits of the standard.
    pub fn code(self) -> &'static str {
        match self {
            Self::Permit => "01",
            Self::Penalty => "02",
            Self::Coercion => "03",
            Self::Levy => "04",
            Self::Benefit => "05",
            Self::Inspection => "06",
            Self::Confirmation => "07",
            Self::Reward => "08",
            Self::Adjudication => "09",
            Self::OtherPower => "10",
            Self::PublicService => "20",
        }
    }
}

/// 办件类型.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseType {
    /// 1 即办件: promised within a day, at most one visit.
    Instant,
    /// 2 承诺件.
    Promised,
}

/// A condition for acceptance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its id, which a local file may drop but not add.
    pub id: String,
    /// The condition.
    pub text: Words,
    /// The id of the legal basis it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
}

/// One material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Why it need not be brought, where it need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not_needed: Option<Words>,
    /// Where the authority takes it from.
    pub obtained_from: ObtainedFrom,
    /// The forms in which it is taken.
    pub forms: Vec<MaterialForm>,
    /// Expression: required only when this holds; without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_when: Option<String>,
    /// Whether a missing one may follow later (容缺后补).
    #[serde(default)]
    pub tolerant: bool,
}

/// Where a material comes from. At least one of the three is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObtainedFrom {
    /// A licence type that the holder already has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// A source of the share catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the applicant does, or does where the other two find nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant: Option<Otherwise>,
}

/// What an applicant does about a material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Uploads it.
    Upload,
    /// Fills it in as part of the form, nothing to upload.
    FilledIn,
    /// Signs a promise in its place (告知承诺).
    Promise,
    /// Shows it at the counter.
    Show,
}

/// The form of a material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialForm {
    /// An electronic licence.
    ELicence,
    /// Shared data, no document at all.
    Data,
    /// An uploaded file.
    Upload,
    /// Paper, shown or handed in.
    Paper,
}

/// 办结时限.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// 法定时限; none where no law sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statutory: Option<Term>,
    /// The id of the legal basis of the statutory limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// 承诺时限.
    pub promised: Term,
    /// The event after which day 1 comes.
    pub start: Start,
    /// 齐全即办: complete applications are decided on the spot.
    #[serde(default)]
    pub at_once: bool,
}

/// What starts the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// 收件.
    Received,
    /// 受理.
    Accepted,
}

/// 收费.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// In fen; zero is free of charge.
    pub amount: i64,
    /// What to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}

/// A step as the guide tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuideStep {
    /// Its name.
    pub name: Words,
    /// What happens in it.
    pub text: Words,
}

/// 办理形式.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 网上.
    Online,
    /// 窗口.
    Counter,
    /// 快递.
    Post,
    /// 电话.
    Telephone,
    /// 自助终端.
    Kiosk,
    /// 上门.
    HomeVisit,
}

/// A place where the item is handled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenuePlace {
    /// Its name.
    pub name: Words,
    /// Its address.
    pub address: Words,
    /// When it is open.
    pub hours: Words,
    /// Its telephone.
    pub phone: String,
}

/// A fact that is neither asked nor pre-filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactDecl {
    /// Its id in expressions.
    pub id: String,
    /// Its id in Chinese expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// What it is called in explanations.
    pub label: Words,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: crate::expr::FactType,
    /// The only texts that it can have, with their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
    /// The server check of the share catalogue that supplies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The source field of the share catalogue that supplies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The expression that derives it from fields and from facts above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Questions before applying, and what their answers mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eligibility {
    /// The questions.
    pub questions: Vec<Question>,
    /// Outcomes: `eligible`, `not_eligible`, `unsure`.
    pub table: Table,
}

/// A question before applying; its answer is a fact for the eligibility table alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The fact.
    pub id: String,
    /// The fact in Chinese expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The question.
    pub label: Words,
    /// What helps to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Words>,
    /// `yes_no`, `date`, `number`, `radios`, `checkboxes` or `select`.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
}

/// A decision table as written: the first row that fits decides, else the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Row>,
    /// What holds where no row fits; every table has it, so every path ends.
    pub default: Row,
}

/// The table that decides complete applications.
pub type ReviewTable = Table;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Expression; absent in the default row only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The outcome.
    pub then: String,
    /// Why, in words for the applicant.
    pub because: Words,
    /// The id of the legal basis that the row applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// Values that the row fixes, by name: expressions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// One of the persons who all must confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its id, for example `groom`.
    pub id: String,
    /// What the party is called.
    pub name: Words,
    /// The field that holds the party's citizen number, by which their account is found.
    pub citizen_id_field: String,
}

/// What an appointment item books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentSpec {
    /// The id of the bookable resource, shared by items that use the same windows.
    pub resource: String,
    /// Its name.
    pub name: Words,
    /// How long one slot lasts.
    pub minutes: u32,
    /// How many bookings one slot takes.
    pub capacity: u32,
    /// The earliest booking, in days from today.
    pub min_days_ahead: u32,
    /// The latest booking, in days from today.
    pub max_days_ahead: u32,
    /// How long a chosen slot is held for the other party's confirmation or the applicant's own.
    pub hold_minutes: u32,
    /// How many times not coming leads to a pause.
    pub no_show_limit: u32,
    /// How many days the pause lasts.
    pub no_show_pause_days: u32,
    /// When slots are offered.
    pub hours: Vec<OpeningHours>,
}

/// Opening hours of a bookable resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningHours {
    /// On these days of the week; on working days of the calendar only.
    pub weekdays: Vec<Weekday>,
    /// From, as HH:MM in China time.
    pub from: String,
    /// To, as HH:MM, the end of the last slot.
    pub to: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// 周一.
    Monday,
    /// 周二.
    Tuesday,
    /// 周三.
    Wednesday,
    /// 周四.
    Thursday,
    /// 周五.
    Friday,
    /// 周六.
    Saturday,
    /// 周日.
    Sunday,
}

/// What the applicant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemResult {
    /// The licence type that is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Licence field to the fact, or the value of the decision row, that fills it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// How it is delivered.
    pub delivery: Vec<Delivery>,
}

/// How a result is delivered (送达).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Into the holder's wallet.
    Electronic,
    /// By post.
    ByPost,
    /// Collected at the counter.
    Collect,
}

/// What is rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingSpec {
    /// Second-level indices (GB/T 39735): 办事效率, 指南精确度, 便捷度, 平台操作性.
    pub dimensions: Vec<Words>,
}

/// 试办: a worked example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: Words,
    /// The day on which it is worked.
    pub today: Date,
    /// The facts given, by their ids; what is not given is not known.
    pub given: BTreeMap<String, serde_json::Value>,
    /// The outcome expected of the review table; `not_enough_data` where it must not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The row expected, from 1; 0 is the default row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The outcome expected of the eligibility table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
    /// Values expected of the row, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, serde_json::Value>,
}

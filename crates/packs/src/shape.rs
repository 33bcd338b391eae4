//! The shape of each kind of file: which keys it has and what stands behind them.
//!
//! One description serves three ends: reading with every mistake named, the Chinese spellings,
//! and the JSON Schema for editors.

use crate::words::{self, Choices};

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// An id: ASCII letters, digits, `-`, `_` and `.`.
    Id,
    /// The name of a fact in either language.
    FactName,
    /// Text of at most that many characters.
    Text(usize),
    /// Text in Chinese and English, each of at most that many characters.
    Words(usize),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// 是 or 否.
    Boolean,
    /// A day.
    Date,
    /// An amount of money: `80元`.
    Money,
    /// A span of days: `3 个工作日`, `15 working days`, `30 日`, `当场`.
    Term,
    /// An expression; it is parsed once the facts are known.
    Expr,
    /// One of fixed values.
    Choice(Choices),
    /// Digits, as many as said.
    Digits(&'static [usize]),
    /// At least so many of the same.
    List(&'static Shape, usize),
    /// A mapping with fixed keys.
    Object(&'static Object),
    /// A mapping from ids to the same shape.
    Map(&'static Shape),
    /// A mapping from facts to values as an author spells them.
    Given,
}

/// A mapping with fixed keys.
#[derive(Debug)]
pub(crate) struct Object {
    /// What it is called in the schema.
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Key],
}

/// One key of an [`Object`].
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) need: Need,
}

/// Whether a key must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
    /// Required unless the file inherits it from its base.
    Inherited,
}

/// The kinds of file, by the folder they stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Node,
    Rules,
    Orgs,
    Sharing,
    Licence,
    Procedure,
    Base,
    Item,
}

impl FileKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Node,
        Self::Rules,
        Self::Orgs,
        Self::Sharing,
        Self::Licence,
        Self::Procedure,
        Self::Base,
        Self::Item,
    ];

    /// The folder below the content folder; the node file stands at its top.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Node => "",
            Self::Rules => "rules",
            Self::Orgs => "orgs",
            Self::Sharing => "sharing",
            Self::Licence => "licences",
            Self::Procedure => "procedures",
            Self::Base => "base",
            Self::Item => "items",
        }
    }

    /// The kind's name in versions and schema files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Rules => "rules",
            Self::Orgs => "orgs",
            Self::Sharing => "sharing",
            Self::Licence => "licence",
            Self::Procedure => "procedure",
            Self::Base => "base",
            Self::Item => "item",
        }
    }

    pub(crate) fn shape(self) -> &'static Object {
        match self {
            Self::Node => &NODE,
            Self::Rules => &RULES,
            Self::Orgs => &ORGS,
            Self::Sharing => &SHARING,
            Self::Licence => &LICENCE,
            Self::Procedure => &PROCEDURE,
            Self::Base => &BASE,
            Self::Item => &ITEM,
        }
    }
}

const fn req(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, need: Need::Required }
}

const fn opt(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, need: Need::Optional }
}

const fn inherited(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, need: Need::Inherited }
}

const fn object(name: &'static str, fields: &'static [Key]) -> Object {
    Object { name, fields }
}

const NAME: Shape = Shape::Words(60);
const SENTENCES: Shape = Shape::Words(600);
const COUNT: Shape = Shape::Integer(0, 10_000);
const IDS: Shape = Shape::List(&Shape::Id, 0);
const SOME_IDS: Shape = Shape::List(&Shape::Id, 1);

static BASIS: Object = object(
    "legal_basis",
    &[
        req("id", Shape::Id),
        req("title", Shape::Words(120)),
        req("number", Shape::Words(120)),
        req("clause", Shape::Words(120)),
        opt("says", SENTENCES),
        req("verified", Shape::Boolean),
    ],
);
const BASES: Shape = Shape::List(&Shape::Object(&BASIS), 1);

static CONDITION: Object =
    object("condition", &[req("id", Shape::Id), req("text", SENTENCES), opt("article", Shape::Id)]);
const CONDITIONS: Shape = Shape::List(&Shape::Object(&CONDITION), 0);

static OBTAINED: Object = object(
    "obtained_from",
    &[opt("licence", Shape::Id), opt("source", Shape::Id), opt("applicant", Shape::Choice(words::OTHERWISE))],
);

static MATERIAL: Object = object(
    "material",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        opt("why_not_needed", SENTENCES),
        req("obtained_from", Shape::Object(&OBTAINED)),
        req("forms", Shape::List(&Shape::Choice(words::MATERIAL_FORM), 1)),
        opt("required_when", Shape::Expr),
        opt("tolerant", Shape::Boolean),
    ],
);
const MATERIALS: Shape = Shape::List(&Shape::Object(&MATERIAL), 0);

static LIMITS: Object = object(
    "limits",
    &[
        opt("statutory", Shape::Term),
        opt("article", Shape::Id),
        req("promised", Shape::Term),
        req("start", Shape::Choice(words::START)),
        opt("at_once", Shape::Boolean),
    ],
);

static FEE: Object = object("fee", &[req("amount", Shape::Money), opt("note", SENTENCES)]);

static GUIDE_STEP: Object = object("guide_step", &[req("name", NAME), req("text", SENTENCES)]);

static VENUE: Object = object(
    "venue",
    &[
        req("name", NAME),
        req("address", Shape::Words(200)),
        req("hours", Shape::Words(200)),
        req("phone", Shape::Text(40)),
    ],
);

static FACT: Object = object(
    "fact",
    &[
        req("id", Shape::Id),
        opt("alias", Shape::FactName),
        req("label", NAME),
        req("type", Shape::Choice(words::FACT_TYPE)),
        opt("options", OPTIONS),
        opt("check", Shape::Id),
        opt("source", Shape::Id),
        opt("value", Shape::Expr),
    ],
);

static OPTION: Object = object(
    "option",
    &[req("value", Shape::Id), req("label", Shape::Words(120)), opt("hint", Shape::Words(300))],
);
const OPTIONS: Shape = Shape::List(&Shape::Object(&OPTION), 1);

static QUESTION: Object = object(
    "question",
    &[
        req("id", Shape::Id),
        opt("alias", Shape::FactName),
        req("label", Shape::Words(200)),
        opt("hint", SENTENCES),
        req("type", Shape::Choice(words::FIELD_KIND)),
        opt("options", OPTIONS),
    ],
);

macro_rules! table {
    ($row:ident, $last:ident, $table:ident, $name:literal, $outcomes:expr) => {
        static $row: Object = object(
            concat!($name, "_row"),
            &[
                req("when", Shape::Expr),
                req("then", Shape::Choice($outcomes)),
                req("because", SENTENCES),
                opt("article", Shape::Id),
                opt("values", Shape::Map(&Shape::Expr)),
            ],
        );
        static $last: Object = object(
            concat!($name, "_default"),
            &[
                req("then", Shape::Choice($outcomes)),
                req("because", SENTENCES),
                opt("article", Shape::Id),
                opt("values", Shape::Map(&Shape::Expr)),
            ],
        );
        static $table: Object = object(
            concat!($name, "_table"),
            &[req("rows", Shape::List(&Shape::Object(&$row), 0)), req("default", Shape::Object(&$last))],
        );
    };
}
table!(ELIGIBILITY_ROW, ELIGIBILITY_DEFAULT, ELIGIBILITY_TABLE, "eligibility", words::ELIGIBILITY);
table!(REVIEW_ROW, REVIEW_DEFAULT, REVIEW_TABLE, "review", words::REVIEW);

static ELIGIBILITY: Object = object(
    "eligibility",
    &[
        req("questions", Shape::List(&Shape::Object(&QUESTION), 1)),
        req("table", Shape::Object(&ELIGIBILITY_TABLE)),
    ],
);

static FIELD: Object = object(
    "field",
    &[
        req("id", Shape::Id),
        opt("alias", Shape::FactName),
        req("label", Shape::Words(120)),
        opt("hint", SENTENCES),
        req("type", Shape::Choice(words::FIELD_KIND)),
        opt("options", OPTIONS),
        opt("required", Shape::Boolean),
        opt("max_len", Shape::Integer(1, 4_000)),
        opt("min", Shape::Integer(i64::MIN / 10_000, i64::MAX / 10_000)),
        opt("max", Shape::Integer(i64::MIN / 10_000, i64::MAX / 10_000)),
        opt("source", Shape::Id),
        opt("read_only", Shape::Boolean),
        opt("changed_needs", Shape::Id),
        opt("check", Shape::Id),
        opt("party", Shape::Id),
        opt("material", Shape::Id),
        opt("show_when", Shape::Expr),
    ],
);

static PAGE: Object = object(
    "page",
    &[
        req("id", Shape::Id),
        req("title", Shape::Words(120)),
        opt("hint", SENTENCES),
        opt("show_when", Shape::Expr),
        req("fields", Shape::List(&Shape::Object(&FIELD), 1)),
    ],
);

static FORM: Object = object("form", &[req("pages", Shape::List(&Shape::Object(&PAGE), 1))]);

static PARTY: Object =
    object("party", &[req("id", Shape::Id), req("name", NAME), req("citizen_id_field", Shape::FactName)]);

static OPENING: Object = object(
    "opening_hours",
    &[
        req("weekdays", Shape::List(&Shape::Choice(words::WEEKDAY), 1)),
        req("from", Shape::Text(5)),
        req("to", Shape::Text(5)),
    ],
);

static APPOINTMENT: Object = object(
    "appointment",
    &[
        req("resource", Shape::Id),
        req("name", NAME),
        req("minutes", Shape::Integer(5, 480)),
        req("capacity", Shape::Integer(1, 1_000)),
        req("min_days_ahead", Shape::Integer(0, 365)),
        req("max_days_ahead", Shape::Integer(1, 365)),
        req("hold_minutes", Shape::Integer(1, 1_440)),
        req("no_show_limit", Shape::Integer(1, 100)),
        req("no_show_pause_days", Shape::Integer(0, 365)),
        req("hours", Shape::List(&Shape::Object(&OPENING), 1)),
    ],
);

static RESULT: Object = object(
    "result",
    &[
        opt("licence", Shape::Id),
        opt("fields", Shape::Map(&Shape::FactName)),
        req("delivery", Shape::List(&Shape::Choice(words::DELIVERY), 1)),
    ],
);

static RATINGS: Object = object("ratings", &[req("dimensions", Shape::List(&NAME, 1))]);

static EXAMPLE: Object = object(
    "example",
    &[
        req("name", Shape::Words(120)),
        req("today", Shape::Date),
        req("given", Shape::Given),
        opt("expect", Shape::Choice(words::REVIEW_EXPECTED)),
        opt("row", COUNT),
        opt("eligibility", Shape::Choice(words::ELIGIBILITY_EXPECTED)),
        opt("values", Shape::Given),
    ],
);

static ITEM: Object = object(
    "item",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("summary", SENTENCES),
        req("keywords", Shape::List(&Shape::Text(40), 1)),
        req("themes", SOME_IDS),
        inherited("audience", Shape::List(&Shape::Choice(words::AUDIENCE), 1)),
        req("authority", Shape::Id),
        req("use_level", Shape::Choice(words::USE_LEVEL)),
        inherited("catalog_code", Shape::Digits(&[12])),
        opt("task_code", Shape::Text(31)),
        inherited("item_type", Shape::Choice(words::ITEM_TYPE)),
        inherited("case_type", Shape::Choice(words::CASE_TYPE)),
        inherited("procedure", Shape::Id),
        opt("base", Shape::Id),
        inherited("legal_basis", BASES),
        inherited("conditions", CONDITIONS),
        inherited("materials", MATERIALS),
        inherited("limits", Shape::Object(&LIMITS)),
        inherited("fee", Shape::Object(&FEE)),
        req("steps", Shape::List(&Shape::Object(&GUIDE_STEP), 1)),
        inherited("channels", Shape::List(&Shape::Choice(words::CHANNEL), 1)),
        req("where", Shape::List(&Shape::Object(&VENUE), 1)),
        inherited("visits", Shape::Integer(0, 20)),
        opt("facts", Shape::List(&Shape::Object(&FACT), 0)),
        opt("eligibility", Shape::Object(&ELIGIBILITY)),
        req("form", Shape::Object(&FORM)),
        opt("parties", Shape::List(&Shape::Object(&PARTY), 0)),
        opt("appointment", Shape::Object(&APPOINTMENT)),
        req("decision", Shape::Object(&REVIEW_TABLE)),
        req("result", Shape::Object(&RESULT)),
        req("ratings", Shape::Object(&RATINGS)),
        req("examples", Shape::List(&Shape::Object(&EXAMPLE), 1)),
    ],
);

static BASE: Object = object(
    "base",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("catalog_code", Shape::Digits(&[12])),
        req("item_type", Shape::Choice(words::ITEM_TYPE)),
        req("case_type", Shape::Choice(words::CASE_TYPE)),
        req("procedure", Shape::Id),
        req("audience", Shape::List(&Shape::Choice(words::AUDIENCE), 1)),
        req("legal_basis", BASES),
        req("conditions", CONDITIONS),
        req("materials", MATERIALS),
        req("limits", Shape::Object(&LIMITS)),
        req("fee", Shape::Object(&FEE)),
        req("channels", Shape::List(&Shape::Choice(words::CHANNEL), 1)),
        req("visits", Shape::Integer(0, 20)),
    ],
);

static STEP: Object = object(
    "step",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("stage", Shape::Choice(words::STAGE)),
        req("action", Shape::Choice(words::ACTION)),
        opt("role", Shape::Id),
        opt("not_same_as", Shape::Id),
    ],
);

static PAUSE: Object = object("pause", &[req("id", Shape::Id), req("name", NAME), req("article", Shape::Id)]);

static EXTENSION: Object =
    object("extension", &[req("rule", Shape::Id), req("role", Shape::Id), req("article", Shape::Id)]);

static CLOCKS: Object = object(
    "clocks",
    &[
        opt("correction", Shape::Id),
        opt("correction_answer", Shape::Id),
        opt("deemed_acceptance", Shape::Boolean),
        opt("decision_limit", Shape::Id),
        opt("delivery", Shape::Id),
        opt("pauses", Shape::List(&Shape::Object(&PAUSE), 0)),
        opt("extension", Shape::Object(&EXTENSION)),
    ],
);

static ON_REQUEST: Object =
    object("review_on_request", &[req("procedure", Shape::Id), req("within", Shape::Id)]);

static BOOKING_RULES: Object = object(
    "appointment_rules",
    &[
        req("all_parties_confirm", Shape::Boolean),
        req("waiting_list", Shape::Boolean),
        req("change_until_hours", Shape::Integer(0, 720)),
    ],
);

static CASE_RESULT: Object = object(
    "case_result",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("national_state", Shape::Integer(1, 15)),
        req("favourable", Shape::Boolean),
    ],
);

static NATIONAL_STATE: Object =
    object("national_state", &[req("on", Shape::Choice(words::MOMENT)), req("state", Shape::Integer(1, 15))]);

static PROCEDURE: Object = object(
    "procedure",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("summary", SENTENCES),
        req("legal_basis", BASES),
        req("stages", Shape::List(&Shape::Choice(words::STAGE), 1)),
        req("steps", Shape::List(&Shape::Object(&STEP), 1)),
        req("clocks", Shape::Object(&CLOCKS)),
        req("auto_decision", Shape::Boolean),
        req("review_outcomes", Shape::List(&Shape::Choice(words::REVIEW), 0)),
        opt("review_on_request", Shape::Object(&ON_REQUEST)),
        opt("appointment", Shape::Object(&BOOKING_RULES)),
        req("results", Shape::List(&Shape::Object(&CASE_RESULT), 1)),
        req("national_states", Shape::List(&Shape::Object(&NATIONAL_STATE), 1)),
    ],
);

static LICENCE_FIELD: Object = object(
    "licence_field",
    &[
        req("id", Shape::Id),
        req("label", NAME),
        req("type", Shape::Choice(words::FACT_TYPE)),
        req("disclosure", Shape::Choice(words::DISCLOSURE)),
        opt("required", Shape::Boolean),
    ],
);

static VALIDITY: Object =
    object("validity", &[opt("days", Shape::Integer(1, 40_000)), opt("until_field", Shape::Id)]);

static SCENE: Object = object(
    "scene",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("claims", SOME_IDS),
        req("minutes", Shape::Integer(1, 1_440)),
    ],
);

static LICENCE: Object = object(
    "licence",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("type_code", Shape::Text(21)),
        req("in_charge", NAME),
        req("issued_here", Shape::Boolean),
        req("legal_basis", BASES),
        req("replaces", Shape::List(&NAME, 0)),
        req("fields", Shape::List(&Shape::Object(&LICENCE_FIELD), 1)),
        opt("kept_by", IDS),
        req("validity", Shape::Object(&VALIDITY)),
        req("template", Shape::Id),
        req("scenes", Shape::List(&Shape::Object(&SCENE), 0)),
    ],
);

static SHARED_FIELD: Object = object(
    "shared_field",
    &[req("id", Shape::Id), req("label", NAME), req("type", Shape::Choice(words::FACT_TYPE))],
);

static SOURCE: Object = object(
    "shared_source",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("provider", NAME),
        req("freshness_days", Shape::Integer(0, 3_650)),
        opt("replaces", Shape::List(&NAME, 0)),
        req("fields", Shape::List(&Shape::Object(&SHARED_FIELD), 1)),
    ],
);

static CHECK: Object =
    object("check", &[req("id", Shape::Id), req("name", NAME), req("type", Shape::Choice(words::FACT_TYPE))]);

static SHARING: Object = object(
    "sharing",
    &[
        req("id", Shape::Id),
        opt("sources", Shape::List(&Shape::Object(&SOURCE), 0)),
        opt("checks", Shape::List(&Shape::Object(&CHECK), 0)),
    ],
);

static ROLE: Object = object("role", &[req("id", Shape::Id), req("name", NAME)]);

static POST: Object = object("post", &[req("code", Shape::Id), req("name", NAME), req("roles", IDS)]);

static ORG: Object = object(
    "org",
    &[
        req("code", Shape::Id),
        req("name", NAME),
        req("uscc", Shape::Text(18)),
        req("division", Shape::Digits(&[6, 9, 12])),
        req("level", Shape::Choice(words::ORG_LEVEL)),
        opt("parent", Shape::Id),
        opt("posts", Shape::List(&Shape::Object(&POST), 0)),
    ],
);

static ORGS: Object = object(
    "orgs",
    &[
        req("id", Shape::Id),
        opt("roles", Shape::List(&Shape::Object(&ROLE), 0)),
        req("orgs", Shape::List(&Shape::Object(&ORG), 1)),
    ],
);

static RULE_SOURCE: Object = object(
    "rule_source",
    &[req("title", Shape::Words(120)), req("number", Shape::Words(120)), req("clause", Shape::Words(120))],
);

static RULE: Object = object(
    "rule",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("value", Shape::Integer(0, 1_000_000_000_000)),
        req("unit", Shape::Choice(words::RULE_UNIT)),
        req("effective_from", Shape::Date),
        opt("effective_to", Shape::Date),
        req("source", Shape::Object(&RULE_SOURCE)),
        req("verified", Shape::Boolean),
        opt("note", SENTENCES),
    ],
);

static RULES: Object =
    object("rules", &[req("id", Shape::Id), req("rules", Shape::List(&Shape::Object(&RULE), 1))]);

static THEME: Object = object(
    "theme",
    &[req("id", Shape::Id), req("name", NAME), req("kind", Shape::Choice(words::THEME_KIND))],
);

static NODE: Object = object(
    "node",
    &[
        req("id", Shape::Id),
        req("name", NAME),
        req("place", NAME),
        req("division", Shape::Digits(&[6])),
        req("operator", Shape::Id),
        req("auditor", Shape::Id),
        req("rating_office", Shape::Id),
        req("data_authority", Shape::Id),
        req("phone", Shape::Text(40)),
        req("themes", Shape::List(&Shape::Object(&THEME), 1)),
    ],
);

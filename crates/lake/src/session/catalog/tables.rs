//! The tables of the catalogues that name what a session has.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, ListArray, RecordBatch, StringArray,
    new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result;

use super::{Asker, CATALOG, INFORMATION_SCHEMA, Named, PG_CATALOG, SCHEMA};
use crate::cells::{CellKind, shown_as};

/// Those of `pg_catalog` that are made here.
pub(super) const PG_OWN: &[&str] = &[
    "pg_attribute",
    "pg_class",
    "pg_database",
    "pg_matviews",
    "pg_namespace",
    "pg_roles",
    "pg_settings",
    "pg_tables",
    "pg_user",
    "pg_views",
];
/// Those of `information_schema`.
pub(super) const STANDARD: &[&str] = &[
    "check_constraints",
    "columns",
    "constraint_column_usage",
    "key_column_usage",
    "referential_constraints",
    "routines",
    "schemata",
    "sequences",
    "table_constraints",
    "tables",
    "views",
];

/// The numbers that PostgreSQL gives its own schemas, and the user whom everything belongs to.
const OF_PG_CATALOG: i32 = 11;
const OF_PUBLIC: i32 = 2_200;
const OF_INFORMATION_SCHEMA: i32 = 13_000;
const OWNER: i32 = 10;
const DATABASE: i32 = 5;

/// PostgreSQL's own tables that clients name by their number.
const SYSTEM: [(&str, i32); 9] = [
    ("pg_type", 1_247),
    ("pg_attribute", 1_249),
    ("pg_proc", 1_255),
    ("pg_class", 1_259),
    ("pg_database", 1_262),
    ("pg_constraint", 2_606),
    ("pg_index", 2_610),
    ("pg_namespace", 2_615),
    ("pg_description", 2_609),
];

/// What a session shows of itself.
#[derive(Debug)]
pub(super) struct Shown {
    tables: Vec<(i32, Named)>,
    user: String,
    settings: BTreeMap<String, String>,
}

impl Shown {
    pub(super) fn new(named: Vec<Named>, asker: &Asker) -> Self {
        let mut taken = std::collections::BTreeSet::new();
        let tables = named
            .into_iter()
            .map(|table| {
                let mut oid = number(&table.name);
                while !taken.insert(oid) {
                    oid += 1;
                }
                (oid, table)
            })
            .collect();
        Self { tables, user: asker.user.clone(), settings: asker.settings.clone() }
    }

    pub(super) fn pg_catalog(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = match name {
            "pg_class" => self.pg_class(),
            "pg_attribute" => self.pg_attribute(),
            "pg_namespace" => table(vec![
                ("oid", numbers(SCHEMAS.map(|(_, oid)| oid))),
                ("nspname", texts(SCHEMAS.map(|(name, _)| name))),
                ("nspowner", numbers([OWNER; 3])),
                ("nspacl", no_texts(3)),
            ]),
            "pg_database" => self.pg_database(),
            "pg_roles" => self.pg_roles(),
            "pg_user" => table(vec![
                ("usename", texts([self.user.as_str()])),
                ("usesysid", numbers([OWNER])),
                ("usecreatedb", flags([false])),
                ("usesuper", flags([false])),
                ("passwd", no_text(1)),
            ]),
            "pg_tables" => self.pg_tables(),
            "pg_settings" => table(vec![
                ("name", texts(self.settings.keys())),
                ("setting", texts(self.settings.values())),
                ("unit", no_text(self.settings.len())),
                ("category", texts(vec!["Client"; self.settings.len()])),
                ("short_desc", texts(vec![""; self.settings.len()])),
                ("context", texts(vec!["user"; self.settings.len()])),
                ("vartype", texts(vec!["string"; self.settings.len()])),
                ("source", texts(vec!["session"; self.settings.len()])),
            ]),
            "pg_views" => empty(&["schemaname", "viewname", "viewowner", "definition"]),
            "pg_matviews" => empty(&["schemaname", "matviewname", "matviewowner", "definition"]),
            _ => return Ok(None),
        }?;
        Ok(Some(table))
    }

    pub(super) fn information_schema(&self, name: &str) -> Result<Option<Arc<MemTable>>> {
        let names = || self.tables.iter().map(|(_, table)| table.name.as_str());
        let count = self.tables.len();
        let table = match name {
            "tables" => table(vec![
                ("table_catalog", texts(vec![CATALOG; count])),
                ("table_schema", texts(vec![SCHEMA; count])),
                ("table_name", texts(names())),
                ("table_type", texts(vec!["BASE TABLE"; count])),
                ("is_insertable_into", texts(vec!["NO"; count])),
            ]),
            "columns" => self.columns(),
            "schemata" => table(vec![
                ("catalog_name", texts([CATALOG; 3])),
                ("schema_name", texts(SCHEMAS.map(|(name, _)| name))),
                ("schema_owner", texts(["yiwang"; 3])),
            ]),
            "views" => empty(&["table_catalog", "table_schema", "table_name", "view_definition"]),
            "sequences" => empty(&["sequence_catalog", "sequence_schema", "sequence_name"]),
            "routines" => empty(&["routine_catalog", "routine_schema", "routine_name", "routine_type"]),
            "table_constraints" => empty(&[
                "constraint_catalog",
                "constraint_schema",
                "constraint_name",
                "table_catalog",
                "table_schema",
                "table_name",
                "constraint_type",
            ]),
            "key_column_usage" => empty(&[
                "constraint_catalog",
                "constraint_schema",
                "constraint_name",
                "table_catalog",
                "table_schema",
                "table_name",
                "column_name",
                "ordinal_position",
            ]),
            "constraint_column_usage" => empty(&[
                "table_catalog",
                "table_schema",
                "table_name",
                "column_name",
                "constraint_schema",
                "constraint_name",
            ]),
            "referential_constraints" => empty(&[
                "constraint_catalog",
                "constraint_schema",
                "constraint_name",
                "unique_constraint_schema",
                "unique_constraint_name",
            ]),
            "check_constraints" => {
                empty(&["constraint_catalog", "constraint_schema", "constraint_name", "check_clause"])
            }
            _ => return Ok(None),
        }?;
        Ok(Some(table))
    }

    fn pg_class(&self) -> Result<Arc<MemTable>> {
        let own = self.tables.iter().map(|(oid, table)| {
            (
                *oid,
                table.name.as_str(),
                OF_PUBLIC,
                i16::try_from(table.columns.fields().len()).unwrap_or(i16::MAX),
            )
        });
        let system = SYSTEM.iter().map(|(name, oid)| (*oid, *name, OF_PG_CATALOG, 0));
        let all: Vec<_> = own.chain(system).collect();
        let count = all.len();
        let zeros = || numbers(vec![0; count]);
        let no = || flags(vec![false; count]);
        table(vec![
            ("oid", numbers(all.iter().map(|one| one.0))),
            ("relname", texts(all.iter().map(|one| one.1))),
            ("relnamespace", numbers(all.iter().map(|one| one.2))),
            ("reltype", zeros()),
            ("reloftype", zeros()),
            ("relowner", numbers(vec![OWNER; count])),
            ("relam", zeros()),
            ("relfilenode", zeros()),
            ("reltablespace", zeros()),
            // How many rows and pages there are is nobody's business: PostgreSQL's word for unknown.
            ("relpages", zeros()),
            ("reltuples", Arc::new(Float32Array::from(vec![-1.0; count])) as ArrayRef),
            ("relallvisible", zeros()),
            ("reltoastrelid", zeros()),
            ("relhasindex", no()),
            ("relisshared", no()),
            ("relpersistence", texts(vec!["p"; count])),
            ("relkind", texts(vec!["r"; count])),
            ("relnatts", small(all.iter().map(|one| one.3))),
            ("relchecks", small(vec![0; count])),
            ("relhasrules", no()),
            ("relhastriggers", no()),
            ("relhassubclass", no()),
            ("relrowsecurity", no()),
            ("relforcerowsecurity", no()),
            ("relispopulated", flags(vec![true; count])),
            ("relreplident", texts(vec!["n"; count])),
            ("relispartition", no()),
            ("relrewrite", zeros()),
            ("relfrozenxid", zeros()),
            ("relminmxid", zeros()),
            ("relacl", no_texts(count)),
            ("reloptions", no_texts(count)),
            ("relpartbound", no_text(count)),
        ])
    }

    fn pg_attribute(&self) -> Result<Arc<MemTable>> {
        let all: Vec<_> = self
            .tables
            .iter()
            .flat_map(|(oid, table)| {
                table.columns.fields().iter().zip(1_i16..).map(|(field, place)| (*oid, field.clone(), place))
            })
            .collect();
        let count = all.len();
        let types: Vec<PgType> = all.iter().map(|(_, field, _)| pg_type(field.data_type())).collect();
        let none = || texts(vec![""; count]);
        let no = || flags(vec![false; count]);
        table(vec![
            ("attrelid", numbers(all.iter().map(|one| one.0))),
            ("attname", texts(all.iter().map(|one| one.1.name()))),
            ("atttypid", numbers(types.iter().map(|one| one.oid))),
            ("attstattarget", numbers(vec![-1; count])),
            ("attlen", small(types.iter().map(|one| one.len))),
            ("attnum", small(all.iter().map(|one| one.2))),
            ("attndims", numbers(types.iter().map(|one| i32::from(one.name.ends_with("[]"))))),
            ("attcacheoff", numbers(vec![-1; count])),
            ("atttypmod", numbers(types.iter().map(|one| one.modifier))),
            ("attbyval", flags(types.iter().map(|one| one.len > 0))),
            ("attalign", texts(vec!["i"; count])),
            ("attstorage", texts(vec!["p"; count])),
            ("attcompression", none()),
            ("attnotnull", no()),
            ("atthasdef", no()),
            ("atthasmissing", no()),
            ("attidentity", none()),
            ("attgenerated", none()),
            ("attisdropped", no()),
            ("attislocal", flags(vec![true; count])),
            ("attinhcount", numbers(vec![0; count])),
            ("attcollation", numbers(vec![0; count])),
            ("attacl", no_texts(count)),
            ("attoptions", no_texts(count)),
            ("attfdwoptions", no_texts(count)),
            ("attmissingval", no_text(count)),
        ])
    }

    fn pg_database(&self) -> Result<Arc<MemTable>> {
        table(vec![
            ("oid", numbers([DATABASE])),
            ("datname", texts([CATALOG])),
            ("datdba", numbers([OWNER])),
            ("encoding", numbers([6])),
            ("datlocprovider", texts(["c"])),
            ("datistemplate", flags([false])),
            ("datallowconn", flags([true])),
            ("datconnlimit", numbers([-1])),
            ("datfrozenxid", numbers([0])),
            ("datminmxid", numbers([0])),
            ("dattablespace", numbers([1_663])),
            ("datcollate", texts(["C.UTF-8"])),
            ("datctype", texts(["C.UTF-8"])),
            ("daticulocale", no_text(1)),
            ("daticurules", no_text(1)),
            ("datlocale", no_text(1)),
            ("datcollversion", no_text(1)),
            ("datacl", no_texts(1)),
        ])
    }

    /// The asker, and the one to whom everything belongs. Nobody else has a name here.
    fn pg_roles(&self) -> Result<Arc<MemTable>> {
        let no = || flags([false; 2]);
        table(vec![
            ("oid", numbers([OWNER, OWNER + 1])),
            ("rolname", texts(["yiwang", self.user.as_str()])),
            ("rolsuper", no()),
            ("rolinherit", flags([true; 2])),
            ("rolcreaterole", no()),
            ("rolcreatedb", no()),
            ("rolcanlogin", flags([false, true])),
            ("rolreplication", no()),
            ("rolconnlimit", numbers([-1; 2])),
            ("rolpassword", no_text(2)),
            ("rolvaliduntil", no_text(2)),
            ("rolbypassrls", no()),
            ("rolconfig", no_texts(2)),
        ])
    }

    fn pg_tables(&self) -> Result<Arc<MemTable>> {
        let count = self.tables.len();
        let no = || flags(vec![false; count]);
        table(vec![
            ("schemaname", texts(vec![SCHEMA; count])),
            ("tablename", texts(self.tables.iter().map(|(_, table)| table.name.as_str()))),
            ("tableowner", texts(vec!["yiwang"; count])),
            ("tablespace", no_text(count)),
            ("hasindexes", no()),
            ("hasrules", no()),
            ("hastriggers", no()),
            ("rowsecurity", no()),
        ])
    }

    fn columns(&self) -> Result<Arc<MemTable>> {
        let all: Vec<_> = self
            .tables
            .iter()
            .flat_map(|(_, table)| {
                table
                    .columns
                    .fields()
                    .iter()
                    .zip(1..)
                    .map(|(field, place)| (&table.name, field.clone(), place))
            })
            .collect();
        let count = all.len();
        let types: Vec<PgType> = all.iter().map(|(_, field, _)| pg_type(field.data_type())).collect();
        table(vec![
            ("table_catalog", texts(vec![CATALOG; count])),
            ("table_schema", texts(vec![SCHEMA; count])),
            ("table_name", texts(all.iter().map(|one| one.0))),
            ("column_name", texts(all.iter().map(|one| one.1.name()))),
            ("ordinal_position", numbers(all.iter().map(|one| one.2))),
            ("column_default", no_text(count)),
            ("is_nullable", texts(vec!["YES"; count])),
            (
                "data_type",
                texts(types.iter().map(|one| match one.name.ends_with("[]") {
                    true => "ARRAY",
                    false => one.name,
                })),
            ),
            ("character_maximum_length", no_numbers(count)),
            ("numeric_precision", known(types.iter().map(|one| one.precision))),
            ("numeric_scale", known(types.iter().map(|one| one.scale))),
            ("udt_schema", texts(vec![PG_CATALOG; count])),
            ("udt_name", texts(types.iter().map(|one| one.short))),
            ("is_identity", texts(vec!["NO"; count])),
            ("is_generated", texts(vec!["NEVER"; count])),
            ("is_updatable", texts(vec!["NO"; count])),
        ])
    }
}

const SCHEMAS: [(&str, i32); 3] =
    [(PG_CATALOG, OF_PG_CATALOG), (SCHEMA, OF_PUBLIC), (INFORMATION_SCHEMA, OF_INFORMATION_SCHEMA)];

/// The number of a table: the same in every session, whatever else the session has, because clients look a table up
/// by its number in the next statement.
fn number(name: &str) -> i32 {
    let [a, b, c, d, ..] = crypto::hash::sm3(name.as_bytes());
    // Above what PostgreSQL keeps for itself.
    i32::from_be_bytes([a & 0x3f, b, c, d]).saturating_add(16_384)
}

/// A type as PostgreSQL has it.
#[derive(Default)]
struct PgType {
    oid: i32,
    /// As the standard calls it.
    name: &'static str,
    /// As PostgreSQL does.
    short: &'static str,
    len: i16,
    modifier: i32,
    precision: Option<i32>,
    scale: Option<i32>,
}

fn pg_type(engine: &DataType) -> PgType {
    let of = |oid, name, short, len| PgType { oid, name, short, len, modifier: -1, ..PgType::default() };
    let whole = |oid, name, short, len, bits| PgType {
        precision: Some(bits),
        scale: Some(0),
        ..of(oid, name, short, len)
    };
    match shown_as(engine).0 {
        CellKind::Bool => of(16, "boolean", "bool", 1),
        CellKind::Int2 => whole(21, "smallint", "int2", 2, 16),
        CellKind::Int4 => whole(23, "integer", "int4", 4, 32),
        CellKind::Int8 => whole(20, "bigint", "int8", 8, 64),
        CellKind::Float4 => of(700, "real", "float4", 4),
        CellKind::Float8 => of(701, "double precision", "float8", 8),
        CellKind::Numeric => match engine {
            DataType::Decimal128(precision, scale) => PgType {
                modifier: ((i32::from(*precision) << 16) | i32::from(*scale)) + 4,
                precision: Some(i32::from(*precision)),
                scale: Some(i32::from(*scale)),
                ..of(1_700, "numeric", "numeric", -1)
            },
            _ => of(1_700, "numeric", "numeric", -1),
        },
        CellKind::Bytes => of(17, "bytea", "bytea", -1),
        CellKind::Date => of(1_082, "date", "date", 4),
        CellKind::Time => of(1_083, "time without time zone", "time", 8),
        CellKind::Timestamp => of(1_114, "timestamp without time zone", "timestamp", 8),
        CellKind::Instant => of(1_184, "timestamp with time zone", "timestamptz", 8),
        CellKind::Interval => of(1_186, "interval", "interval", 16),
        CellKind::List(_) => of(1_009, "text[]", "_text", -1),
        CellKind::Text => of(25, "text", "text", -1),
    }
}

fn table(columns: Vec<(&str, ArrayRef)>) -> Result<Arc<MemTable>> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, cells)| Field::new(*name, cells.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let cells = columns.into_iter().map(|(_, cells)| cells).collect();
    let batch = RecordBatch::try_new(schema.clone(), cells)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

/// A table of texts with nothing in it.
fn empty(columns: &[&str]) -> Result<Arc<MemTable>> {
    table(columns.iter().map(|name| (*name, no_text(0))).collect())
}

fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(values.into_iter().map(|text| Some(text.as_ref().to_owned())).collect::<StringArray>())
}

fn numbers(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

fn known(values: impl IntoIterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int32Array>())
}

fn small(values: impl IntoIterator<Item = i16>) -> ArrayRef {
    Arc::new(Int16Array::from_iter_values(values))
}

fn flags(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.into_iter().collect::<Vec<_>>()))
}

fn no_text(count: usize) -> ArrayRef {
    new_null_array(&DataType::Utf8, count)
}

fn no_numbers(count: usize) -> ArrayRef {
    new_null_array(&DataType::Int32, count)
}

fn no_texts(count: usize) -> ArrayRef {
    Arc::new(ListArray::new_null(Arc::new(Field::new("item", DataType::Utf8, true)), count))
}

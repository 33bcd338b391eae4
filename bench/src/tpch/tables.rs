//! The eight tables: what they look like, and their rows as TPC-H's generator makes them.

use jiff::civil::Date;
use lake::batch::Values;
use lake::{Batch, Kind, Lake, Table as LakeTable, TableId};
use tpchgen::dates::TPCHDate;
use tpchgen::decimal::TPCHDecimal;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use super::schema_of;

/// Rows of a batch on its way into the lake.
const BATCH: usize = 50_000;
/// Batches that are written into one file.
const FILE: usize = 8;
const MONEY: Kind = Kind::Decimal(2);

/// One table.
pub struct Table {
    /// Its name.
    pub id: &'static str,
    /// Its columns: name, kind, and whether it is taken for personal.
    pub columns: &'static [(&'static str, Kind, bool)],
}

/// All of them.
pub const TABLES: [Table; 8] = [
    Table {
        id: "region",
        columns: &[
            ("r_regionkey", Kind::Integer, false),
            ("r_name", Kind::Text, false),
            ("r_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "nation",
        columns: &[
            ("n_nationkey", Kind::Integer, false),
            ("n_name", Kind::Text, false),
            ("n_regionkey", Kind::Integer, false),
            ("n_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "part",
        columns: &[
            ("p_partkey", Kind::Integer, false),
            ("p_name", Kind::Text, false),
            ("p_mfgr", Kind::Text, false),
            ("p_brand", Kind::Text, false),
            ("p_type", Kind::Text, false),
            ("p_size", Kind::Integer, false),
            ("p_container", Kind::Text, false),
            ("p_retailprice", MONEY, false),
            ("p_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "supplier",
        columns: &[
            ("s_suppkey", Kind::Integer, false),
            ("s_name", Kind::Text, false),
            ("s_address", Kind::Text, true),
            ("s_nationkey", Kind::Integer, false),
            ("s_phone", Kind::Text, true),
            ("s_acctbal", MONEY, false),
            ("s_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "customer",
        columns: &[
            ("c_custkey", Kind::Integer, false),
            ("c_name", Kind::Text, true),
            ("c_address", Kind::Text, true),
            ("c_nationkey", Kind::Integer, false),
            ("c_phone", Kind::Text, true),
            ("c_acctbal", MONEY, true),
            ("c_mktsegment", Kind::Text, false),
            ("c_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "partsupp",
        columns: &[
            ("ps_partkey", Kind::Integer, false),
            ("ps_suppkey", Kind::Integer, false),
            ("ps_availqty", Kind::Integer, false),
            ("ps_supplycost", MONEY, false),
            ("ps_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "orders",
        columns: &[
            ("o_orderkey", Kind::Integer, false),
            ("o_custkey", Kind::Integer, false),
            ("o_orderstatus", Kind::Text, false),
            ("o_totalprice", MONEY, false),
            ("o_orderdate", Kind::Date, false),
            ("o_orderpriority", Kind::Text, false),
            ("o_clerk", Kind::Text, true),
            ("o_shippriority", Kind::Integer, false),
            ("o_comment", Kind::Text, false),
        ],
    },
    Table {
        id: "lineitem",
        columns: &[
            ("l_orderkey", Kind::Integer, false),
            ("l_partkey", Kind::Integer, false),
            ("l_suppkey", Kind::Integer, false),
            ("l_linenumber", Kind::Integer, false),
            ("l_quantity", MONEY, false),
            ("l_extendedprice", MONEY, false),
            ("l_discount", MONEY, false),
            ("l_tax", MONEY, false),
            ("l_returnflag", Kind::Text, false),
            ("l_linestatus", Kind::Text, false),
            ("l_shipdate", Kind::Date, false),
            ("l_commitdate", Kind::Date, false),
            ("l_receiptdate", Kind::Date, false),
            ("l_shipinstruct", Kind::Text, false),
            ("l_shipmode", Kind::Text, false),
            ("l_comment", Kind::Text, false),
        ],
    },
];

/// A cell as the generator has it.
enum Cell {
    Text(String),
    Integer(i64),
    Money(i64),
    Day(Date),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<TPCHDecimal> for Cell {
    fn from(amount: TPCHDecimal) -> Self {
        Self::Money(amount.0)
    }
}

impl From<TPCHDate> for Cell {
    fn from(day: TPCHDate) -> Self {
        let (year, month, day) = day.to_ymd();
        let date = || {
            Date::new(i16::try_from(1_900 + year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
                .ok()
        };
        Self::Day(date().unwrap_or_default())
    }
}

fn text(shown: impl std::fmt::Display) -> Cell {
    Cell::Text(shown.to_string())
}

/// Makes the tables at a scale and fills them: through the inbox and into files, as everything else arrives.
pub async fn fill(lake: &Lake, scale: f64) -> anyhow::Result<()> {
    for table in &TABLES {
        let mut into = Into::new(lake, table).await?;
        match table.id {
            "region" => {
                for row in RegionGenerator::new(scale, 1, 1).iter() {
                    into.push([row.r_regionkey.into(), row.r_name.into(), row.r_comment.into()]).await?;
                }
            }
            "nation" => {
                for row in NationGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.n_nationkey.into(),
                        row.n_name.into(),
                        row.n_regionkey.into(),
                        row.n_comment.into(),
                    ];
                    into.push(cells).await?;
                }
            }
            "part" => {
                for row in PartGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.p_partkey.into(),
                        text(&row.p_name),
                        text(row.p_mfgr),
                        text(row.p_brand),
                        row.p_type.into(),
                        row.p_size.into(),
                        row.p_container.into(),
                        row.p_retailprice.into(),
                        row.p_comment.into(),
                    ];
                    into.push(cells).await?;
                }
            }
            "supplier" => {
                for row in SupplierGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.s_suppkey.into(),
                        text(row.s_name),
                        text(&row.s_address),
                        row.s_nationkey.into(),
                        text(&row.s_phone),
                        row.s_acctbal.into(),
                        row.s_comment.as_str().into(),
                    ];
                    into.push(cells).await?;
                }
            }
            "customer" => {
                for row in CustomerGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.c_custkey.into(),
                        text(row.c_name),
                        text(&row.c_address),
                        row.c_nationkey.into(),
                        text(&row.c_phone),
                        row.c_acctbal.into(),
                        row.c_mktsegment.into(),
                        row.c_comment.into(),
                    ];
                    into.push(cells).await?;
                }
            }
            "partsupp" => {
                for row in PartSuppGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.ps_partkey.into(),
                        row.ps_suppkey.into(),
                        row.ps_availqty.into(),
                        row.ps_supplycost.into(),
                        row.ps_comment.into(),
                    ];
                    into.push(cells).await?;
                }
            }
            "orders" => {
                for row in OrderGenerator::new(scale, 1, 1).iter() {
                    let cells = [
                        row.o_orderkey.into(),
                        row.o_custkey.into(),
                        row.o_orderstatus.as_str().into(),
                        row.o_totalprice.into(),
                        row.o_orderdate.into(),
                        row.o_orderpriority.into(),
                        text(row.o_clerk),
                        row.o_shippriority.into(),
                        row.o_comment.into(),
                    ];
                    into.push(cells).await?;
                }
            }
            _ => lines(&mut into, scale).await?,
        }
        into.finish().await?;
    }
    Ok(())
}

async fn lines(into: &mut Into<'_>, scale: f64) -> anyhow::Result<()> {
    for row in LineItemGenerator::new(scale, 1, 1).iter() {
        let cells = [
            row.l_orderkey.into(),
            row.l_partkey.into(),
            row.l_suppkey.into(),
            row.l_linenumber.into(),
            Cell::Money(row.l_quantity * 100),
            row.l_extendedprice.into(),
            row.l_discount.into(),
            row.l_tax.into(),
            row.l_returnflag.into(),
            row.l_linestatus.into(),
            row.l_shipdate.into(),
            row.l_commitdate.into(),
            row.l_receiptdate.into(),
            row.l_shipinstruct.into(),
            row.l_shipmode.into(),
            row.l_comment.into(),
        ];
        into.push(cells).await?;
    }
    Ok(())
}

/// A table while it is filled.
struct Into<'a> {
    lake: &'a Lake,
    table: LakeTable,
    columns: Vec<Values>,
    rows: usize,
    batches: usize,
}

impl<'a> Into<'a> {
    async fn new(lake: &'a Lake, table: &Table) -> anyhow::Result<Self> {
        let id: TableId = table.id.parse()?;
        let tx = lake.store().begin().await?;
        Lake::create_table(&tx, &id, &schema_of(table)?).await?;
        tx.commit().await?;
        let table = Lake::table(&lake.store().read(), &id).await?;
        let columns = empty(&table);
        Ok(Self { lake, table, columns, rows: 0, batches: 0 })
    }

    async fn push<const N: usize>(&mut self, cells: [Cell; N]) -> anyhow::Result<()> {
        anyhow::ensure!(cells.len() == self.columns.len(), "{} has other columns", self.table.id);
        for (values, cell) in self.columns.iter_mut().zip(cells) {
            match (values, cell) {
                (Values::Text(all), Cell::Text(text)) => all.push(Some(text)),
                (Values::Integer(all), Cell::Integer(number)) => all.push(Some(number)),
                (Values::Decimal(all), Cell::Money(cents)) => all.push(Some(cents.into())),
                (Values::Date(all), Cell::Day(day)) => all.push(Some(day)),
                _ => anyhow::bail!("a cell of {} is of another kind", self.table.id),
            }
        }
        self.rows += 1;
        if self.rows == BATCH {
            self.arrive().await?;
        }
        Ok(())
    }

    async fn arrive(&mut self) -> anyhow::Result<()> {
        let columns = std::mem::replace(&mut self.columns, empty(&self.table));
        self.rows = 0;
        self.batches += 1;
        let batch = Batch::new(&self.table.schema, columns)?;
        let encoded = lake::inbox::encode(&self.table, &batch)?;
        let tx = self.lake.store().begin().await?;
        lake::inbox::arrive(&tx, &self.table.id, &format!("tpch-{}", self.batches), encoded).await?;
        tx.commit().await?;
        if self.batches.is_multiple_of(FILE) {
            lake::compaction::compact(self.lake, &self.table).await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> anyhow::Result<()> {
        if self.rows > 0 {
            self.arrive().await?;
        }
        lake::compaction::compact(self.lake, &self.table).await?;
        Ok(())
    }
}

fn empty(table: &LakeTable) -> Vec<Values> {
    let kinds = table.schema.columns().iter().map(|column| column.kind);
    kinds
        .map(|kind| match kind {
            Kind::Text => Values::Text(Vec::with_capacity(BATCH)),
            Kind::Decimal(_) => Values::Decimal(Vec::with_capacity(BATCH)),
            Kind::Date => Values::Date(Vec::with_capacity(BATCH)),
            _ => Values::Integer(Vec::with_capacity(BATCH)),
        })
        .collect()
}

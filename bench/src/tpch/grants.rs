//! What is shown of each table, said twice: as a policy for the barrier, and as SQL for the copy that DuckDB makes. Nothing
//! derives the one from the other.

use lake::policy::{Comparison, Mask, Policy, RowRule, Scalar, Shown};

use super::TABLES;

/// What is shown of one table.
pub struct Grant {
    /// The table.
    pub table: &'static str,
    /// To the barrier.
    pub policy: Policy,
    /// To DuckDB: what stands between SELECT and the end, `{files}` being the files.
    pub copy: &'static str,
}

/// Of every table.
#[must_use]
pub fn grants() -> Vec<Grant> {
    let stars = |first, last| Mask::Stars { first, last };
    vec![
        Grant { table: "region", policy: policy("region", &[], None), copy: "* FROM {files}" },
        Grant {
            table: "nation",
            policy: policy("nation", &[("n_comment", Mask::Empty {})], None),
            copy: "n_nationkey, n_name, n_regionkey, NULL::VARCHAR AS n_comment FROM {files}",
        },
        Grant {
            table: "part",
            policy: policy(
                "part",
                &[("p_comment", Mask::Prefix { letters: 3 })],
                Some(compare("p_size", Comparison::AtMost, Scalar::Integer(46))),
            ),
            copy: "* REPLACE (left(p_comment, 3) AS p_comment, p_retailprice::DECIMAL(15, 2) AS p_retailprice) \
                   FROM {files} WHERE p_size <= 46",
        },
        Grant {
            table: "supplier",
            policy: policy(
                "supplier",
                &[("s_phone", stars(2, 2)), ("s_address", stars(3, 0))],
                Some(RowRule::Not(Box::new(RowRule::In {
                    column: "s_nationkey".to_owned(),
                    values: [0, 4, 9, 14].into_iter().map(Scalar::Integer).collect(),
                }))),
            ),
            copy: "* REPLACE (left(s_phone, 2) || repeat('*', length(s_phone) - 4) || right(s_phone, 2) AS s_phone, \
                   CASE WHEN length(s_address) <= 3 THEN repeat('*', length(s_address)) \
                   ELSE left(s_address, 3) || repeat('*', length(s_address) - 3) END AS s_address, \
                   s_acctbal::DECIMAL(15, 2) AS s_acctbal) \
                   FROM {files} WHERE s_nationkey NOT IN (0, 4, 9, 14)",
        },
        Grant {
            table: "customer",
            policy: policy(
                "customer",
                &[
                    ("c_name", stars(9, 2)),
                    ("c_phone", stars(2, 2)),
                    ("c_address", Mask::Empty {}),
                    ("c_comment", Mask::Prefix { letters: 10 }),
                ],
                Some(compare("c_mktsegment", Comparison::NotEqual, Scalar::Text("MACHINERY".to_owned()))),
            ),
            copy: "* REPLACE (left(c_name, 9) || repeat('*', length(c_name) - 11) || right(c_name, 2) AS c_name, \
                   left(c_phone, 2) || repeat('*', length(c_phone) - 4) || right(c_phone, 2) AS c_phone, \
                   NULL::VARCHAR AS c_address, left(c_comment, 10) AS c_comment, \
                   c_acctbal::DECIMAL(15, 2) AS c_acctbal) \
                   FROM {files} WHERE c_mktsegment <> 'MACHINERY'",
        },
        Grant {
            table: "partsupp",
            policy: policy(
                "partsupp",
                &[("ps_comment", Mask::Empty {})],
                Some(compare("ps_availqty", Comparison::AtLeast, Scalar::Integer(100))),
            ),
            copy: "* REPLACE (NULL::VARCHAR AS ps_comment, ps_supplycost::DECIMAL(15, 2) AS ps_supplycost) \
                   FROM {files} WHERE ps_availqty >= 100",
        },
        Grant {
            table: "orders",
            policy: policy(
                "orders",
                &[("o_clerk", Mask::Prefix { letters: 6 })],
                Some(RowRule::Any(vec![
                    compare("o_orderdate", Comparison::AtLeast, Scalar::Date(jiff::civil::date(1992, 4, 1))),
                    RowRule::equal("o_orderpriority", Scalar::Text("1-URGENT".to_owned())),
                ])),
            ),
            copy: "* REPLACE (left(o_clerk, 6) AS o_clerk, o_totalprice::DECIMAL(15, 2) AS o_totalprice) FROM {files} \
                   WHERE o_orderdate >= DATE '1992-04-01' OR o_orderpriority = '1-URGENT'",
        },
        Grant {
            table: "lineitem",
            policy: policy(
                "lineitem",
                &[("l_comment", Mask::Empty {})],
                Some(RowRule::All(vec![
                    compare("l_shipmode", Comparison::NotEqual, Scalar::Text("FOB".to_owned())),
                    compare(
                        "l_receiptdate",
                        Comparison::AtMost,
                        Scalar::Date(jiff::civil::date(1998, 10, 31)),
                    ),
                ])),
            ),
            copy: "* REPLACE (NULL::VARCHAR AS l_comment, l_quantity::DECIMAL(15, 2) AS l_quantity, \
                   l_extendedprice::DECIMAL(15, 2) AS l_extendedprice, l_discount::DECIMAL(15, 2) AS l_discount, \
                   l_tax::DECIMAL(15, 2) AS l_tax) \
                   FROM {files} WHERE l_shipmode <> 'FOB' AND l_receiptdate <= DATE '1998-10-31'",
        },
    ]
}

fn compare(column: &str, is: Comparison, value: Scalar) -> RowRule {
    RowRule::Compare { column: column.to_owned(), is, value }
}

/// All columns of a table, some of them masked.
fn policy(table: &str, masks: &[(&str, Mask)], rows: Option<RowRule>) -> Policy {
    let columns = TABLES.iter().filter(|one| one.id == table).flat_map(|one| one.columns);
    let shown = columns.map(|(name, _, _)| match masks.iter().find(|(masked, _)| masked == name) {
        Some((_, mask)) => Shown::masked(name, mask.clone()),
        None => Shown::plain(name),
    });
    Policy { columns: shown.collect(), rows }
}

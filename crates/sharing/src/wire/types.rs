//! The lake's kinds of cells by PostgreSQL's numbers of types.

use lake::CellKind;

/// The number of `oid[]`. The lake has no kind for it, and asyncpg knows no other list of numbers before it has asked.
pub(super) const OIDS: u32 = 1_028;

/// Whether a statement casts the parameter at `place` to `oid[]`.
pub(super) fn casts_to_oids(sql: &str, place: usize) -> bool {
    sql.contains(&format!("${}::oid[]", place + 1))
}

/// The number of a kind.
pub(super) fn oid(kind: &CellKind) -> u32 {
    match kind {
        CellKind::Bool => 16,
        CellKind::Bytes => 17,
        CellKind::Int8 => 20,
        CellKind::Int2 => 21,
        CellKind::Int4 => 23,
        CellKind::Text => 25,
        CellKind::Float4 => 700,
        CellKind::Float8 => 701,
        CellKind::Date => 1_082,
        CellKind::Time => 1_083,
        CellKind::Timestamp => 1_114,
        CellKind::Instant => 1_184,
        CellKind::Interval => 1_186,
        CellKind::Numeric => 1_700,
        CellKind::List(item) => match item.as_ref() {
            CellKind::Bool => 1_000,
            CellKind::Bytes => 1_001,
            CellKind::Int2 => 1_005,
            CellKind::Int4 => 1_007,
            CellKind::Text | CellKind::List(_) => 1_009,
            CellKind::Int8 => 1_016,
            CellKind::Float4 => 1_021,
            CellKind::Float8 => 1_022,
            CellKind::Timestamp => 1_115,
            CellKind::Date => 1_182,
            CellKind::Time => 1_183,
            CellKind::Instant => 1_185,
            CellKind::Interval => 1_187,
            CellKind::Numeric => 1_231,
        },
    }
}

/// How wide a kind is in binary; -1 where that depends on the value.
pub(super) fn width(kind: &CellKind) -> i16 {
    match kind {
        CellKind::Bool => 1,
        CellKind::Int2 => 2,
        CellKind::Int4 | CellKind::Float4 | CellKind::Date => 4,
        CellKind::Int8 | CellKind::Float8 | CellKind::Time | CellKind::Timestamp | CellKind::Instant => 8,
        CellKind::Interval => 16,
        CellKind::Numeric | CellKind::Text | CellKind::Bytes | CellKind::List(_) => -1,
    }
}

/// The kind that a client means by a number; none if it leaves it open, or if there is no such kind here.
pub(super) fn kind(oid: u32) -> Option<CellKind> {
    Some(match oid {
        16 => CellKind::Bool,
        17 => CellKind::Bytes,
        20 => CellKind::Int8,
        21 => CellKind::Int2,
        // `oid` and the like are numbers in the catalogues.
        23 | 26 | 2_205 | 2_206 => CellKind::Int4,
        // text, "char", name, bpchar, varchar
        25 | 18 | 19 | 1_042 | 1_043 => CellKind::Text,
        700 => CellKind::Float4,
        701 => CellKind::Float8,
        1_082 => CellKind::Date,
        1_083 => CellKind::Time,
        1_114 => CellKind::Timestamp,
        1_184 => CellKind::Instant,
        1_186 => CellKind::Interval,
        1_700 => CellKind::Numeric,
        1_000 => list(CellKind::Bool),
        1_001 => list(CellKind::Bytes),
        1_005 => list(CellKind::Int2),
        1_007 | OIDS => list(CellKind::Int4),
        1_009 | 1_002 | 1_003 | 1_014 | 1_015 => list(CellKind::Text),
        1_016 => list(CellKind::Int8),
        1_021 => list(CellKind::Float4),
        1_022 => list(CellKind::Float8),
        1_115 => list(CellKind::Timestamp),
        1_182 => list(CellKind::Date),
        1_183 => list(CellKind::Time),
        1_185 => list(CellKind::Instant),
        1_187 => list(CellKind::Interval),
        1_231 => list(CellKind::Numeric),
        _ => return None,
    })
}

fn list(item: CellKind) -> CellKind {
    CellKind::List(Box::new(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        let flat = [
            CellKind::Bool,
            CellKind::Int2,
            CellKind::Int4,
            CellKind::Int8,
            CellKind::Float4,
            CellKind::Float8,
            CellKind::Numeric,
            CellKind::Text,
            CellKind::Bytes,
            CellKind::Date,
            CellKind::Time,
            CellKind::Timestamp,
            CellKind::Instant,
            CellKind::Interval,
        ];
        for one in flat {
            assert_eq!(kind(oid(&one)), Some(one.clone()));
            assert_eq!(kind(oid(&list(one.clone()))), Some(list(one)));
        }
        assert_eq!(kind(0), None);
    }
}

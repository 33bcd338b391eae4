//! Look-ups of clients that are put into other words as a whole, because no rule would make them fit the engine.

/// How asyncpg begins when it looks types up: recursively, through domains, ranges and composites.
const ASYNCPG_TYPES: &str = "WITH RECURSIVE typeinfo_tree( oid, ns, name, kind, basetype, elemtype,";

/// The same without recursion. A door sends plain types and lists of them, and asyncpg knows the plain ones. It reads
/// PostgreSQL's `"char"` as bytes; what it reads as none is of a type that it need not look up in turn.
const TYPES: &str = "\
    SELECT t.oid, n.nspname AS ns, t.typname AS name, CAST(t.typtype AS BYTEA) AS kind, \
    CAST(NULL AS INT) AS basetype, t.typelem AS elemtype, e.typdelim AS elemdelim, \
    CAST(NULL AS INT) AS range_subtype, CAST(NULL AS TEXT) AS attrtypoids, CAST(NULL AS TEXT) AS attrnames, \
    0 AS depth, CAST(NULL AS TEXT) AS basetype_name, e.typname AS elemtype_name, \
    CAST(NULL AS TEXT) AS range_subtype_name \
    FROM pg_catalog.pg_type t \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typlen = -1 \
    WHERE t.oid = ANY($1::oid[])";

/// How asyncpg looks a type up by its name.
const ASYNCPG_TYPE: &str = "SELECT t.oid, t.typelem AS elemtype, t.typtype AS kind FROM pg_catalog.pg_type AS t \
    INNER JOIN pg_catalog.pg_namespace ns ON (ns.oid = t.typnamespace) WHERE t.typname = $1 AND ns.nspname = $2";

const TYPE: &str = "SELECT t.oid, t.typelem AS elemtype, CAST(t.typtype AS BYTEA) AS kind FROM pg_catalog.pg_type t \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = $1 AND n.nspname = $2";

/// How the JDBC driver looks up which schema of the search path a type is in, and of what sort it is.
const JDBC_PATH: &str = "(select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join ( \
    select s.r, (current_schemas(false))[s.r] as nspname \
    from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r using ( nspname ) ) as sp";

/// The search path is one schema.
const PATH: &str = "(SELECT oid AS nspoid, nspname, 1 AS r FROM pg_catalog.pg_namespace \
    WHERE nspname = current_schema()) AS sp";

/// The functions of types are texts here.
const JDBC_ARRAY: &str = "typinput='pg_catalog.array_in'::regproc";
const ARRAY: &str = "typinput = 'array_in'";

/// The look-up in other words, if it is one of those that are known.
pub(super) fn in_other_words(sql: &str) -> Option<String> {
    if !sql.contains("pg_type") {
        return None;
    }
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.starts_with(ASYNCPG_TYPES) {
        return Some(TYPES.to_owned());
    }
    if words == ASYNCPG_TYPE {
        return Some(TYPE.to_owned());
    }
    words.contains(JDBC_PATH).then(|| words.replace(JDBC_PATH, PATH).replace(JDBC_ARRAY, ARRAY))
}

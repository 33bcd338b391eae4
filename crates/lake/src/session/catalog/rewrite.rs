//! What clients of PostgreSQL write, in the engine's words.
//!
//! The library's rules change the tree of a statement. Some of them change what it means where the engine cannot do
//! what is asked, such as a subquery among the columns: those are used for look-ups in the catalogues only, whose
//! answers a client shows and nobody counts on. Whatever comes out is read again as if the asker had written it, and
//! so goes through every check of a statement.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArguments, Ident, ObjectName, ObjectNamePart, Statement as SqlStatement, Value,
    visit_expressions_mut, visit_relations,
};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    CurrentUserVariableToSessionUserFunctionCall, PrependUnqualifiedPgTableName, RewritePgCatalogOperator,
    SqlStatementRewriteRule, StripCallableQualifier, StripCollate,
};

use super::super::Session;
use crate::error::Refusal;
use crate::{CellKind, LakeError};

/// Reads a statement as [`super::super::parse`] does, in the engine's words.
pub(super) fn understand(
    session: &Session,
    sql: &str,
    declared: &[Option<CellKind>],
) -> Result<Statement, LakeError> {
    let known = super::known::in_other_words(sql);
    let sql = known.as_deref().unwrap_or(sql);
    let first = super::super::parse(sql);
    let of_catalogue = mentions_catalogue(sql);
    let (statement, looks_up) = match first {
        // Some of what clients write can only be read after the library has changed it.
        Ok(Statement::Statement(_)) | Err(LakeError::Plan(_)) if of_catalogue => {
            let changed = parse(sql)?;
            match (first, reads_own(session, &changed)) {
                (Ok(Statement::Statement(asked)), true) => (*asked, false),
                (_, false) => (changed, true),
                (other, true) => return other,
            }
        }
        Ok(Statement::Statement(asked)) => (*asked, false),
        other => return other,
    };
    let changed = catch_unwind(AssertUnwindSafe(|| change(statement, looks_up, declared)))
        .map_err(|_| LakeError::Refused(Refusal::NotAQuery))?;
    super::super::parse(&changed.to_string())
}

/// Whether a statement names a table of the asker's, beside those of the catalogues.
fn reads_own(session: &Session, statement: &SqlStatement) -> bool {
    let Some(schema) = session.context.catalog(super::CATALOG).and_then(|all| all.schema(super::SCHEMA))
    else {
        return false;
    };
    let mut own = false;
    let _: ControlFlow<()> = visit_relations(statement, |name| {
        let last = name.0.last().and_then(ObjectNamePart::as_ident).map(|ident| ident.value.as_str());
        own |= last.is_some_and(|last| schema.table_exist(last) || schema.table_exist(&last.to_lowercase()));
        ControlFlow::Continue(())
    });
    own
}

/// Whether a statement may look into the catalogues. One that does not keeps its meaning to the letter.
fn mentions_catalogue(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["pg_", "information_schema", "regclass", "regtype", "regproc"].iter().any(|word| lower.contains(word))
}

/// Reads and changes a look-up with all of the library's rules.
fn parse(sql: &str) -> Result<SqlStatement, LakeError> {
    static PARSER: OnceLock<PostgresCompatibilityParser> = OnceLock::new();
    let parser = PARSER.get_or_init(PostgresCompatibilityParser::new);
    // The rules trust what clients write; an asker's worst must not end the node.
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(sql)))
        .map_err(|_| LakeError::Refused(Refusal::NotAQuery))?;
    let mut statements = parsed
        .map_err(|error| super::plan(datafusion::error::DataFusionError::SQL(Box::new(error), None)))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (Some(_), false) => Err(LakeError::Refused(Refusal::Several)),
        (None, _) => Err(LakeError::Refused(Refusal::NotAQuery)),
    }
}

/// The changes that keep the meaning, and for look-ups those that do not.
fn change(mut statement: SqlStatement, looks_up: bool, declared: &[Option<CellKind>]) -> SqlStatement {
    if looks_up {
        super::nothing::put(&mut statement);
    }
    super::super::lists::cast(&mut statement, declared);
    let rules: [&dyn SqlStatementRewriteRule; 5] = [
        &PrependUnqualifiedPgTableName,
        &StripCallableQualifier,
        &CurrentUserVariableToSessionUserFunctionCall,
        &StripCollate,
        &RewritePgCatalogOperator,
    ];
    let mut changed = rules.iter().fold(statement, |statement, rule| rule.rewrite(statement));
    let _: ControlFlow<()> = visit_expressions_mut(&mut changed, |expr| {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        let name = call.name.to_string().to_ascii_lowercase();
        match &call.args {
            // The engine's own `version` tells of the engine.
            FunctionArguments::List(list) if name == "version" && list.args.is_empty() => {
                call.name =
                    ObjectName(vec![ObjectNamePart::Identifier(Ident::new(super::functions::VERSION))]);
            }
            // `ARRAY(SELECT …)`, which the engine does not know: clients ask so for a user's groups and the like, of
            // which there are none.
            FunctionArguments::Subquery(_) if looks_up && name == "array" => {
                *expr = Expr::value(Value::Null);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    changed
}

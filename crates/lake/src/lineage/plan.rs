//! Lineage from a logical plan, bottom up: for each node, the inputs of each of its columns and of its rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::arrow::datatypes::Schema as ArrowSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, LogicalPlan, TableScan};

use super::{Direct, Indirect, Input, Lineage, Output, Use, Uses};
use crate::LakeError;
use crate::session::{Granted, run};

impl Lineage {
    /// The lineage of a plan over these tables. `answer` are the columns as they are answered.
    pub(crate) fn of_plan(
        plan: &LogicalPlan,
        granted: &[Granted],
        answer: &ArrowSchema,
    ) -> Result<Self, LakeError> {
        let sources = granted.iter().map(|one| (one.name.as_str(), one)).collect();
        let mut walk = Walk { sources, working: HashMap::new(), tables: BTreeSet::new() };
        let node = walk.node(plan, &[]).map_err(run)?;
        let mut lineage = Self { rows: node.rows, tables: BTreeSet::new(), ..Self::default() };
        for (field, inputs) in answer.fields().iter().zip(node.columns) {
            let (name, kind) = (field.name().clone(), field.data_type().to_string());
            lineage.columns.push(Output { name, kind, inputs });
        }
        for one in granted.iter().filter(|one| walk.tables.contains(one.name.as_str())) {
            // The rule of the rows is below the barrier and decides all the same.
            for column in one.policy.rows.iter().flat_map(crate::RowRule::columns) {
                let input = Input { table: one.table.clone(), column: column.to_owned() };
                lineage.rows.entry(input).or_default().insert(Use::Indirect(Indirect::Filter));
            }
            lineage.tables.insert(one.table.clone());
            lineage.mark(one);
        }
        Ok(lineage)
    }
}

/// What a node's output comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    columns: Vec<Uses>,
    rows: Uses,
}

/// A query around a subquery: its columns may be named inside.
type Around<'a> = (&'a DFSchema, &'a [Uses]);

struct Walk<'a> {
    sources: BTreeMap<&'a str, &'a Granted>,
    /// What a recursive query has reached so far, by its name.
    working: HashMap<String, Node>,
    tables: BTreeSet<String>,
}

impl Walk<'_> {
    fn node(&mut self, plan: &LogicalPlan, around: &[Around<'_>]) -> Result<Node> {
        let node = match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Projection(projection) => {
                let input = self.node(&projection.input, around)?;
                let here = Here { schema: projection.input.schema(), columns: &input.columns, around };
                let mut rows = input.rows.clone();
                let columns = self.all(&projection.expr, &here, &mut rows)?;
                Node { columns, rows }
            }
            LogicalPlan::Filter(filter) => {
                let input = self.node(&filter.input, around)?;
                let here = Here { schema: filter.input.schema(), columns: &input.columns, around };
                let mut rows = input.rows.clone();
                let uses = self.expr(&filter.predicate, &here, &mut rows)?;
                merge(&mut rows, &indirect(&uses, Indirect::Filter));
                Node { rows, columns: input.columns }
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, around)?,
            LogicalPlan::Join(join) => self.join(join, around)?,
            LogicalPlan::Sort(sort) => {
                let input = self.node(&sort.input, around)?;
                let here = Here { schema: sort.input.schema(), columns: &input.columns, around };
                let mut rows = input.rows.clone();
                for by in &sort.expr {
                    let uses = self.expr(&by.expr, &here, &mut rows)?;
                    merge(&mut rows, &indirect(&uses, Indirect::Sort));
                }
                Node { rows, columns: input.columns }
            }
            LogicalPlan::Window(window) => {
                let input = self.node(&window.input, around)?;
                let here = Here { schema: window.input.schema(), columns: &input.columns, around };
                let mut rows = input.rows.clone();
                let more = self.all(&window.window_expr, &here, &mut rows)?;
                let mut columns = input.columns;
                columns.extend(more);
                Node { columns, rows }
            }
            LogicalPlan::Union(union) => {
                let mut all = Node::default();
                for input in &union.inputs {
                    let input = self.node(input, around)?;
                    all.columns.resize_with(input.columns.len().max(all.columns.len()), Uses::new);
                    all.columns.iter_mut().zip(&input.columns).for_each(|(to, from)| merge(to, from));
                    merge(&mut all.rows, &input.rows);
                }
                all
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let mut node = self.node(input, around)?;
                for column in &node.columns {
                    merge(&mut node.rows, &indirect(column, Indirect::GroupBy));
                }
                node
            }
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let input = self.node(&on.input, around)?;
                let here = Here { schema: on.input.schema(), columns: &input.columns, around };
                let mut rows = input.rows.clone();
                let columns = self.all(&on.select_expr, &here, &mut rows)?;
                for expr in &on.on_expr {
                    let uses = self.expr(expr, &here, &mut rows)?;
                    merge(&mut rows, &indirect(&uses, Indirect::GroupBy));
                }
                for by in on.sort_expr.iter().flatten() {
                    let uses = self.expr(&by.expr, &here, &mut rows)?;
                    merge(&mut rows, &indirect(&uses, Indirect::Sort));
                }
                Node { columns, rows }
            }
            LogicalPlan::RecursiveQuery(recursive) => {
                let mut reached = self.node(&recursive.static_term, around)?;
                loop {
                    self.working.insert(recursive.name.clone(), reached.clone());
                    let next = self.node(&recursive.recursive_term, around)?;
                    let before = reached.clone();
                    reached.columns.iter_mut().zip(&next.columns).for_each(|(to, from)| merge(to, from));
                    merge(&mut reached.rows, &next.rows);
                    if reached == before {
                        self.working.remove(&recursive.name);
                        break reached;
                    }
                }
            }
            LogicalPlan::Values(values) => {
                let empty = DFSchema::empty();
                let here = Here { schema: &empty, columns: &[], around };
                let mut node =
                    Node { columns: vec![Uses::new(); plan.schema().fields().len()], ..Node::default() };
                for row in &values.values {
                    for (to, expr) in node.columns.iter_mut().zip(row) {
                        merge(to, &self.expr(expr, &here, &mut node.rows)?);
                    }
                }
                node
            }
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input, around)?,
            LogicalPlan::Limit(limit) => self.node(&limit.input, around)?,
            LogicalPlan::Repartition(repartition) => self.node(&repartition.input, around)?,
            other => self.blended(other, around)?,
        };
        let wanted = plan.schema().fields().len();
        if node.columns.len() == wanted {
            return Ok(node);
        }
        // Never less than there is.
        self.blended(plan, around)
    }

    /// Every column from every input: for a node of which no more is known.
    fn blended(&mut self, plan: &LogicalPlan, around: &[Around<'_>]) -> Result<Node> {
        let (mut from, mut rows) = (Uses::new(), Uses::new());
        for input in plan.inputs() {
            let input = self.node(input, around)?;
            input.columns.iter().for_each(|column| merge(&mut from, column));
            merge(&mut rows, &input.rows);
        }
        let from = at_least(&from, Direct::Transformation);
        Ok(Node { columns: vec![from; plan.schema().fields().len()], rows })
    }

    fn scan(&mut self, scan: &TableScan) -> Node {
        let name = scan.table_name.table();
        let fields = scan.projected_schema.fields();
        let Some(granted) = self.sources.get(name) else {
            // A recursive query reads what it has reached.
            let Some(reached) = self.working.get(name) else {
                return Node { columns: vec![Uses::new(); fields.len()], ..Node::default() };
            };
            let columns: Vec<Uses> = match &scan.projection {
                Some(places) => {
                    places.iter().filter_map(|place| reached.columns.get(*place)).cloned().collect()
                }
                None => reached.columns.clone(),
            };
            return Node { columns, rows: reached.rows.clone() };
        };
        self.tables.insert(name.to_owned());
        let input = |column: &str| Input { table: granted.table.clone(), column: column.to_owned() };
        let column =
            |name: &str| BTreeMap::from([(input(name), BTreeSet::from([Use::Direct(Direct::Identity)]))]);
        let mut node =
            Node { columns: fields.iter().map(|field| column(field.name())).collect(), ..Node::default() };
        for Column { name, .. } in scan.filters.iter().flat_map(Expr::column_refs) {
            merge(&mut node.rows, &indirect(&column(name), Indirect::Filter));
        }
        node
    }

    fn aggregate(&mut self, aggregate: &Aggregate, around: &[Around<'_>]) -> Result<Node> {
        let input = self.node(&aggregate.input, around)?;
        let here = Here { schema: aggregate.input.schema(), columns: &input.columns, around };
        let mut rows = input.rows.clone();
        let groups: Vec<Expr> =
            grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect();
        let mut columns = self.all(&groups, &here, &mut rows)?;
        let grouped = columns.iter().fold(Uses::new(), |mut all, column| {
            merge(&mut all, column);
            all
        });
        merge(&mut rows, &indirect(&grouped, Indirect::GroupBy));
        if matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]) {
            // The number of the grouping set.
            columns.push(at_least(&grouped, Direct::Transformation));
        }
        columns.extend(self.all(&aggregate.aggr_expr, &here, &mut rows)?);
        Ok(Node { columns, rows })
    }

    fn join(&mut self, join: &Join, around: &[Around<'_>]) -> Result<Node> {
        let left = self.node(&join.left, around)?;
        let right = self.node(&join.right, around)?;
        let both = join.left.schema().join(join.right.schema())?;
        let columns: Vec<Uses> = left.columns.iter().chain(&right.columns).cloned().collect();
        let here = Here { schema: &both, columns: &columns, around };
        let mut rows = left.rows.clone();
        merge(&mut rows, &right.rows);
        let mut joined = Uses::new();
        let on = join.on.iter().flat_map(|(left, right)| [left, right]).chain(&join.filter);
        for expr in on {
            let uses = self.expr(expr, &here, &mut rows)?;
            merge(&mut joined, &indirect(&uses, Indirect::Join));
        }
        merge(&mut rows, &joined);
        let columns = match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left.columns,
            JoinType::RightSemi | JoinType::RightAnti => right.columns,
            JoinType::LeftMark => left.columns.into_iter().chain([joined]).collect(),
            JoinType::RightMark => right.columns.into_iter().chain([joined]).collect(),
            _ => columns,
        };
        Ok(Node { columns, rows })
    }

    fn all(&mut self, exprs: &[Expr], here: &Here<'_>, rows: &mut Uses) -> Result<Vec<Uses>> {
        exprs.iter().map(|expr| self.expr(expr, here, rows)).collect()
    }

    /// The inputs of an expression. What decides over the rows of a subquery inside it goes to `rows`.
    fn expr(&mut self, expr: &Expr, here: &Here<'_>, rows: &mut Uses) -> Result<Uses> {
        let subquery = match expr {
            Expr::ScalarSubquery(subquery) => Some(subquery),
            Expr::Exists(exists) => Some(&exists.subquery),
            Expr::InSubquery(within) => Some(&within.subquery),
            Expr::SetComparison(set) => Some(&set.subquery),
            _ => None,
        };
        if let Some(subquery) = subquery {
            let mut around = here.around.to_vec();
            around.push((here.schema, here.columns));
            let inner = self.node(&subquery.subquery, &around)?;
            let mut uses = Uses::new();
            inner.columns.iter().for_each(|column| merge(&mut uses, column));
            merge(rows, &inner.rows);
            merge(&mut uses, &self.children(expr, here, rows)?);
            return Ok(at_least(&uses, Direct::Transformation));
        }
        Ok(match expr {
            Expr::Column(column) => here.column(column),
            Expr::OuterReferenceColumn(_, column) => {
                let found = here.around.iter().rev().find_map(|(schema, columns)| {
                    columns.get(schema.maybe_index_of_column(column)?).cloned()
                });
                found.unwrap_or_default()
            }
            Expr::Alias(alias) => self.expr(&alias.expr, here, rows)?,
            Expr::AggregateFunction(call) => {
                let mut uses = Uses::new();
                for argument in &call.params.args {
                    merge(&mut uses, &at_least(&self.expr(argument, here, rows)?, Direct::Aggregation));
                }
                if let Some(filter) = &call.params.filter {
                    merge(&mut uses, &indirect(&self.expr(filter, here, rows)?, Indirect::Filter));
                }
                for by in &call.params.order_by {
                    merge(&mut uses, &indirect(&self.expr(&by.expr, here, rows)?, Indirect::Sort));
                }
                uses
            }
            Expr::WindowFunction(call) => {
                let mut uses = Uses::new();
                for argument in &call.params.args {
                    merge(&mut uses, &at_least(&self.expr(argument, here, rows)?, Direct::Aggregation));
                }
                let frame = call.params.partition_by.iter();
                let frame = frame.chain(call.params.order_by.iter().map(|by| &by.expr));
                for expr in frame.chain(call.params.filter.as_deref()) {
                    merge(&mut uses, &indirect(&self.expr(expr, here, rows)?, Indirect::Window));
                }
                uses
            }
            Expr::Case(case) => {
                let mut uses = Uses::new();
                let conditions = case.when_then_expr.iter().map(|(when, _)| when.as_ref());
                for expr in conditions.chain(case.expr.as_deref()) {
                    merge(&mut uses, &indirect(&self.expr(expr, here, rows)?, Indirect::Conditional));
                }
                let values = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
                for expr in values.chain(case.else_expr.as_deref()) {
                    merge(&mut uses, &at_least(&self.expr(expr, here, rows)?, Direct::Transformation));
                }
                uses
            }
            other => at_least(&self.children(other, here, rows)?, Direct::Transformation),
        })
    }

    fn children(&mut self, expr: &Expr, here: &Here<'_>, rows: &mut Uses) -> Result<Uses> {
        let mut uses = Uses::new();
        expr.apply_children(|child| {
            merge(&mut uses, &self.expr(child, here, rows)?);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(uses)
    }
}

/// Where an expression stands.
struct Here<'a> {
    schema: &'a DFSchema,
    columns: &'a [Uses],
    around: &'a [Around<'a>],
}

impl Here<'_> {
    fn column(&self, column: &Column) -> Uses {
        let place = self.schema.maybe_index_of_column(column);
        match place.and_then(|place| self.columns.get(place)) {
            Some(uses) => uses.clone(),
            // A name that is not found may be any: never less than there is.
            None => self.columns.iter().fold(Uses::new(), |mut all, one| {
                merge(&mut all, one);
                all
            }),
        }
    }
}

fn merge(to: &mut Uses, from: &Uses) {
    for (input, uses) in from {
        to.entry(input.clone()).or_default().extend(uses);
    }
}

/// The same inputs, each used for at least this.
fn at_least(uses: &Uses, how: Direct) -> Uses {
    let raised = |one: &Use| match one {
        Use::Direct(direct) => Use::Direct(how.max(*direct)),
        other => *other,
    };
    uses.iter().map(|(input, uses)| (input.clone(), uses.iter().map(raised).collect())).collect()
}

/// The same inputs, deciding over rows.
fn indirect(uses: &Uses, what: Indirect) -> Uses {
    let turned = |one: &Use| match one {
        Use::Direct(_) => Use::Indirect(what),
        other => *other,
    };
    uses.iter().map(|(input, uses)| (input.clone(), uses.iter().map(turned).collect())).collect()
}

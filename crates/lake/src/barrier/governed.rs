//! The one provider that a session can name.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::fence::FenceExec;
use super::leakproof::Leakproof;
use super::{masks, rules};
use crate::policy::Policy;
use crate::schema::Schema;
use crate::witness::WitnessExec;
use crate::{LakeError, Witness};

/// The name that the table below the barrier goes by; never seen by an asker.
const BELOW: &str = "below";
/// The name of the column that a witness reads; it ends below the fence.
const WATCHED: &str = "watched";
/// The mark of a column that is shown behind a mask and looked up by its true value.
pub(crate) const MATCHED: &str = "yiwang.matched";

/// A table behind its policy.
pub(crate) struct GovernedTable {
    below: Arc<dyn TableProvider>,
    schema: SchemaRef,
    /// For each shown column, what it is made of.
    shown: Vec<Expr>,
    rows: Option<Expr>,
    plain: BTreeSet<String>,
    matched: BTreeSet<String>,
    witness: Option<Witness>,
}

impl GovernedTable {
    /// `below` as the policy shows it. The policy has to fit the table's schema to its last term.
    pub(crate) fn new(
        below: Arc<dyn TableProvider>,
        table: &Schema,
        policy: &Policy,
        witness: Option<Witness>,
    ) -> Result<Self, LakeError> {
        policy.check(table)?;
        if let Some(witness) = &witness
            && table.column(witness.column()).is_none()
        {
            return Err(LakeError::Policy(format!("there is no column `{}` to watch", witness.column())));
        }
        let engine = below.schema();
        let mut fields = Vec::new();
        let mut shown = Vec::new();
        let (mut plain, mut matched) = (BTreeSet::new(), BTreeSet::new());
        for column in &policy.columns {
            let name = &column.column;
            let field = engine.field_with_name(name)?;
            let mark = match column.matched {
                true => HashMap::from([(MATCHED.to_owned(), "yes".to_owned())]),
                false => HashMap::new(),
            };
            let (value, kind) = match &column.mask {
                None => {
                    plain.insert(name.clone());
                    (rules::named(name), field.data_type().clone())
                }
                Some(mask) => {
                    let value = masks::masked(rules::named(name), mask, field.data_type()).map_err(plan)?;
                    let kind = match &value {
                        Expr::Literal(empty, _) => empty.data_type(),
                        _ => masks::function()
                            .return_type(&[field.data_type().clone(), field.data_type().clone()])
                            .map_err(plan)?,
                    };
                    (value.alias_with_metadata(name, Some(FieldMetadata::from(&mark))), kind)
                }
            };
            if column.matched {
                matched.insert(name.clone());
            }
            fields.push(Field::new(name, kind, true).with_metadata(mark));
            shown.push(value);
        }
        let rows = policy.rows.as_ref().map(|rule| rules::predicate(rule, &engine)).transpose()?;
        Ok(Self { below, schema: Arc::new(ArrowSchema::new(fields)), shown, rows, plain, matched, witness })
    }

    /// The same rows and masks as an ordinary view, without the fence: what measurements compare with.
    pub(crate) fn leaking_view(&self) -> Result<ViewTable> {
        Ok(ViewTable::new(self.plan_below(None, &[])?, None))
    }

    /// The same table with one column more, which no policy shows and no asker names.
    pub(crate) fn with_column(mut self, field: Field, value: Expr) -> Self {
        let fields = self.schema.fields().iter().cloned().chain([Arc::new(field)]);
        self.schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        self.shown.push(value);
        self
    }

    /// The same table without the rows for which this does not hold.
    pub(crate) fn with_rows(mut self, rule: Expr) -> Self {
        self.rows = Some(match self.rows.take() {
            Some(rows) => rows.and(rule),
            None => rule,
        });
        self
    }

    fn leakproof(&self) -> Leakproof<'_> {
        Leakproof { schema: &self.schema, plain: &self.plain, matched: &self.matched }
    }

    /// What runs below the fence.
    fn plan_below(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> Result<LogicalPlan> {
        // The provider's word that it filters is not taken: the filters stand above its scan as well.
        let source = provider_as_source(Arc::new(Unsure(self.below.clone())));
        let mut plan = LogicalPlanBuilder::scan(BELOW, source, None)?;
        if let Some(rows) = &self.rows {
            plan = plan.filter(rows.clone())?;
        }
        for filter in filters {
            // The engine was told that it acts here, and has it nowhere else: left out, it would let through what it
            // was to keep out.
            if !self.leakproof().admits(filter) {
                return plan_err!("a predicate that may not act below the barrier came there");
            }
            plan = plan.filter(unqualified(filter)?)?;
        }
        let mut columns: Vec<Expr> = match projection {
            Some(wanted) => wanted.iter().filter_map(|place| self.shown.get(*place)).cloned().collect(),
            None => self.shown.clone(),
        };
        if let Some(witness) = &self.witness {
            columns.push(rules::named(witness.column()).alias(WATCHED));
        }
        plan.project(columns)?.build()
    }
}

fn plan(error: datafusion::error::DataFusionError) -> LakeError {
    LakeError::Plan(Box::new(error))
}

/// The asker's predicate speaks of their table; below, the columns have no table.
fn unqualified(filter: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let bare = filter.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => Transformed::yes(rules::named(&column.name)),
            other => Transformed::no(other),
        })
    })?;
    Ok(bare.data)
}

impl fmt::Debug for GovernedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GovernedTable")
    }
}

#[async_trait]
impl TableProvider for GovernedTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        // A limit would end the scan below before the asker's own filters above have seen a row.
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.plan_below(projection, filters)?;
        let mut below = state.create_physical_plan(&plan).await?;
        if let Some(witness) = &self.witness {
            below = Arc::new(WitnessExec::new(below, witness.clone()));
        }
        Ok(Arc::new(FenceExec::new(below)))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let admitted = |filter: &&Expr| match self.leakproof().admits(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(admitted).collect())
    }
}

/// A provider whose filters are only hints: they skip files and pages, and a filter above decides.
struct Unsure(Arc<dyn TableProvider>);

impl fmt::Debug for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsure")
    }
}

#[async_trait]
impl TableProvider for Unsure {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        // The filter above decides which rows count.
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(state, projection, filters, None).await
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answers = self.0.supports_filters_pushdown(filters)?;
        let unsure = |answer| match answer {
            TableProviderFilterPushDown::Exact => TableProviderFilterPushDown::Inexact,
            other => other,
        };
        Ok(answers.into_iter().map(unsure).collect())
    }
}

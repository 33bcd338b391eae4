//! Lineage as OpenLineage events (specification 2-0-2, column lineage facet 1-2-0).

use kernel::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{Direct, Indirect, Input, Lineage, Use, Uses};

/// Who makes these events.
pub const PRODUCER: &str = concat!("urn:yiwang:lake:", env!("CARGO_PKG_VERSION"));
const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const COLUMNS: &str = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";
const SCHEMA: &str =
    "https://openlineage.io/spec/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet";
const ERROR: &str =
    "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";
/// The schema that any run facet meets; ours adds fields of its own.
const RUN_FACET: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet";

/// When in its life a query is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It begins.
    Start,
    /// Its last row was answered.
    Complete,
    /// It ended otherwise, with this code.
    Fail(String),
}

/// What the lake does not know of a query.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The number of this query, a UUID.
    pub run_id: &'a str,
    /// The node, such as `yiwang://dali`.
    pub namespace: &'a str,
    /// What the query is part of, such as a grant and the hash of its plan: queries of one name are runs of one job.
    pub job: &'a str,
    /// The grant, as the receipt names it.
    pub grant: &'a str,
    /// The purpose.
    pub purpose: &'a str,
    /// When it happened.
    pub at: Timestamp,
}

impl Lineage {
    /// The event of one stage of a query.
    pub fn event(&self, stage: &Stage, facts: &Facts<'_>) -> Value {
        let mut run_facets = json!({
            "yiwang_grant": {
                "_producer": PRODUCER,
                "_schemaURL": RUN_FACET,
                "grant": facts.grant,
                "purpose": facts.purpose,
            }
        });
        let name = match stage {
            Stage::Start => "START",
            Stage::Complete => "COMPLETE",
            Stage::Fail(code) => {
                if let Some(facets) = run_facets.as_object_mut() {
                    let message = json!({
                        "_producer": PRODUCER,
                        "_schemaURL": ERROR,
                        "message": code,
                        "programmingLanguage": "SQL",
                    });
                    facets.insert("errorMessage".to_owned(), message);
                }
                "FAIL"
            }
        };
        let inputs: Vec<Value> = self
            .tables
            .iter()
            .map(|table| {
                let used: Vec<&Input> = self.inputs().into_iter().filter(|one| one.table == *table).collect();
                let fields: Vec<Value> = used.iter().map(|input| json!({ "name": input.column })).collect();
                json!({
                    "namespace": facts.namespace,
                    "name": table.as_str(),
                    "facets": { "schema": { "_producer": PRODUCER, "_schemaURL": SCHEMA, "fields": fields } },
                })
            })
            .collect();
        json!({
            "eventType": name,
            "eventTime": facts.at.to_string(),
            "producer": PRODUCER,
            "schemaURL": SPEC,
            "run": { "runId": facts.run_id, "facets": run_facets },
            "job": { "namespace": facts.namespace, "name": facts.job, "facets": {} },
            "inputs": inputs,
            "outputs": [{
                "namespace": facts.namespace,
                "name": format!("{}/answer", facts.job),
                "facets": {
                    "schema": {
                        "_producer": PRODUCER,
                        "_schemaURL": SCHEMA,
                        "fields": self.columns.iter()
                            .map(|column| json!({ "name": column.name, "type": column.kind }))
                            .collect::<Vec<_>>(),
                    },
                    "columnLineage": self.facet(facts.namespace),
                },
            }],
        })
    }

    /// The column lineage facet of the answer.
    fn facet(&self, namespace: &str) -> Value {
        let mut fields = Map::new();
        for column in &self.columns {
            // Two columns of one name are one field: it comes from what either comes from.
            let inputs = self.fields(namespace, &column.inputs);
            let field = fields.entry(column.name.clone()).or_insert_with(|| json!({ "inputFields": [] }));
            if let Some(known) = field.get_mut("inputFields").and_then(Value::as_array_mut) {
                known.extend(inputs);
            }
        }
        json!({
            "_producer": PRODUCER,
            "_schemaURL": COLUMNS,
            "fields": fields,
            "dataset": self.fields(namespace, &self.rows),
        })
    }

    fn fields(&self, namespace: &str, uses: &Uses) -> Vec<Value> {
        uses.iter()
            .map(|(input, uses)| {
                let masking = self.masked.contains(input);
                let transformations: Vec<Value> = uses
                    .iter()
                    .map(|one| {
                        let (kind, subtype) = words(*one);
                        json!({ "type": kind, "subtype": subtype, "description": "", "masking": masking })
                    })
                    .collect();
                json!({
                    "namespace": namespace,
                    "name": input.table.as_str(),
                    "field": input.column,
                    "transformations": transformations,
                })
            })
            .collect()
    }
}

fn words(one: Use) -> (&'static str, &'static str) {
    match one {
        Use::Direct(Direct::Identity) => ("DIRECT", "IDENTITY"),
        Use::Direct(Direct::Transformation) => ("DIRECT", "TRANSFORMATION"),
        Use::Direct(Direct::Aggregation) => ("DIRECT", "AGGREGATION"),
        Use::Indirect(Indirect::Filter) => ("INDIRECT", "FILTER"),
        Use::Indirect(Indirect::Join) => ("INDIRECT", "JOIN"),
        Use::Indirect(Indirect::GroupBy) => ("INDIRECT", "GROUP_BY"),
        Use::Indirect(Indirect::Sort) => ("INDIRECT", "SORT"),
        Use::Indirect(Indirect::Window) => ("INDIRECT", "WINDOW"),
        Use::Indirect(Indirect::Conditional) => ("INDIRECT", "CONDITIONAL"),
    }
}

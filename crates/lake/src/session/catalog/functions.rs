//! The functions that clients of PostgreSQL call on its catalogues.
//!
//! Most answer with one word whatever they are asked: what they would tell of does not exist here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use datafusion_pg_catalog::pg_catalog as library;

use super::{Asker, CATALOG};

/// What stands in place of `version()`.
pub(super) const VERSION: &str = "yiwang_version";
/// The function that answers with a setting of the connection.
const SETTING: &str = "current_setting";

/// Registers all of them, and says what they are called.
pub(super) fn register(context: &SessionContext, asker: &Asker) -> BTreeSet<String> {
    let mut names = BTreeSet::from([SETTING.to_owned()]);
    let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
    let no_text = ScalarValue::Utf8(None);
    let yes = ScalarValue::Boolean(Some(true));
    let no = ScalarValue::Boolean(Some(false));
    let zero = ScalarValue::Int64(Some(0));
    // A size would tell of rows that are hidden.
    let constants = [
        (VERSION, text(&asker.version)),
        ("session_user", text(&asker.user)),
        ("current_user", text(&asker.user)),
        ("pg_get_userbyid", text("yiwang")),
        ("pg_backend_pid", ScalarValue::Int32(Some(0))),
        ("pg_is_in_recovery", no.clone()),
        ("pg_function_is_visible", yes.clone()),
        ("pg_type_is_visible", yes.clone()),
        ("pg_operator_is_visible", yes.clone()),
        ("has_column_privilege", yes.clone()),
        ("has_function_privilege", no.clone()),
        ("has_sequence_privilege", no),
        ("pg_has_role", yes),
        ("pg_get_function_result", no_text.clone()),
        ("pg_get_function_arguments", no_text.clone()),
        ("pg_get_function_identity_arguments", no_text.clone()),
        ("pg_get_functiondef", no_text.clone()),
        ("pg_get_indexdef", no_text.clone()),
        ("pg_get_viewdef", no_text.clone()),
        ("pg_get_triggerdef", no_text.clone()),
        ("pg_get_ruledef", no_text.clone()),
        ("pg_get_serial_sequence", no_text.clone()),
        ("pg_tablespace_location", no_text.clone()),
        ("obj_description", no_text.clone()),
        ("col_description", no_text.clone()),
        ("shobj_description", no_text.clone()),
        ("pg_advisory_unlock_all", no_text),
        ("pg_relation_size", zero.clone()),
        ("pg_total_relation_size", zero.clone()),
        ("pg_table_size", zero.clone()),
        ("pg_indexes_size", zero.clone()),
        ("pg_database_size", zero),
        ("to_regclass", ScalarValue::Int32(None)),
        ("to_regtype", ScalarValue::Int32(None)),
        ("pg_my_temp_schema", ScalarValue::Int32(Some(0))),
    ];
    for of_library in [
        library::create_current_database_udf(CATALOG),
        library::create_current_schema_udf(),
        library::create_current_schemas_udf(),
        library::has_privilege_udf::create_has_privilege_udf("has_table_privilege"),
        library::has_privilege_udf::create_has_privilege_udf("has_schema_privilege"),
        library::has_privilege_udf::create_has_privilege_udf("has_database_privilege"),
        library::has_privilege_udf::create_has_privilege_udf("has_any_column_privilege"),
        library::create_pg_table_is_visible(),
        library::format_type::create_format_type_udf(),
        library::pg_get_expr_udf::create_pg_get_expr_udf(),
        library::create_pg_get_partkeydef_udf(),
        library::create_pg_relation_is_publishable_udf(),
        library::create_pg_get_statisticsobjdef_columns_udf(),
        library::create_pg_encoding_to_char_udf(),
        library::create_pg_stat_get_numscans(),
        library::create_pg_get_constraintdef(),
        library::create_pg_get_partition_ancestors_udf(),
        library::quote_ident_udf::create_quote_ident_udf(),
        library::quote_ident_udf::create_parse_ident_udf(),
        library::array_bounds_udf::create_array_upper_udf(),
        library::array_bounds_udf::create_array_lower_udf(),
    ] {
        names.insert(of_library.name().to_owned());
        context.register_udf(of_library);
    }
    for (name, value) in constants {
        names.insert(name.to_owned());
        context.register_udf(ScalarUDF::new_from_impl(Constant { name, value, signature: anything() }));
    }
    let settings = Arc::new(asker.settings.clone());
    context.register_udf(ScalarUDF::new_from_impl(CurrentSetting { settings, signature: anything() }));
    names
}

fn anything() -> Signature {
    Signature::one_of(
        vec![
            datafusion::logical_expr::TypeSignature::Nullary,
            datafusion::logical_expr::TypeSignature::VariadicAny,
        ],
        Volatility::Stable,
    )
}

/// A function that answers with one value whatever it is asked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    value: ScalarValue,
    signature: Signature,
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}

/// `current_setting(name [, missing_ok])`, of the settings of the connection.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting {
    settings: Arc<BTreeMap<String, String>>,
    signature: Signature,
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &'static str {
        SETTING
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = match arguments.args.first() {
            Some(ColumnarValue::Scalar(
                ScalarValue::Utf8(Some(name))
                | ScalarValue::Utf8View(Some(name))
                | ScalarValue::LargeUtf8(Some(name)),
            )) => self.settings.get(&name.to_ascii_lowercase()).cloned(),
            _ => None,
        };
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(value)))
    }
}

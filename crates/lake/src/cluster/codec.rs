//! How sealed scans are written into plans and read from them.

use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{DataFusionError, Result, internal_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{
    AsExecutionPlan, DefaultPhysicalExtensionCodec, PhysicalExtensionCodec, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::check;
use super::seal::{Kind, MAGIC, Opener};
use super::sealed::SealedScanExec;
use crate::barrier::masks;

/// A plan as bytes.
pub(super) fn encode(plan: &Arc<dyn ExecutionPlan>, codec: &dyn PhysicalExtensionCodec) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    PhysicalPlanNode::try_from_physical_plan(plan.clone(), codec)?.try_encode(&mut bytes)?;
    Ok(bytes)
}

/// What stands below a fence, as bytes.
pub(super) fn encode_below(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
    encode(plan, &DefaultPhysicalExtensionCodec {})
}

/// Writes sealed scans as they are. The gateway's half: it reads none.
#[derive(Debug)]
pub(super) struct Sending(BallistaPhysicalExtensionCodec);

impl Sending {
    pub(super) fn new() -> Self {
        Self(BallistaPhysicalExtensionCodec::default())
    }
}

impl PhysicalExtensionCodec for Sending {
    fn try_decode(
        &self,
        _buf: &[u8],
        _inputs: &[Arc<dyn ExecutionPlan>],
        _ctx: &TaskContext,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("a gateway reads no plans")
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<SealedScanExec>() {
            Some(scan) => {
                buf.extend_from_slice(scan.sealed());
                Ok(())
            }
            None => self.0.try_encode(node, buf, converter),
        }
    }
}

/// Reads sealed scans where plans are cut and run, and opens none that is not the gateway's.
pub(super) struct Receiving {
    engine: BallistaPhysicalExtensionCodec,
    opener: Opener,
    lake: PathBuf,
    /// The functions that stand below a fence; the mask is among them, and above a fence it is not.
    below: Arc<TaskContext>,
}

impl Receiving {
    pub(super) fn new(opener: Opener, lake: PathBuf) -> Self {
        let context = SessionContext::new_with_config(super::settings(crate::session::config(1)));
        context.register_udf(masks::function());
        Self { engine: BallistaPhysicalExtensionCodec::default(), opener, lake, below: context.task_ctx() }
    }
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiving")
    }
}

impl PhysicalExtensionCodec for Receiving {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !buf.starts_with(&MAGIC) {
            return self.engine.try_decode(buf, inputs, ctx, converter);
        }
        let (ticket, plan) =
            self.opener.open(Kind::Scan, buf).map_err(|error| DataFusionError::Plan(error.to_string()))?;
        let [carrier] = inputs else { return internal_err!("a sealed scan has one carrier") };
        let below = PhysicalPlanNode::try_decode(plan)?
            .try_into_physical_plan(&self.below, &DefaultPhysicalExtensionCodec {})?;
        check::below(&below, &self.lake)?;
        Ok(Arc::new(SealedScanExec::over(buf.into(), below, ticket.expires, carrier.clone())?))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<SealedScanExec>() {
            Some(scan) => {
                buf.extend_from_slice(scan.sealed());
                Ok(())
            }
            None => self.engine.try_encode(node, buf, converter),
        }
    }
}

/// Reads and writes no logical plan: no member takes one.
#[derive(Debug)]
pub(super) struct NoLogicalPlans;

impl LogicalExtensionCodec for NoLogicalPlans {
    fn try_decode(
        &self,
        _buf: &[u8],
        _inputs: &[datafusion::logical_expr::LogicalPlan],
        _ctx: &TaskContext,
    ) -> Result<datafusion::logical_expr::Extension> {
        not_impl_err!("logical plans are not taken")
    }

    fn try_encode(&self, _node: &datafusion::logical_expr::Extension, _buf: &mut Vec<u8>) -> Result<()> {
        not_impl_err!("logical plans are not taken")
    }

    fn try_decode_table_provider(
        &self,
        _buf: &[u8],
        _table: &datafusion::common::TableReference,
        _schema: datafusion::arrow::datatypes::SchemaRef,
        _ctx: &TaskContext,
    ) -> Result<Arc<dyn datafusion::catalog::TableProvider>> {
        not_impl_err!("logical plans are not taken")
    }

    fn try_encode_table_provider(
        &self,
        _table: &datafusion::common::TableReference,
        _node: Arc<dyn datafusion::catalog::TableProvider>,
        _buf: &mut Vec<u8>,
    ) -> Result<()> {
        not_impl_err!("logical plans are not taken")
    }
}

#[cfg(test)]
mod tests {
    use crypto::signature::SigningKey;
    use crypto::suite::Algorithm;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::datasource::listing::PartitionedFile;
    use datafusion::datasource::memory::DataSourceExec;
    use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
    use datafusion::execution::object_store::ObjectStoreUrl;
    use datafusion_proto::physical_plan::DefaultPhysicalProtoConverter;
    use kernel::entropy::SeededEntropy;
    use kernel::time::{ManualClock, Timestamp};

    use super::*;
    use crate::cluster::seal::{Ticket, seal};

    fn scan_of(file: &str) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![Field::new("name", DataType::Utf8, true)]));
        let source = Arc::new(ParquetSource::new(schema));
        let files = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file(PartitionedFile::new(file, 10));
        DataSourceExec::from_data_source(files.build())
    }

    fn read(receiving: &Receiving, sealed: &[u8], below: &Arc<dyn ExecutionPlan>) -> Result<(), String> {
        let ends = Timestamp::from_micros(1);
        let whole = SealedScanExec::whole(sealed.into(), below.clone(), ends).unwrap();
        let carrier = whole.children()[0].clone();
        let context = SessionContext::new().task_ctx();
        receiving
            .try_decode(sealed, &[carrier], &context, &DefaultPhysicalProtoConverter {})
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_executor_reads_a_scan_of_the_lake_that_the_gateway_sealed_and_no_other() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let key = SigningKey::generate(Algorithm::Ed25519, &SeededEntropy::new(1)).unwrap();
        let clock = Arc::new(ManualClock::new(at(1_000)));
        let opener = Opener { key: Arc::new(key.verifying_key()), clock };
        let receiving = Receiving::new(opener, "/srv/lake".into());
        let ticket = Ticket { query: [7; 16], issued: at(1_000), expires: at(1_030) };
        let sealed = |key: &SigningKey, scan: &Arc<dyn ExecutionPlan>| {
            seal(key, Kind::Scan, &ticket, &encode_below(scan).unwrap()).unwrap()
        };

        let own = scan_of("srv/lake/persons/one.parquet");
        let good = sealed(&key, &own);
        assert_eq!(read(&receiving, &good, &own), Ok(()));
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(read(&receiving, &changed, &own).unwrap_err().contains("the seal is broken"));
        let stranger = SigningKey::generate(Algorithm::Ed25519, &SeededEntropy::new(2)).unwrap();
        assert!(read(&receiving, &sealed(&stranger, &own), &own).unwrap_err().contains("the seal is broken"));
        for path in ["etc/raw.parquet", "srv/lake2/raw.parquet"] {
            let raw = scan_of(path);
            let refused = read(&receiving, &sealed(&key, &raw), &raw).unwrap_err();
            assert!(refused.contains("a file outside of the lake"), "{refused}");
        }
    }
}

//! The gateway's side: seals plans, sends them, and reads what the executors answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ballista_core::client::BallistaClient;
use ballista_core::error::BallistaError;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobStatusParams, PartitionLocation,
    RemoveSessionParams, execute_query_result, job_status,
};
use crypto::signature::SigningKey;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use store::Env;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::members::{Member, Role, choose_provider, sealing_key};
use super::seal::{Kind, Ticket, seal};
use super::sealed::SealedScanExec;
use super::{ClusterError, MAX_MESSAGE, MAX_PLAN, check, codec, may_travel};
use crate::barrier::fence::FenceExec;
use crate::error::Limit;
use crate::session::check_matches;
use crate::{Lake, LakeError};

/// How much of an answer is fetched before any of it is handed on.
const AHEAD: usize = 32 << 20;
/// How often the state of a query is asked for, at first and at most.
const ASK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How a gateway reaches its cluster.
#[derive(Clone)]
pub struct GatewayConfig {
    /// The folder of its keys.
    pub keys: PathBuf,
    /// The scheduler, as `host:port`.
    pub scheduler: String,
    /// Into how many parts a plan is cut, two at least: as many as all executors run side by side.
    pub partitions: usize,
    /// Clock and entropy. The clock is that of the other members, not a test's.
    pub env: Env,
}

/// A cluster, as the gateway has it. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    channel: Channel,
    executors: Arc<BallistaConfigGrpcEndpoint>,
    key: Arc<SigningKey>,
    partitions: usize,
    env: Env,
    sent: AtomicU64,
    answered: AtomicU64,
}

type Scheduler = SchedulerGrpcClient<Channel>;

impl Cluster {
    /// A cluster by the keys of its gateway. Nothing is sent yet.
    pub fn open(config: &GatewayConfig) -> Result<Self, ClusterError> {
        choose_provider();
        let member = Member::read(&config.keys)?;
        let inner = Inner {
            channel: member.channel(&config.scheduler, Role::Scheduler)?,
            executors: Arc::new(BallistaConfigGrpcEndpoint::new(member.endpoints(&config.scheduler))),
            key: sealing_key(&config.keys)?,
            partitions: config.partitions.max(2),
            env: config.env.clone(),
            sent: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same, after the scheduler has answered.
    pub async fn connect(config: &GatewayConfig) -> Result<Self, ClusterError> {
        let cluster = Self::open(config)?;
        cluster.reach().await?;
        Ok(cluster)
    }

    /// Whether the scheduler answers.
    pub async fn reach(&self) -> Result<(), ClusterError> {
        // Of a query that never was: the question is whether anybody answers.
        let nothing = GetJobStatusParams { job_id: "none".to_owned() };
        let mut scheduler = self.scheduler();
        let asked = tokio::time::timeout(Duration::from_secs(5), scheduler.get_job_status(nothing));
        match asked.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) => Err(ClusterError::Unreachable(super::chain(&status))),
            Err(_) => Err(ClusterError::Unreachable("no answer".to_owned())),
        }
    }

    /// How many plans the scheduler has taken from here.
    pub fn sent(&self) -> u64 {
        self.inner.sent.load(Ordering::Relaxed)
    }

    /// How many of them were answered. The others ran here after all.
    pub fn answered(&self) -> u64 {
        self.inner.answered.load(Ordering::Relaxed)
    }

    fn scheduler(&self) -> Scheduler {
        SchedulerGrpcClient::new(self.inner.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE)
    }

    /// The answer of the executors, with columns of this schema. Nothing if the query is to run here: because it is
    /// one that does not travel, or because the cluster did not bring it to its end. An error only if its time is over.
    pub(crate) async fn answer(
        &self,
        lake: &Lake,
        context: &SessionContext,
        logical: &LogicalPlan,
        schema: &SchemaRef,
        deadline: Instant,
    ) -> Result<Option<SendableRecordBatchStream>, LakeError> {
        let ticket = self.ticket(deadline);
        let answered = async {
            let sealed = self.packed(lake, context, logical, schema, &ticket).await?;
            self.run(sealed, &ticket, schema).await
        };
        let answer =
            tokio::time::timeout_at(deadline, answered).await.map_err(|_| LakeError::Limit(Limit::Time))?;
        if answer.is_some() {
            self.inner.answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// The plan under seal, if the query travels. The text of an error may hold values of the data.
    async fn packed(
        &self,
        lake: &Lake,
        context: &SessionContext,
        logical: &LogicalPlan,
        schema: &SchemaRef,
        ticket: &Ticket,
    ) -> Option<Vec<u8>> {
        let packed = match self.planned(context, logical, schema).await {
            Ok(Some(plan)) => self.pack(lake, &plan, ticket),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let sealed = packed.ok().flatten().filter(|sealed| sealed.len() <= MAX_PLAN);
        if sealed.is_none() {
            tracing::debug!("a query does not travel and runs here");
        }
        sealed
    }

    async fn run(
        &self,
        sealed: Vec<u8>,
        ticket: &Ticket,
        schema: &SchemaRef,
    ) -> Option<SendableRecordBatchStream> {
        let job = self.send(sealed, ticket).await?;
        let answer = match job.done().await {
            Some(places) => self.fetched(job, places, schema).await,
            None => None,
        };
        if answer.is_none() {
            tracing::info!("the cluster did not bring a query to its end; it runs here");
        }
        answer
    }

    /// The plan for several machines; nothing if there is none that answers as one process does.
    async fn planned(
        &self,
        context: &SessionContext,
        logical: &LogicalPlan,
        schema: &SchemaRef,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if !may_travel(logical)? {
            return Ok(None);
        }
        let config = super::settings(crate::session::config(self.inner.partitions));
        let state = SessionStateBuilder::new_from_existing(context.state()).with_config(config).build();
        let optimised = state.optimize(logical)?;
        if check_matches(&optimised).is_err() {
            return Ok(None);
        }
        let plan = state.create_physical_plan(&optimised).await?;
        Ok(same_columns(&plan.schema(), schema).then_some(plan))
    }

    fn ticket(&self, deadline: Instant) -> Ticket {
        let mut query = [0; 16];
        self.inner.env.entropy.fill(&mut query);
        let issued = self.inner.env.now();
        let left = deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(3_590));
        let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::ZERO);
        Ticket { query, issued, expires: issued.plus(left + SignedDuration::from_secs(1)) }
    }

    /// The plan under seal, with each scan of it under a seal of its own. Nothing if it has no scan.
    fn pack(&self, lake: &Lake, plan: &Arc<dyn ExecutionPlan>, ticket: &Ticket) -> Result<Option<Vec<u8>>> {
        // What lies in a bucket is read by the gateway alone: executors have no key to it.
        let Some(folder) = lake.files().local() else { return Ok(None) };
        let key = &self.inner.key;
        let external = |error: crypto::signature::SignatureError| DataFusionError::External(Box::new(error));
        let mut scans = 0;
        let packed = plan
            .clone()
            .transform_down(|node| {
                let Some(fence) = node.downcast_ref::<FenceExec>() else { return Ok(Transformed::no(node)) };
                let below = fence.input();
                check::below(below, folder)?;
                let bytes = codec::encode_below(below)?;
                let sealed = seal(key, Kind::Scan, ticket, &bytes).map_err(external)?;
                scans += 1;
                let scan = SealedScanExec::whole(sealed.into(), below.clone(), ticket.expires)?;
                Ok(Transformed::new(Arc::new(scan), true, TreeNodeRecursion::Jump))
            })?
            .data;
        if scans == 0 {
            return Ok(None);
        }
        check::above(&packed)?;
        let bytes = codec::encode(&packed, &codec::Sending::new())?;
        Ok(Some(seal(key, Kind::Query, ticket, &bytes).map_err(external)?))
    }

    /// The query as the scheduler has it; nothing if it does not answer, or has no use for the plan.
    async fn send(&self, sealed: Vec<u8>, ticket: &Ticket) -> Option<Job> {
        let session = hex::encode(ticket.query);
        let mut request = tonic::Request::new(ExecuteQueryParams {
            session_id: session.clone(),
            settings: Vec::new(),
            operation_id: session.clone(),
            query: Some(Query::PhysicalPlan(sealed)),
        });
        ballista_core::version::insert_version_header(request.metadata_mut());
        let mut scheduler = self.scheduler();
        let answer = match scheduler.execute_query(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                // A seal that is refused means foreign keys, or clocks that do not agree.
                tracing::warn!(code = ?status.code(), "the scheduler does not take a query; it runs here");
                return None;
            }
        };
        match answer.result {
            Some(execute_query_result::Result::Success(success)) => {
                self.inner.sent.fetch_add(1, Ordering::Relaxed);
                Some(Job { scheduler, id: success.job_id, session })
            }
            _ => None,
        }
    }

    /// The rows of all partitions. What is fetched before the first row is handed on may get lost without harm; of
    /// a larger answer the rest comes while it is read.
    async fn fetched(
        &self,
        job: Job,
        places: Vec<PartitionLocation>,
        schema: &SchemaRef,
    ) -> Option<SendableRecordBatchStream> {
        let executors = self.inner.executors.clone();
        let mut rest = futures_util::stream::iter(places)
            .then(move |place| fetch(place, executors.clone()))
            .try_flatten()
            .map_err(|error| DataFusionError::External(Box::new(Lost(super::chain(&error)))))
            // The rows lie at the executors as long as this is read.
            .inspect(move |_| {
                let _ = &job;
            })
            .boxed();
        let (mut first, mut bytes) = (Vec::new(), 0);
        while bytes < AHEAD {
            match rest.next().await {
                Some(Ok(batch)) => {
                    bytes += batch.get_array_memory_size();
                    first.push(Ok(batch));
                }
                Some(Err(_)) => return None,
                None => break,
            }
        }
        let rows = futures_util::stream::iter(first).chain(rest);
        Some(Box::pin(RecordBatchStreamAdapter::new(schema.clone(), rows)))
    }
}

/// Whether the columns are called the same and hold the same.
fn same_columns(one: &SchemaRef, other: &SchemaRef) -> bool {
    let columns = |schema: &SchemaRef| {
        let fields = schema.fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().clone())).collect::<Vec<_>>()
    };
    columns(one) == columns(other)
}

/// A part of an answer that was made and cannot be fetched any more.
#[derive(Debug, thiserror::Error)]
#[error("a part of the answer was lost: {0}")]
pub(crate) struct Lost(pub(crate) String);

/// A query at the scheduler. Dropped, it is ended and its rows are removed.
struct Job {
    scheduler: Scheduler,
    id: String,
    session: String,
}

impl Job {
    /// Where the rows are, when all of them are there; nothing if the query failed. Why it failed is not asked: the
    /// one process finds the same, or an answer.
    async fn done(&self) -> Option<Vec<PartitionLocation>> {
        let mut scheduler = self.scheduler.clone();
        let (mut wait, longest) = ASK;
        loop {
            let asked = scheduler.get_job_status(GetJobStatusParams { job_id: self.id.clone() }).await;
            let answer = asked.ok()?;
            match answer.into_inner().status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(job)) => return Some(job.partition_location),
                Some(job_status::Status::Queued(_) | job_status::Status::Running(_)) => {}
                Some(job_status::Status::Failed(_)) | None => return None,
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(longest);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut scheduler = self.scheduler.clone();
        let (job_id, session_id) = (std::mem::take(&mut self.id), std::mem::take(&mut self.session));
        // Whoever waited for the rows does not wait for this; the scheduler ends what is overdue by itself.
        runtime.spawn(async move {
            let cancelled = scheduler.cancel_job(CancelJobParams { job_id: job_id.clone() }).await;
            let cleaned =
                scheduler.clean_job_data(CleanJobDataParams { job_id, remove_stage_ids: Vec::new() }).await;
            let removed = scheduler.remove_session(RemoveSessionParams { session_id }).await;
            if cancelled.is_err() || cleaned.is_err() || removed.is_err() {
                tracing::warn!("a query could not be cleared away at the scheduler");
            }
        });
    }
}

/// The rows of one partition of the answer.
async fn fetch(
    location: PartitionLocation,
    executors: Arc<BallistaConfigGrpcEndpoint>,
) -> Result<SendableRecordBatchStream> {
    let layout = location.layout();
    let lost = || DataFusionError::Execution("a part of the answer is nowhere".to_owned());
    let executor = location.executor_meta.ok_or_else(lost)?;
    let partition = location.partition_id.ok_or_else(lost)?;
    let port = u16::try_from(executor.port).map_err(|_| lost())?;
    let mut client =
        BallistaClient::try_new(&executor.host, port, MAX_MESSAGE, true, Some(executors), 2, 100, 0, 0)
            .await
            .map_err(BallistaError::into_datafusion)?;
    client
        .fetch_partition(&executor.id, &partition.into(), location.file_id, layout, true)
        .await
        .map_err(BallistaError::into_datafusion)
}

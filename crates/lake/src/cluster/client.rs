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
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use store::Env;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::members::{Member, Role, choose_provider, sealing_key};
use super::seal::{Kind, Ticket, seal};
use super::sealed::SealedScanExec;
use super::{ClusterError, MAX_MESSAGE, MAX_PLAN, TIME_OVER, check, codec};
use crate::barrier::fence::FenceExec;
use crate::error::Limit;
use crate::{Lake, LakeError};

/// How often the state of a query is asked for, at first and at most.
const ASK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How a gateway reaches its cluster.
#[derive(Clone)]
pub struct GatewayConfig {
    /// The folder of its keys.
    pub keys: PathBuf,
    /// The scheduler, as `host:port`.
    pub scheduler: String,
    /// Into how many parts a plan is cut: as many as all executors run side by side.
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
}

type Scheduler = SchedulerGrpcClient<Channel>;

impl Cluster {
    /// Connects to the scheduler.
    pub async fn connect(config: &GatewayConfig) -> Result<Self, ClusterError> {
        choose_provider();
        let member = Member::read(&config.keys)?;
        let inner = Inner {
            channel: member.channel(&config.scheduler, Role::Scheduler)?,
            executors: Arc::new(BallistaConfigGrpcEndpoint::new(member.endpoints(&config.scheduler))),
            key: sealing_key(&config.keys)?,
            partitions: config.partitions.max(1),
            env: config.env.clone(),
            sent: AtomicU64::new(0),
        };
        let cluster = Self { inner: Arc::new(inner) };
        // Of a query that never was: the question is whether anybody answers.
        let nothing = GetJobStatusParams { job_id: "none".to_owned() };
        let mut scheduler = cluster.scheduler();
        let asked = tokio::time::timeout(Duration::from_secs(5), scheduler.get_job_status(nothing));
        match asked.await {
            Ok(Ok(_)) => Ok(cluster),
            Ok(Err(status)) => Err(ClusterError::Unreachable(super::chain(&status))),
            Err(_) => Err(ClusterError::Unreachable("no answer".to_owned())),
        }
    }

    /// How many plans the scheduler has taken from here.
    pub fn sent(&self) -> u64 {
        self.inner.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn partitions(&self) -> usize {
        self.inner.partitions
    }

    fn scheduler(&self) -> Scheduler {
        SchedulerGrpcClient::new(self.inner.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE)
    }

    /// Runs a plan on the executors; nothing if it is one that cannot travel.
    pub(crate) async fn run(
        &self,
        lake: &Lake,
        plan: &Arc<dyn ExecutionPlan>,
        deadline: Instant,
    ) -> Result<Option<SendableRecordBatchStream>, LakeError> {
        let ticket = self.ticket(deadline);
        let sealed = match self.pack(lake, plan, &ticket) {
            Ok(Some(sealed)) if sealed.len() <= MAX_PLAN => sealed,
            Ok(_) => return Ok(None),
            Err(_) => {
                tracing::debug!("a plan does not travel and runs here");
                return Ok(None);
            }
        };
        let Some(job) = self.send(sealed, &ticket).await? else { return Ok(None) };
        let locations = tokio::time::timeout_at(deadline, job.done())
            .await
            .map_err(|_| LakeError::Limit(Limit::Time))??;
        let executors = self.inner.executors.clone();
        let rows = futures_util::stream::iter(locations)
            .then(move |location| fetch(location, executors.clone()))
            .try_flatten()
            // The rows lie at the executors as long as this is read.
            .inspect(move |_| {
                let _ = &job;
            });
        Ok(Some(Box::pin(RecordBatchStreamAdapter::new(plan.schema(), rows))))
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

    /// The query as the scheduler has it; nothing if the plan has a part that it does not know, such as a function
    /// of the catalogue.
    async fn send(&self, sealed: Vec<u8>, ticket: &Ticket) -> Result<Option<Job>, LakeError> {
        let session = hex::encode(ticket.query);
        let mut request = tonic::Request::new(ExecuteQueryParams {
            session_id: session.clone(),
            settings: Vec::new(),
            operation_id: session.clone(),
            query: Some(Query::PhysicalPlan(sealed)),
        });
        ballista_core::version::insert_version_header(request.metadata_mut());
        let mut scheduler = self.scheduler();
        let answer = scheduler.execute_query(request).await.map_err(|status| unavailable(&status))?;
        match answer.into_inner().result {
            Some(execute_query_result::Result::Success(success)) => {
                self.inner.sent.fetch_add(1, Ordering::Relaxed);
                Ok(Some(Job { scheduler, id: success.job_id, session }))
            }
            _ => Ok(None),
        }
    }
}

fn unavailable(status: &tonic::Status) -> LakeError {
    LakeError::Cluster(super::chain(status))
}

/// A query at the scheduler. Dropped, it is ended and its rows are removed.
struct Job {
    scheduler: Scheduler,
    id: String,
    session: String,
}

impl Job {
    /// Where the rows are, when all of them are there.
    async fn done(&self) -> Result<Vec<PartitionLocation>, LakeError> {
        let mut scheduler = self.scheduler.clone();
        let (mut wait, longest) = ASK;
        loop {
            let asked = scheduler.get_job_status(GetJobStatusParams { job_id: self.id.clone() }).await;
            let answer = asked.map_err(|status| unavailable(&status))?.into_inner();
            match answer.status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(job)) => return Ok(job.partition_location),
                Some(job_status::Status::Failed(job)) => return Err(failed(&job.error)),
                _ => {}
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(longest);
        }
    }
}

/// What a failed query means. The engine hands over a text alone.
fn failed(text: &str) -> LakeError {
    if text.contains(TIME_OVER) {
        LakeError::Limit(Limit::Time)
    } else if text.contains("Resources exhausted") || text.contains("ResourcesExhausted") {
        LakeError::Limit(Limit::Memory)
    } else {
        LakeError::Run(Box::new(DataFusionError::Execution(text.to_owned())))
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

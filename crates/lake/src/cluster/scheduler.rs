//! The scheduler: cuts the gateway's plans into stages and hands these to executors.
//!
//! The engine's own service takes any plan from anybody. It stands behind a gate here: every call needs the
//! certificate of its role, and a plan the gateway's seal.
//! A query of which a part ran twice ends here, and none is called done whose answer is not whole ([`is_whole`]).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::execute_query_result;
use ballista_core::serde::protobuf::scheduler_grpc_server::{SchedulerGrpc, SchedulerGrpcServer};
use ballista_core::serde::protobuf::{
    CancelJobParams, CancelJobResult, CleanJobDataParams, CleanJobDataResult, CreateUpdateSessionParams,
    CreateUpdateSessionResult, ExecuteQueryParams, ExecuteQueryResult, ExecutorStoppedParams,
    ExecutorStoppedResult, FailedJob, GetJobMetricsParams, GetJobMetricsResult, GetJobStatusParams,
    GetJobStatusResult, HeartBeatParams, HeartBeatResult, PollWorkParams, PollWorkResult,
    RegisterExecutorParams, RegisterExecutorResult, RemoveSessionParams, RemoveSessionResult, RunningJob,
    UpdateTaskStatusParams, UpdateTaskStatusResult, job_status,
};
use ballista_scheduler::cluster::{BallistaCluster, JobState};
use ballista_scheduler::config::SchedulerConfig as EngineConfig;
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use futures_util::Stream;
use kernel::time::Timestamp;
use store::Env;
use tonic::{Request, Response, Status};

use super::codec::{NoLogicalPlans, Receiving};
use super::members::{Member, Role, checking_key, choose_provider, require};
use super::seal::{Kind, Opener, Taken};
use super::whole::{is_whole, ran_once};
use super::{ClusterError, KEPT, MAX_MESSAGE, engine_config};

/// How a scheduler runs.
#[derive(Clone)]
pub struct SchedulerConfig {
    /// The folder of its keys.
    pub keys: PathBuf,
    /// The folder of the lake, as it is called in plans.
    pub lake: PathBuf,
    /// The address that it listens on.
    pub listen: SocketAddr,
    /// When an executor that is not heard of counts as lost. A busy one is heard of every five seconds.
    pub lost_after: Duration,
    /// Clock and entropy.
    pub env: Env,
}

/// Runs a scheduler until `stop` comes.
pub async fn serve_scheduler(
    config: &SchedulerConfig,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ClusterError> {
    choose_provider();
    let member = Member::read(&config.keys)?;
    let opener = Opener { key: checking_key(&config.keys)?, clock: config.env.clock.clone() };
    let lost_after = config.lost_after.as_secs().max(1);
    let message = u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX);
    let engine = EngineConfig {
        // Executors come for their work: a port of theirs that takes work could not be put under TLS.
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        external_host: config.listen.ip().to_string(),
        bind_host: config.listen.ip().to_string(),
        bind_port: config.listen.port(),
        executor_timeout_seconds: lost_after,
        expire_dead_executor_interval_seconds: 1,
        no_executors_grace_period_seconds: lost_after,
        task_max_failures: 1,
        stage_max_failures: 1,
        finished_job_data_clean_up_interval_seconds: KEPT.as_secs(),
        finished_job_state_clean_up_interval_seconds: KEPT.as_secs(),
        grpc_server_max_decoding_message_size: message,
        grpc_server_max_encoding_message_size: message,
        override_config_producer: Some(Arc::new(|| engine_config(1))),
        override_logical_codec: Some(Arc::new(NoLogicalPlans)),
        override_physical_codec: Some(Arc::new(Receiving::new(opener.clone(), config.lake.clone()))),
        ..EngineConfig::default()
    };
    let failed = |error: ballista_core::error::BallistaError| ClusterError::Engine(error.to_string());
    let cluster = BallistaCluster::new_from_config(&engine).await.map_err(failed)?;
    let jobs = cluster.job_state();
    let inner = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(engine))
        .await
        .map_err(failed)?;
    let taken = Arc::new(Taken::since(config.env.now()));
    let gate = Gate { inner, jobs, taken, opener, running: Arc::default() };
    let timer = tokio::spawn(gate.clone().watch());
    let service = SchedulerGrpcServer::new(gate)
        .max_encoding_message_size(MAX_MESSAGE)
        .max_decoding_message_size(MAX_MESSAGE);
    tracing::info!(address = %config.listen, "the scheduler is up");
    let served = tonic::transport::Server::builder()
        .tls_config(member.server())
        .map_err(|error| ClusterError::Tls(error.to_string()))?
        .tcp_nodelay(true)
        .add_service(service)
        .serve_with_shutdown(config.listen, stop)
        .await;
    timer.abort();
    served.map_err(|error| ClusterError::Engine(super::chain(&error)))
}

/// What stands before the engine.
#[derive(Clone)]
struct Gate {
    inner: SchedulerServer<LogicalPlanNode, PhysicalPlanNode>,
    /// Where the engine keeps what became of each query.
    jobs: Arc<dyn JobState>,
    opener: Opener,
    taken: Arc<Taken>,
    /// The queries that were taken, and until when each may run.
    running: Arc<Mutex<Vec<(JobId, Timestamp)>>>,
}

impl Gate {
    /// Ends what runs longer than its seal allows, as that of a gateway that is gone, and what runs twice.
    async fn watch(self) {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            for job in self.overdue().into_iter().chain(self.repeated().await) {
                if let Err(error) = self.inner.cancel_job(job).await {
                    tracing::warn!(%error, "a query could not be ended");
                }
            }
        }
    }

    fn overdue(&self) -> Vec<JobId> {
        let now = self.opener.clock.now();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let overdue = running.extract_if(.., |(_, expires)| *expires <= now);
        overdue.map(|(job, _)| job).collect()
    }

    /// The queries of which a part was, or is to be, run again.
    async fn repeated(&self) -> Vec<JobId> {
        let mut repeated = Vec::new();
        for (job, cached) in self.inner.state.task_manager.get_running_job_cache().iter() {
            if !ran_once(&**cached.execution_graph.read().await) {
                repeated.push(job.clone());
            }
        }
        repeated
    }

    /// Whether the answer of a query that the engine calls done may be read. Nothing until the engine has put down
    /// how it came about.
    async fn is_answered(&self, job: &JobId) -> Result<Option<bool>, Status> {
        let graph = self.jobs.get_execution_graph(job).await;
        let graph = graph.map_err(|error| Status::internal(error.to_string()))?;
        Ok(graph.map(|graph| is_whole(&*graph)))
    }
}

fn closed() -> Status {
    Status::unimplemented("not offered")
}

fn not_whole() -> FailedJob {
    FailedJob { error: "a part of the query ran twice or was lost".to_owned(), ..FailedJob::default() }
}

type Answers = Pin<Box<dyn Stream<Item = Result<GetJobStatusResult, Status>> + Send>>;

#[async_trait]
impl SchedulerGrpc for Gate {
    type ExecuteQueryPushStream = Answers;

    async fn execute_query(
        &self,
        request: Request<ExecuteQueryParams>,
    ) -> Result<Response<ExecuteQueryResult>, Status> {
        require(&request, &[Role::Gateway])?;
        let (metadata, extensions, params) = request.into_parts();
        let Some(Query::PhysicalPlan(sealed)) = params.query else {
            return Err(Status::permission_denied("only sealed plans are taken"));
        };
        let refused = |error: super::seal::SealError| Status::permission_denied(error.to_string());
        let (ticket, plan) = self.opener.open(Kind::Query, &sealed).map_err(refused)?;
        self.taken.take(&ticket, self.opener.clock.now()).map_err(refused)?;
        // Nothing else of the request counts: neither its settings nor what it calls itself.
        let name = hex::encode(ticket.query);
        let inner = ExecuteQueryParams {
            session_id: name.clone(),
            settings: Vec::new(),
            operation_id: name,
            query: Some(Query::PhysicalPlan(plan.to_vec())),
        };
        let answer = self.inner.execute_query(Request::from_parts(metadata, extensions, inner)).await?;
        if let Some(execute_query_result::Result::Success(success)) = &answer.get_ref().result {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.push((success.job_id.clone().into(), ticket.expires));
        }
        Ok(answer)
    }

    async fn execute_query_push(
        &self,
        request: Request<ExecuteQueryParams>,
    ) -> Result<Response<Answers>, Status> {
        require(&request, &[Role::Gateway])?;
        Err(closed())
    }

    async fn get_job_status(
        &self,
        request: Request<GetJobStatusParams>,
    ) -> Result<Response<GetJobStatusResult>, Status> {
        require(&request, &[Role::Gateway, Role::Executor])?;
        let job = JobId::from(request.get_ref().job_id.clone());
        let mut answer = self.inner.get_job_status(request).await?;
        let status = answer.get_mut().status.as_mut().and_then(|status| status.status.as_mut());
        if let Some(status) = status
            && matches!(status, job_status::Status::Successful(_))
        {
            match self.is_answered(&job).await? {
                Some(true) => {}
                Some(false) => *status = job_status::Status::Failed(not_whole()),
                None => *status = job_status::Status::Running(RunningJob::default()),
            }
        }
        Ok(answer)
    }

    async fn cancel_job(
        &self,
        request: Request<CancelJobParams>,
    ) -> Result<Response<CancelJobResult>, Status> {
        require(&request, &[Role::Gateway])?;
        SchedulerGrpc::cancel_job(&self.inner, request).await
    }

    async fn clean_job_data(
        &self,
        request: Request<CleanJobDataParams>,
    ) -> Result<Response<CleanJobDataResult>, Status> {
        require(&request, &[Role::Gateway])?;
        let job = JobId::from(request.get_ref().job_id.clone());
        self.running.lock().unwrap_or_else(PoisonError::into_inner).retain(|(running, _)| *running != job);
        self.inner.clean_job_data(request).await
    }

    async fn remove_session(
        &self,
        request: Request<RemoveSessionParams>,
    ) -> Result<Response<RemoveSessionResult>, Status> {
        require(&request, &[Role::Gateway])?;
        self.inner.remove_session(request).await
    }

    async fn poll_work(&self, request: Request<PollWorkParams>) -> Result<Response<PollWorkResult>, Status> {
        require(&request, &[Role::Executor])?;
        // The engine would fall over one that does not say who it is.
        let complete = request.get_ref().metadata.as_ref().is_some_and(|about| {
            about.host.is_some() && about.specification.is_some() && about.os_info.is_some()
        });
        if !complete {
            return Err(Status::invalid_argument("an executor says where it is"));
        }
        self.inner.poll_work(request).await
    }

    async fn executor_stopped(
        &self,
        request: Request<ExecutorStoppedParams>,
    ) -> Result<Response<ExecutorStoppedResult>, Status> {
        require(&request, &[Role::Executor])?;
        self.inner.executor_stopped(request).await
    }

    async fn heart_beat_from_executor(
        &self,
        request: Request<HeartBeatParams>,
    ) -> Result<Response<HeartBeatResult>, Status> {
        require(&request, &[Role::Executor])?;
        self.inner.heart_beat_from_executor(request).await
    }

    async fn register_executor(
        &self,
        _request: Request<RegisterExecutorParams>,
    ) -> Result<Response<RegisterExecutorResult>, Status> {
        Err(closed())
    }

    async fn update_task_status(
        &self,
        _request: Request<UpdateTaskStatusParams>,
    ) -> Result<Response<UpdateTaskStatusResult>, Status> {
        Err(closed())
    }

    async fn create_update_session(
        &self,
        _request: Request<CreateUpdateSessionParams>,
    ) -> Result<Response<CreateUpdateSessionResult>, Status> {
        Err(closed())
    }

    async fn get_job_metrics(
        &self,
        _request: Request<GetJobMetricsParams>,
    ) -> Result<Response<GetJobMetricsResult>, Status> {
        Err(closed())
    }
}

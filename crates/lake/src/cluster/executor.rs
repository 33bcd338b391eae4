//! An executor: fetches parts of plans from the scheduler, runs them, and keeps their rows for the next stage.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    GetJobStatusParams, RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport,
    job_status,
};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::flight_service::BallistaFlightService;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use kernel::time::{Clock, Timestamp};
use store::Env;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::codec::{NoLogicalPlans, Receiving};
use super::members::{Member, Role, checking_key, choose_provider, private_folder, require};
use super::seal::Opener;
use super::sealed::sealed_scans;
use super::{ClusterError, KEPT, MAX_MESSAGE, check, engine_config};

/// How often a running task asks whether its query is still wanted.
const ASK: Duration = Duration::from_millis(250);
/// How many times in a row it may get no answer.
const SILENCE: u32 = 20;

/// How an executor runs.
#[derive(Clone)]
pub struct ExecutorConfig {
    /// The folder of its keys.
    pub keys: PathBuf,
    /// The folder of the lake, under the same path as at the gateway.
    pub lake: PathBuf,
    /// Its own work folder, for what passes between stages. It is emptied.
    pub work: PathBuf,
    /// The address that it hands out rows on; others reach it there.
    pub listen: SocketAddr,
    /// The scheduler, as `host:port`.
    pub scheduler: String,
    /// How many tasks run side by side.
    pub tasks: usize,
    /// How much memory all tasks together may take, in bytes.
    pub memory: usize,
    /// Clock and entropy.
    pub env: Env,
}

/// Runs an executor until the process is asked to stop.
pub async fn serve_executor(config: &ExecutorConfig) -> Result<(), ClusterError> {
    choose_provider();
    let member = Member::read(&config.keys)?;
    let opener = Opener { key: checking_key(&config.keys)?, clock: config.env.clock.clone() };
    let work = empty_folder(&config.work)?;
    let (host, port) = config
        .scheduler
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)))
        .ok_or_else(|| ClusterError::Unreachable(format!("`{}` is no host and port", config.scheduler)))?;
    let endpoints = member.endpoints(&config.scheduler);
    let tasks = config.tasks.max(1);
    let session = {
        let endpoints = endpoints.clone();
        move || {
            engine_config(tasks)
                .with_ballista_use_tls(true)
                .with_ballista_override_create_grpc_client_endpoint(endpoints.clone())
        }
    };
    let engine = GuardedEngine {
        inner: DefaultExecutionEngine::new(),
        scheduler: SchedulerGrpcClient::new(member.channel(&config.scheduler, Role::Scheduler)?),
        clock: config.env.clock.clone(),
    };
    let message = u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX);
    let process = ExecutorProcessConfig {
        executor_id: new_id(&config.env),
        bind_host: config.listen.ip().to_string(),
        external_host: Some(config.listen.ip().to_string()),
        port: config.listen.port(),
        // It has no such port; a cancelled query ends because its tasks ask.
        grpc_port: 0,
        scheduler_host: host.to_owned(),
        scheduler_port: port,
        scheduler_connect_timeout_seconds: 30,
        vcores: tasks,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        work_dir: Some(work.display().to_string()),
        job_data_ttl_seconds: KEPT.as_secs(),
        job_data_clean_up_interval_seconds: 60,
        grpc_max_decoding_message_size: message,
        grpc_max_encoding_message_size: message,
        memory_pool_size: Some(config.memory.max(tasks) as u64),
        override_execution_engine: Some(Arc::new(engine)),
        override_function_registry: Some(Arc::new(functions())),
        override_runtime_producer: Some(Arc::new(|_| {
            // As in the gateway: what does not fit into memory is refused.
            let no_spilling = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
            RuntimeEnvBuilder::new().with_disk_manager_builder(no_spilling).build_arc()
        })),
        override_config_producer: Some(Arc::new(session)),
        override_logical_codec: Some(Arc::new(NoLogicalPlans)),
        override_physical_codec: Some(Arc::new(Receiving::new(opener, config.lake.clone()))),
        override_arrow_flight_service: Some(Arc::new(move |work, address, mut stop, _| {
            let member = member.clone();
            tokio::spawn(async move {
                let rows = FlightServiceServer::new(BallistaFlightService::new(work))
                    .max_decoding_message_size(MAX_MESSAGE)
                    .max_encoding_message_size(MAX_MESSAGE);
                let guarded = InterceptedService::new(rows, |request: tonic::Request<()>| {
                    require(&request, &[Role::Gateway, Role::Executor])?;
                    Ok(request)
                });
                tonic::transport::Server::builder()
                    .tls_config(member.server())?
                    .tcp_nodelay(true)
                    .add_service(guarded)
                    .serve_with_shutdown(address, stop.recv())
                    .await
                    .map_err(BallistaError::from)
            })
        })),
        override_create_grpc_client_endpoint: Some(endpoints),
        ..ExecutorProcessConfig::default()
    };
    tracing::info!(address = %config.listen, scheduler = %config.scheduler, "the executor is up");
    start_executor_process(Arc::new(process))
        .await
        .map_err(|error| ClusterError::Engine(super::chain(&error)))
}

/// All that a gateway's plan may call. The engine's own choice lacks those over lists.
fn functions() -> BallistaFunctionRegistry {
    BallistaFunctionRegistry::from(&SessionStateBuilder::new().with_default_features().build())
}

/// A random name in the form of a UUID, of version 4.
fn new_id(env: &Env) -> String {
    let mut bytes = [0; 16];
    env.entropy.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// The work folder with nothing in it: what a process that was killed left behind goes.
fn empty_folder(folder: &std::path::Path) -> Result<PathBuf, ClusterError> {
    private_folder(folder)?;
    let failed = |error: std::io::Error| ClusterError::Folder {
        folder: folder.display().to_string(),
        reason: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(failed)?;
        } else {
            return Err(ClusterError::Folder {
                folder: folder.display().to_string(),
                reason: "it holds files of something else".to_owned(),
            });
        }
    }
    folder.canonicalize().map_err(failed)
}

/// Runs what was checked, as long as it is wanted.
struct GuardedEngine {
    inner: DefaultExecutionEngine,
    scheduler: SchedulerGrpcClient<Channel>,
    clock: Arc<dyn Clock>,
}

impl ExecutionEngine for GuardedEngine {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        check::task(&plan)?;
        let expires = sealed_scans(&plan).iter().map(|scan| scan.expires()).min();
        let job = job_id.to_string();
        let inner = self.inner.create_query_stage_exec(
            job_id,
            stage_id,
            task_id,
            global_output_partition_ids,
            plan,
            work_dir,
            config,
        )?;
        Ok(Arc::new(GuardedStage {
            inner,
            job,
            expires,
            scheduler: self.scheduler.clone(),
            clock: self.clock.clone(),
        }))
    }
}

struct GuardedStage {
    inner: Arc<dyn QueryStageExecutor>,
    job: String,
    /// When the first of the seals of its scans is over.
    expires: Option<Timestamp>,
    scheduler: SchedulerGrpcClient<Channel>,
    clock: Arc<dyn Clock>,
}

impl GuardedStage {
    /// Comes to an end when the query is not wanted any more.
    async fn unwanted(&self) -> DataFusionError {
        let mut scheduler = self.scheduler.clone();
        let mut silent = 0;
        loop {
            tokio::time::sleep(ASK).await;
            if self.expires.is_some_and(|expires| expires <= self.clock.now()) {
                return DataFusionError::Execution("the time of the query is over".to_owned());
            }
            let asked = scheduler.get_job_status(GetJobStatusParams { job_id: self.job.clone() }).await;
            let status = match asked {
                Ok(answer) => answer.into_inner().status.and_then(|status| status.status),
                Err(_) if silent < SILENCE => {
                    silent += 1;
                    continue;
                }
                Err(_) => None,
            };
            silent = 0;
            match status {
                Some(job_status::Status::Queued(_) | job_status::Status::Running(_)) => {}
                _ => return DataFusionError::Execution("the query is not wanted any more".to_owned()),
            }
        }
    }
}

impl fmt::Debug for GuardedStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedStage({:?})", self.inner)
    }
}

impl fmt::Display for GuardedStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl QueryStageExecutor for GuardedStage {
    async fn execute_query_stage(
        &self,
        task_id: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        tokio::select! {
            done = self.inner.execute_query_stage(task_id, context) => done,
            why = self.unwanted() => Err(why),
        }
    }

    /// None: the scheduler would compare them, and drop the rows of a task whose plan was cut to other nodes than
    /// that of the task before. Besides, they count rows.
    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        Vec::new()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.inner.collect_column_stats()
    }
}

//! Who gets nothing from a cluster: strangers, members of the wrong role, plans without the seal, plans again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ballista::prelude::SessionContextExt;
use ballista_core::client::BallistaClient;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::{BallistaConfigGrpcEndpoint, EndpointOverrideFn, SessionConfigExt};
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::scheduler_grpc_server::{SchedulerGrpc, SchedulerGrpcServer};
use ballista_core::serde::protobuf::*;
use ballista_core::serde::scheduler::{PartitionId as Partition, ShuffleLayout};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig as EngineConfig;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use datafusion_proto::physical_plan::{AsExecutionPlan, DefaultPhysicalExtensionCodec};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use lake::cluster::{Cluster, GatewayConfig, create_keys};
use lake::{Lake, Limits};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

use crate::common::{SECRETS, asker, number, world};
use crate::members::{Members, env};

fn pem(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn identity(keys: &Path) -> Identity {
    Identity::from_pem(pem(keys, "certificate.pem"), pem(keys, "key.pem"))
}

/// An endpoint as a member with these keys opens it.
fn endpoint(keys: &Path, address: &str, role: &str) -> Endpoint {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(pem(keys, "authority.pem")))
        .identity(identity(keys))
        .domain_name(format!("{role}.cluster.yiwang.internal"));
    Endpoint::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap()
}

async fn scheduler(members: &Members, keys: &Path) -> SchedulerGrpcClient<Channel> {
    SchedulerGrpcClient::new(endpoint(keys, &members.scheduler, "scheduler").connect_lazy())
}

/// The raw files of a table.
fn raw(test: &store::test::TestStore) -> PathBuf {
    test.config.data_dir.join("lake/persons")
}

/// What the engine's own client gets that makes a table of the raw folder and asks for its rows.
async fn foreign_client(members: &Members, raw: &Path, keys: Option<PathBuf>) -> Result<usize, String> {
    let mut config = SessionConfig::new_with_ballista();
    if let Some(keys) = keys {
        let address = members.scheduler.clone();
        let over: EndpointOverrideFn = Arc::new(move |_| Ok(endpoint(&keys, &address, "scheduler")));
        config = config.with_ballista_use_tls(true).with_ballista_override_create_grpc_client_endpoint(over);
    }
    let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    let context = SessionContext::remote_with_state(&format!("df://{}", members.scheduler), state)
        .await
        .map_err(|error| error.to_string())?;
    let table = format!("CREATE EXTERNAL TABLE raw STORED AS PARQUET LOCATION '{}'", raw.display());
    context.sql(&table).await.map_err(|error| error.to_string())?;
    let asked = context.sql("SELECT name FROM raw").await.map_err(|error| error.to_string())?;
    let batches = tokio::time::timeout(Duration::from_secs(20), asked.collect())
        .await
        .map_err(|_| "no answer".to_owned())?
        .map_err(|error| error.to_string())?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_client_gets_nothing() {
    let (test, lake, _) = world(&SECRETS).await;
    let members = Members::start(&test.config.data_dir.join("lake")).await;
    let raw = raw(&test);
    // In clear, and under the certificates of another cluster.
    let refused = foreign_client(&members, &raw, None).await.unwrap_err();
    assert!(!refused.contains("SECRET"), "{refused}");
    let elsewhere = tempfile::tempdir().unwrap();
    create_keys(&elsewhere.path().join("keys"), crypto::suite::Suite::Intl, &env()).unwrap();
    let stranger = elsewhere.path().join("keys/gateway");
    assert!(foreign_client(&members, &raw, Some(stranger)).await.is_err());
    // As an executor, and as a gateway without the key that seals.
    let refused = foreign_client(&members, &raw, Some(members.keys("executor"))).await.unwrap_err();
    assert!(refused.contains("not open to this member"), "{refused}");
    let refused = foreign_client(&members, &raw, Some(members.keys("gateway"))).await.unwrap_err();
    assert!(refused.contains("not offered") || refused.contains("only sealed plans"), "{refused}");
    // The rows between stages are as closed as the scheduler.
    let (host, port) = members.executors[0].split_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let any = Partition::new(&"job".into(), 1, 0);
    let fetch = async |keys: Option<PathBuf>| {
        let address = members.executors[0].clone();
        let over = keys.map(|keys| {
            let over: EndpointOverrideFn = Arc::new(move |_| Ok(endpoint(&keys, &address, "executor")));
            Arc::new(BallistaConfigGrpcEndpoint::new(over))
        });
        let tls = over.is_some();
        let mut client = BallistaClient::try_new(host, port, 1 << 20, tls, over, 1, 10, 0, 0)
            .await
            .map_err(|e| e.to_string())?;
        let fetched = client.fetch_partition("one", &any, None, ShuffleLayout::Passthrough, true).await;
        fetched.map(|_| ()).map_err(|error| error.to_string())
    };
    fetch(None).await.unwrap_err();
    fetch(Some(elsewhere.path().join("keys/gateway"))).await.unwrap_err();
    let refused = fetch(Some(members.keys("scheduler"))).await.unwrap_err();
    assert!(refused.contains("not open to this member"), "{refused}");
    let missing = fetch(Some(members.keys("gateway"))).await.unwrap_err();
    assert!(!missing.contains("not open"), "it is let in and there is no such job: {missing}");
    // And the gateway itself is answered.
    let session = asker(&lake.with_cluster(members.connect().await)).await;
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
}

/// A physical plan that reads the raw files.
async fn raw_plan(raw: &Path) -> Arc<dyn datafusion::physical_plan::ExecutionPlan> {
    let context = SessionContext::new();
    let table = context.read_parquet(raw.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    table.create_physical_plan().await.unwrap()
}

fn asked(plan: Vec<u8>) -> Request<ExecuteQueryParams> {
    let mut request = Request::new(ExecuteQueryParams {
        session_id: "foreign".to_owned(),
        settings: Vec::new(),
        operation_id: "foreign".to_owned(),
        query: Some(Query::PhysicalPlan(plan)),
    });
    ballista_core::version::insert_version_header(request.metadata_mut());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_ones_own_is_not_taken() {
    let (test, lake, _) = world(&SECRETS).await;
    let members = Members::start(&test.config.data_dir.join("lake")).await;
    let codec = DefaultPhysicalExtensionCodec {};
    let plan = PhysicalPlanNode::try_from_physical_plan(raw_plan(&raw(&test)).await, &codec).unwrap();
    let mut bytes = Vec::new();
    plan.try_encode(&mut bytes).unwrap();
    let refused = scheduler(&members, &members.keys("gateway")).await.execute_query(asked(bytes)).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    // Sealed, with a key of one's own.
    let mixed = tempfile::tempdir().unwrap();
    create_keys(&mixed.path().join("keys"), crypto::suite::Suite::Intl, &env()).unwrap();
    let keys = mixed.path().join("keys/gateway");
    for file in ["authority.pem", "certificate.pem", "key.pem"] {
        std::fs::copy(members.keys("gateway").join(file), keys.join(file)).unwrap();
    }
    let cluster = Cluster::connect(&GatewayConfig { keys, ..members.gateway() }).await.unwrap();
    let session = asker(&lake.with_cluster(cluster.clone())).await;
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
    assert_eq!(cluster.sent(), 0, "it ran in the gateway");
}

/// A scheduler that takes what it is sent, keeps it and answers nothing.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<Vec<Vec<u8>>>>);

macro_rules! silent {
    ($($name:ident($asked:ty) -> $answer:ty;)*) => {
        #[async_trait]
        impl SchedulerGrpc for Listening {
            type ExecuteQueryPushStream = futures_util::stream::Pending<Result<GetJobStatusResult, Status>>;

            async fn execute_query(
                &self,
                request: Request<ExecuteQueryParams>,
            ) -> Result<Response<ExecuteQueryResult>, Status> {
                if let Some(Query::PhysicalPlan(plan)) = request.into_inner().query {
                    self.0.lock().unwrap().push(plan);
                }
                Err(Status::unavailable("kept"))
            }

            async fn get_job_status(
                &self,
                _request: Request<GetJobStatusParams>,
            ) -> Result<Response<GetJobStatusResult>, Status> {
                Ok(Response::new(GetJobStatusResult::default()))
            }

            async fn execute_query_push(
                &self,
                _request: Request<ExecuteQueryParams>,
            ) -> Result<Response<Self::ExecuteQueryPushStream>, Status> {
                Err(Status::unimplemented(""))
            }

            $(async fn $name(&self, _request: Request<$asked>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented(""))
            })*
        }
    };
}

silent! {
    poll_work(PollWorkParams) -> PollWorkResult;
    register_executor(RegisterExecutorParams) -> RegisterExecutorResult;
    heart_beat_from_executor(HeartBeatParams) -> HeartBeatResult;
    update_task_status(UpdateTaskStatusParams) -> UpdateTaskStatusResult;
    create_update_session(CreateUpdateSessionParams) -> CreateUpdateSessionResult;
    remove_session(RemoveSessionParams) -> RemoveSessionResult;
    get_job_metrics(GetJobMetricsParams) -> GetJobMetricsResult;
    executor_stopped(ExecutorStoppedParams) -> ExecutorStoppedResult;
    cancel_job(CancelJobParams) -> CancelJobResult;
    clean_job_data(CleanJobDataParams) -> CleanJobDataResult;
}

fn server(keys: &Path) -> Server {
    // Two libraries are linked, so one has to be chosen; it may have been.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    let tls = ServerTlsConfig::new()
        .identity(identity(keys))
        .client_ca_root(Certificate::from_pem(pem(keys, "authority.pem")));
    Server::builder().tls_config(tls).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_overheard_is_worth_nothing_a_second_time_or_later() {
    let (test, _lake, _) = world(&SECRETS).await;
    let members = Members::start(&test.config.data_dir.join("lake")).await;
    // The gateway is led to one who keeps what it sends.
    let listening = Listening::default();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = SchedulerGrpcServer::new(listening.clone()).max_decoding_message_size(64 << 20);
    let served = server(&members.keys("scheduler")).add_service(service).serve(port);
    let served = tokio::spawn(served);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let limits = Limits { time: Duration::from_secs(10), ..Limits::default() };
    let led = GatewayConfig { scheduler: port.to_string(), ..members.gateway() };
    let lake = Lake::open(test.store.clone(), limits).unwrap();
    let session = asker(&lake.with_cluster(Cluster::connect(&led).await.unwrap())).await;
    for _ in 0..2 {
        assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500, "it ran in the gateway");
    }
    served.abort();
    let kept = listening.0.lock().unwrap().clone();
    assert_eq!(kept.len(), 2);

    let gateway = members.keys("gateway");
    let mut real = scheduler(&members, &gateway).await;
    // Changed in a byte of the plan.
    let mut changed = kept[0].clone();
    *changed.last_mut().unwrap() ^= 1;
    let refused = real.execute_query(asked(changed)).await.unwrap_err();
    assert!(refused.message().contains("broken"), "{refused}");
    // By one who may not ask.
    let mut executor = scheduler(&members, &members.keys("executor")).await;
    let refused = executor.execute_query(asked(kept[0].clone())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    // As it was, once; then not again.
    real.execute_query(asked(kept[0].clone())).await.unwrap();
    let refused = real.execute_query(asked(kept[0].clone())).await.unwrap_err();
    assert!(refused.message().contains("sent before"), "{refused}");
    // The other one was never sent, and its time passes.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let refused = real.execute_query(asked(kept[1].clone())).await.unwrap_err();
    assert!(refused.message().contains("another time"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_runs_no_raw_scan_whoever_the_scheduler_is() {
    let (test, _lake, _) = world(&SECRETS).await;
    let members = Members::executor_alone(&test.config.data_dir.join("lake"));
    // The engine as it comes, with the certificate of the scheduler: one that was taken over.
    let config =
        EngineConfig { scheduling_policy: TaskSchedulingPolicy::PullStaged, ..EngineConfig::default() };
    let cluster = BallistaCluster::new_from_config(&config).await.unwrap();
    let taken_over = ballista_scheduler::scheduler_process::create_scheduler::<
        LogicalPlanNode,
        PhysicalPlanNode,
    >(cluster, Arc::new(config))
    .await
    .unwrap();
    let service = SchedulerGrpcServer::new(taken_over.clone()).max_decoding_message_size(64 << 20);
    let address = members.scheduler.parse().unwrap();
    let served = tokio::spawn(server(&members.keys("scheduler")).add_service(service).serve(address));
    let context = Arc::new(SessionContext::new_with_config(SessionConfig::new_with_ballista()));
    let plan = raw_plan(&raw(&test)).await;
    let job = taken_over.submit_physical_plan("raw", context, plan, None).await.unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let error = loop {
        assert!(std::time::Instant::now() < until, "the executor does nothing");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let request = Request::new(GetJobStatusParams { job_id: job.to_string() });
        let status = taken_over.get_job_status(request).await.unwrap().into_inner().status;
        match status.and_then(|status| status.status) {
            Some(job_status::Status::Failed(failed)) => break failed.error,
            Some(job_status::Status::Successful(_)) => panic!("the raw files were read"),
            _ => {}
        }
    };
    assert!(error.contains("not part of a governed plan"), "{error}");
    served.abort();
}

//! Puts a node together: root key, ledger, packs, renderer, the app.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use crypto::root::RootKey;
use kernel::entropy::OsEntropy;
use kernel::time::SystemClock;
use lake::cluster::{Cluster, GatewayConfig};
use lake::loading::Addresses;
use lake::{Lake, Limits};
use packs::Pack;
use store::{Env, Faults, Migration, Store};
use web::render::Renderer;
use web::{App, NodeInfo, PageCache, Parts};

use crate::config::{ClusterPlace, Config};
use crate::router;

/// Every migration, in the order of the crates' edges.
pub fn migrations() -> Vec<Migration> {
    [
        identity::MIGRATIONS,
        lake::MIGRATIONS,
        grants::MIGRATIONS,
        cases::MIGRATIONS,
        licences::MIGRATIONS,
        sharing::MIGRATIONS,
        services::MIGRATIONS,
    ]
    .concat()
}

/// The outside world as it is.
pub fn real_env(faults: Faults) -> Env {
    Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults }
}

/// Opens the ledger of a configuration.
pub async fn open_store(config: &Config, env: Env) -> anyhow::Result<Store> {
    let root = root_key(&config.root_key, &env)?;
    let pack_division = load_pack(&config.packs)?.node().division.to_string();
    let place = store::Config {
        url: config.ledger.clone(),
        data_dir: config.data.clone(),
        issuer: Some(format!("urn:yiwang:node:{pack_division}")),
    };
    Store::open(&place, env, root, &migrations()).await.context("the ledger cannot be opened")
}

/// Opens a ledger that must be there already: what verifies or saves one never makes one.
pub async fn open_existing(config: &Config, env: Env) -> anyhow::Result<Store> {
    let root = read_root_key(&config.root_key)?
        .with_context(|| format!("there is no root key in `{}`", config.root_key.display()))?;
    // The keys are there, so nobody asks whom new ones would belong to.
    let place = store::Config { url: config.ledger.clone(), data_dir: config.data.clone(), issuer: None };
    Store::open(&place, env, root, &migrations()).await.context("the ledger cannot be opened")
}

/// Reads every content file, or says everything that is wrong with them.
pub fn load_pack(folder: &Path) -> anyhow::Result<Pack> {
    anyhow::ensure!(folder.is_dir(), "`{}` is no folder of content files", folder.display());
    Pack::load(folder).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the content files in `{}` are refused:\n{}", folder.display(), lines.join("\n"))
    })
}

/// Opens the node: ledger, packs, pages. Publishes the packs' items and organisations.
pub async fn open(config: &Config, env: Env, demo: bool) -> anyhow::Result<App> {
    let pack = Arc::new(load_pack(&config.packs)?);
    let store = open_store(config, env).await?;
    let node = pack.node();
    let info = NodeInfo {
        division: node.division.to_string(),
        name_zh: node.name.zh.clone(),
        name_en: node.name.en.clone(),
        base_url: config.base_url.clone(),
        demo,
        secure_cookies: config.secure_cookies,
    };
    let lake = open_lake(&store)?;
    let lake = match &config.cluster {
        Some(place) => lake.with_cluster(open_cluster(place, store.env().clone()).await?),
        None => lake,
    };
    let addresses = Addresses::allow(config.load_hosts.iter().map(String::as_str));
    app_with(store, sharing::State::new(lake).with_load_addresses(addresses), pack, info).await
}

fn open_lake(store: &Store) -> anyhow::Result<Lake> {
    Lake::open(store.clone(), Limits::default()).context("the lake cannot be opened")
}

/// The cluster of a configuration. One that does not answer yet is no mistake: until it does, queries run here.
async fn open_cluster(place: &ClusterPlace, env: Env) -> anyhow::Result<Cluster> {
    let gateway = GatewayConfig {
        keys: place.keys.clone(),
        scheduler: place.scheduler.clone(),
        partitions: place.partitions,
        env,
    };
    let cluster = Cluster::open(&gateway).context("the keys of the cluster cannot be used")?;
    match cluster.reach().await {
        Ok(()) => tracing::info!(scheduler = %place.scheduler, "governed queries run on the cluster"),
        Err(error) => {
            tracing::warn!(%error, scheduler = %place.scheduler, "queries run here until it answers")
        }
    }
    Ok(cluster)
}

/// The app of an open ledger; tests begin here too.
pub async fn app(store: Store, pack: Arc<Pack>, node: NodeInfo) -> anyhow::Result<App> {
    let doors = sharing::State::new(open_lake(&store)?);
    app_with(store, doors, pack, node).await
}

async fn app_with(
    store: Store,
    doors: sharing::State,
    pack: Arc<Pack>,
    node: NodeInfo,
) -> anyhow::Result<App> {
    let assets = Arc::new(web::assets::Assets::embedded()?);
    let renderer = Renderer::builder(assets)
        .add_area::<identity::Templates, identity::Locales>("identity")
        .add_area::<cases::Templates, cases::Locales>("cases")
        .add_area::<licences::Templates, licences::Locales>("licences")
        .add_area::<services::Templates, services::Locales>("services")
        .add_area::<sharing::Templates, sharing::Locales>("sharing")
        .add_area::<router::Templates, router::Locales>("server")
        .build()
        .context("a page or a text is not readable")?;
    let mut extensions = http::Extensions::new();
    extensions.insert(doors);
    let app = App::new(Parts {
        store,
        pack,
        renderer,
        node,
        nav: router::nav(),
        authenticate: Box::new(identity::sessions::Sessions),
        pages: PageCache::default(),
        extensions,
    });
    let tx = app.store.begin().await?;
    identity::orgs::seed(&tx, &app.pack).await?;
    services::publish(&tx, &app.pack).await?;
    tx.commit().await?;
    let procedures: Vec<_> = app.pack.procedures().collect();
    cases::keep_procedures(&app.store, &procedures).await?;
    Ok(app)
}

/// Reads the root key, or makes one that only its owner may read.
fn root_key(path: &Path, env: &Env) -> anyhow::Result<RootKey> {
    match read_root_key(path)? {
        Some(key) => Ok(key),
        None => {
            let key = RootKey::generate(&*env.entropy);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("`{}` cannot be made", folder.display()))?;
            }
            write_secret(path, &key.to_hex())
                .with_context(|| format!("`{}` cannot be written", path.display()))?;
            Ok(key)
        }
    }
}

fn read_root_key(path: &Path) -> anyhow::Result<Option<RootKey>> {
    match std::fs::read_to_string(path) {
        Ok(text) => RootKey::from_hex(text.trim())
            .map(Some)
            .with_context(|| format!("`{}` does not hold a root key", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
    }
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// Where the node leaves what anybody needs to verify offline.
pub const PUBLIC_FOLDER: &str = "public";

/// The trust list and the status list in the data folder, for `yiwang verify`: what was written last.
#[derive(Default)]
pub struct PublicFiles(BTreeMap<&'static str, Vec<u8>>);

impl PublicFiles {
    /// Writes what changed, each file as a whole.
    pub async fn bring_up_to_date(&mut self, app: &App) -> anyhow::Result<()> {
        let folder = app.store.data_dir().join(PUBLIC_FOLDER);
        let trust = serde_json::to_vec_pretty(&app.store.keys().trust_list())?;
        let status = licences::status::document(app).await?;
        for (name, bytes) in [("yiwang-trust.json", trust), ("yiwang-status.json", status)] {
            if self.0.get(name) == Some(&bytes) {
                continue;
            }
            std::fs::create_dir_all(&folder)?;
            let draft = folder.join(format!("{name}.part"));
            std::fs::write(&draft, &bytes)?;
            std::fs::rename(&draft, folder.join(name))?;
            self.0.insert(name, bytes);
        }
        Ok(())
    }
}

//! `yiwang demo`: a node with made-up people, ready to be walked through.

use std::io::Write;
use std::net::SocketAddr;

use sharing::wire::Door;
use store::Faults;
use web::App;

use super::serve;
use crate::config::Config;
use crate::node;

/// Opens the node, makes its people on the first start, prints where to go, and serves.
pub(super) async fn demo(config: &Config, stand_still_at: Option<&str>) -> anyhow::Result<bool> {
    serve::log_to_stderr();
    let faults = stand_still_at.map_or_else(Faults::default, Faults::at);
    let listener = serve::listen(config).await?;
    let app = node::open(config, node::real_env(faults), true).await?;
    let personas = identity::demo::seed(&app).await?;
    services::demo::seed(&app).await?;
    sharing::seed::seed(&app, sharing::demo::Scale::default()).await?;
    let door = demo_door(&app, config, listener.local_addr()?).await;
    let mut out = std::io::stdout().lock();
    let node = &app.node;
    writeln!(out, "\n{}  {}\n", node.name_zh, node.name_en)?;
    writeln!(out, "  {}\n", config.base_url)?;
    writeln!(out, "演示人物，全部为合成数据 · People of the demonstration, all made up")?;
    writeln!(out, "  口令 password: {}", identity::demo::PASSWORD)?;
    writeln!(out, "  * 另需动态口令，登录页会显示 · a code as well, shown on the sign-in page\n")?;
    for persona in &personas {
        let mark = if persona.totp { '*' } else { ' ' };
        writeln!(out, "  {:<17}{mark} {}", persona.login, persona.what_to_try.zh)?;
        writeln!(out, "  {:<17}  {}", "", persona.what_to_try.en)?;
    }
    if let Some(door) = &door {
        writeln!(out, "\n  psql：端口 {0} · port {0}（密钥见“数据”页 · keys on the page 数据）", door.address().port())?;
    }
    writeln!(out, "\n先试：打开首页，搜索“开个小店”。 First: open the page and search for 开个小店.\n")?;
    drop(out);
    serve::run(app, listener, door).await
}

/// The PostgreSQL door: where it is configured, or else at the port after the pages'. A demonstration goes on without
/// it if that is taken.
async fn demo_door(app: &App, config: &Config, pages: SocketAddr) -> Option<Door> {
    let beside = SocketAddr::new(pages.ip(), pages.port().checked_add(1)?);
    let address = config.sql_listen.or_else(|| pages.ip().is_loopback().then_some(beside))?;
    match serve::sql_door(app, config, address).await {
        Ok(door) => Some(door),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the PostgreSQL door stays closed");
            None
        }
    }
}

//! Builds the style sheets and scripts of the pages from the pinned npm packages.
//!
//! Sass and esbuild come from `node_modules` (`npm ci`); nothing is downloaded here. Each result gets a
//! name with a hash of its bytes and a compressed twin; `manifest.json` lists them with the versions of
//! the packages that went in, so that a test can hold the binary against `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// The packages whose code ends up in the pages.
const PACKAGES: [&str; 14] = [
    "@codemirror/autocomplete",
    "@codemirror/commands",
    "@codemirror/lang-sql",
    "@codemirror/language",
    "@codemirror/state",
    "@codemirror/view",
    "@lezer/highlight",
    "@ministryofjustice/frontend",
    "echarts",
    "esbuild",
    "govuk-frontend",
    "htmx.org",
    "qrcode-generator",
    "sass",
];
const STYLES: [&str; 2] = ["public", "staff"];
const SCRIPTS: [&str; 5] = ["public", "staff", "present", "console", "chart"];
/// Words that only the upstream's own branding would bring in.
const UNWANTED: [&str; 4] = ["GDS Transport", "govuk-crest", "fonts/light-", "fonts/bold-"];

/// Builds everything under `crates/web/assets/dist`.
pub(crate) fn build() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies inside the repository")?;
    let source = root.join("crates/web/assets");
    let work = source.join("dist.new");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;

    let mut built = Vec::new();
    for name in STYLES {
        let target = work.join(format!("{name}.css"));
        style(root, &source.join(format!("scss/{name}.scss")), &target)?;
        built.push(target);
    }
    for name in SCRIPTS {
        let target = work.join(format!("{name}.js"));
        script(root, &source.join(format!("js/{name}.js")), &target)?;
        built.push(target);
    }
    for entry in fs::read_dir(source.join("img"))? {
        let path = entry?.path();
        let target = work.join(path.file_name().context("a picture has a name")?);
        fs::copy(&path, &target)?;
        built.push(target);
    }

    let mut files = BTreeMap::new();
    for path in built {
        let (name, hashed) = seal(&path)?;
        files.insert(name, hashed);
    }
    let manifest = serde_json::json!({ "packages": packages(root)?, "files": files });
    fs::write(work.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;

    let dist = source.join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(&work, &dist)?;
    Ok(())
}

fn style(root: &Path, source: &Path, target: &Path) -> anyhow::Result<()> {
    let mut sass = tool(root, "sass")?;
    sass.args(["--style=compressed", "--no-source-map", "--no-charset"]);
    sass.args(["--load-path=.", "--load-path=node_modules", "--quiet-deps"]);
    run(sass.arg(source).arg(target))?;
    let text = fs::read_to_string(target)?;
    for word in UNWANTED {
        ensure!(!text.contains(word), "{} brings in `{word}`", source.display());
    }
    Ok(())
}

fn script(root: &Path, source: &Path, target: &Path) -> anyhow::Result<()> {
    let mut esbuild = tool(root, "esbuild")?;
    esbuild.arg(source).arg(format!("--outfile={}", target.display()));
    run(esbuild.args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2020",
        "--legal-comments=none",
        "--log-level=warning",
    ]))
}

/// Renames a file after its bytes, writes its compressed twin, and returns its plain and hashed names.
fn seal(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.file_name().and_then(|name| name.to_str()).context("a file's name is text")?.to_owned();
    let (stem, extension) = name.rsplit_once('.').context("a file's name has an ending")?;
    let bytes = fs::read(path)?;
    let hash: String = hex::encode(Sha256::digest(&bytes)).chars().take(16).collect();
    let hashed = format!("{stem}-{hash}.{extension}");
    if matches!(extension, "css" | "js" | "svg") {
        // Without a time stamp the same bytes always give the same file.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        fs::write(path.with_file_name(format!("{hashed}.gz")), gzip.finish()?)?;
    }
    fs::rename(path, path.with_file_name(&hashed))?;
    Ok((name, hashed))
}

fn packages(root: &Path) -> anyhow::Result<BTreeMap<&'static str, String>> {
    PACKAGES
        .into_iter()
        .map(|name| {
            let path = root.join("node_modules").join(name).join("package.json");
            let text = fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
            let package: serde_json::Value = serde_json::from_str(&text)?;
            let version = package.get("version").and_then(|version| version.as_str());
            Ok((name, version.with_context(|| format!("{name} has no version"))?.to_owned()))
        })
        .collect()
}

fn tool(root: &Path, name: &str) -> anyhow::Result<Command> {
    let path: PathBuf = root.join("node_modules/.bin").join(name);
    if !path.exists() {
        bail!("{} is missing: run `make setup` first", path.display());
    }
    let mut command = Command::new(path);
    command.current_dir(root);
    Ok(command)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

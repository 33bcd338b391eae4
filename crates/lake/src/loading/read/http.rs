//! A file from a web server: downloaded whole, within limits, from a host that the operator named.

use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use url::Url;

use crate::loading::error::LoadError;
use crate::loading::source::Addresses;

/// The most redirects that are followed, on one host.
const REDIRECTS: usize = 5;

/// A file that was downloaded. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Download {
    path: PathBuf,
}

impl Download {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "a downloaded file could not be removed");
        }
    }
}

/// Downloads into a new file in `folder`, which only this node may read.
pub(crate) async fn download(url: &Url, addresses: &Addresses, folder: &Path) -> Result<Download, LoadError> {
    addresses.check(url)?;
    let limits = addresses.limits();
    let origin = url.origin();
    let same_host = reqwest::redirect::Policy::custom(move |attempt| {
        if attempt.url().origin() != origin || attempt.previous().len() > REDIRECTS {
            attempt.stop()
        } else {
            attempt.follow()
        }
    });
    let client = reqwest::Client::builder()
        .redirect(same_host)
        .timeout(limits.time)
        .connect_timeout(std::time::Duration::from_secs(20))
        // The addresses of the operator are reached as they are named, whatever the environment says.
        .no_proxy()
        .build()
        .map_err(LoadError::Http)?;
    let response = client.get(url.clone()).send().await.map_err(LoadError::Http)?;
    if response.status().is_redirection() {
        let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
        return Err(LoadError::NotAllowed(to.chars().take(200).collect()));
    }
    let response = response.error_for_status().map_err(|error| LoadError::Http(error.without_url()))?;
    let too_large = || LoadError::TooLarge(format!("more than {} bytes", limits.bytes));
    if response.content_length().is_some_and(|length| length > limits.bytes) {
        return Err(too_large());
    }
    std::fs::create_dir_all(folder)?;
    let mut name = [0; 16];
    kernel::entropy::Entropy::fill(&kernel::entropy::OsEntropy, &mut name);
    let path = folder.join(format!("{}.download", hex::encode(name)));
    let mut file = private(&path)?;
    let download = Download { path };
    let mut body = response.bytes_stream();
    let mut sum = 0_u64;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(LoadError::Http)?;
        sum += bytes.len() as u64;
        if sum > limits.bytes {
            return Err(too_large());
        }
        file.write_all(&bytes)?;
    }
    file.flush()?;
    Ok(download)
}

fn private(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)
}

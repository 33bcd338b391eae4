//! Style sheets, scripts and pictures: built by `cargo xtask assets`, carried inside the binary.
//!
//! Every file's name holds a hash of its bytes, so that a browser may keep it for ever; a page names
//! it through the template function `asset("public.css")`. Text is stored compressed beside the plain
//! bytes and sent to whoever accepts it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::RustEmbed;

/// Where the files are served.
pub const PREFIX: &str = "/assets/";

#[derive(RustEmbed)]
#[folder = "assets/dist"]
struct Dist;

/// Why the assets inside this binary cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// The list of files is not there.
    #[error("the assets hold no `manifest.json`; run `make setup` and build again")]
    NoManifest,
    /// The list of files cannot be read.
    #[error("the assets' `manifest.json` cannot be read")]
    BadManifest(#[source] serde_json::Error),
    /// The list names a file that is not there.
    #[error("the assets lack `{0}`; run `make setup` and build again")]
    MissingFile(String),
}

/// What `cargo xtask assets` wrote about its work.
#[derive(serde::Deserialize)]
struct Manifest {
    /// Versions of the packages that the files were built from.
    packages: BTreeMap<String, String>,
    /// Plain name to hashed name.
    files: BTreeMap<String, String>,
}

/// One file, ready to be sent.
struct Asset {
    content_type: &'static str,
    etag: HeaderValue,
    plain: Cow<'static, [u8]>,
    gzip: Option<Cow<'static, [u8]>>,
}

/// The files of the pages, by their plain and by their hashed names.
pub struct Assets {
    packages: BTreeMap<String, String>,
    urls: BTreeMap<String, String>,
    files: BTreeMap<String, Asset>,
}

impl Assets {
    /// The files inside this binary.
    pub fn embedded() -> Result<Self, AssetsError> {
        let manifest = Dist::get("manifest.json").ok_or(AssetsError::NoManifest)?;
        let manifest: Manifest = serde_json::from_slice(&manifest.data).map_err(AssetsError::BadManifest)?;
        let mut urls = BTreeMap::new();
        let mut files = BTreeMap::new();
        for (name, hashed) in manifest.files {
            let plain = Dist::get(&hashed).ok_or_else(|| AssetsError::MissingFile(hashed.clone()))?.data;
            let gzip = Dist::get(&format!("{hashed}.gz")).map(|file| file.data);
            let etag = HeaderValue::from_str(&format!("\"{hashed}\""))
                .map_err(|_| AssetsError::MissingFile(hashed.clone()))?;
            urls.insert(name, format!("{PREFIX}{hashed}"));
            files.insert(hashed.clone(), Asset { content_type: content_type(&hashed), etag, plain, gzip });
        }
        Ok(Self { packages: manifest.packages, urls, files })
    }

    /// The address of a file by its plain name, such as `public.css`.
    pub fn url(&self, name: &str) -> Option<&str> {
        self.urls.get(name).map(String::as_str)
    }

    /// The versions of the packages that the files were built from.
    pub fn packages(&self) -> &BTreeMap<String, String> {
        &self.packages
    }

    /// Every plain name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.urls.keys().map(String::as_str)
    }

    /// The answer to a request for a hashed name.
    pub fn response(&self, file: &str, request: &HeaderMap) -> Response {
        let Some(asset) = self.files.get(file) else { return StatusCode::NOT_FOUND.into_response() };
        let known = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == asset.etag.as_bytes());
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else if let Some(gzip) = asset.gzip.as_ref().filter(|_| accepts_gzip(request)) {
            let mut response = Body::from(bytes(gzip)).into_response();
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        } else {
            Body::from(bytes(&asset.plain)).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, asset.etag.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// The route of the files, for any state.
pub fn router<S: Clone + Send + Sync + 'static>(assets: Arc<Assets>) -> Router<S> {
    let serve = move |Path(file): Path<String>, headers: HeaderMap| {
        let response = assets.response(&file, &headers);
        async move { response }
    };
    Router::new().route("/assets/{file}", get(serve))
}

/// In a release build the bytes live in the binary and are not copied.
#[expect(clippy::ptr_arg, reason = "borrowed for ever and owned are told apart")]
fn bytes(data: &Cow<'static, [u8]>) -> axum::body::Bytes {
    match data {
        Cow::Borrowed(data) => axum::body::Bytes::from_static(data),
        Cow::Owned(data) => axum::body::Bytes::copy_from_slice(data),
    }
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = matches!(parts.next(), Some("gzip" | "*"));
            named && !parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
        })
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "map") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_style_sheet_is_kept_for_ever_and_sent_compressed_to_whoever_accepts_it() {
        let assets = Assets::embedded().unwrap();
        let file = assets.url("public.css").unwrap().strip_prefix(PREFIX).unwrap().to_owned();
        let packed = assets.response(&file, &headers(&[(ACCEPT_ENCODING, "br, gzip;q=0.8")]));
        assert_eq!(packed.status(), StatusCode::OK);
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(packed.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(packed.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(packed.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let plain = assets.response(&file, &headers(&[(ACCEPT_ENCODING, "gzip;q=0")]));
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let assets = Assets::embedded().unwrap();
        let file = assets.url("public.js").unwrap().strip_prefix(PREFIX).unwrap().to_owned();
        let again = assets.response(&file, &headers(&[(IF_NONE_MATCH, &format!("\"x\", W/\"{file}\""))]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn only_listed_names_are_served() {
        let assets = Assets::embedded().unwrap();
        for name in ["manifest.json", "public.css", "../Cargo.toml", ""] {
            assert_eq!(assets.response(name, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}

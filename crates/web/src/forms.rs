//! What a browser or a program sends: bounded, and with errors that name the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt;

use crate::i18n::{Arg, key};
use crate::shell::Resolved;
use crate::{App, Problem};

/// The hidden field that proves that a form came from our page.
pub const CSRF_FIELD: &str = "_csrf";

/// The most that one upload may be, in bytes. The guide promises it to citizens.
pub const MAX_UPLOAD: usize = 20 * 1024 * 1024;

/// What is wrong with one field: a message key and its values.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// The field's name, which is also its anchor on the page.
    pub field: String,
    /// The key of the message.
    pub key: String,
    /// Values for the message.
    pub args: Vec<(&'static str, Arg)>,
}

impl FieldError {
    /// An error of `field` with the message `key`.
    pub fn new(field: impl Into<String>, key: impl Into<String>) -> Self {
        Self { field: field.into(), key: key.into(), args: Vec::new() }
    }

    /// Adds a value for the message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

/// The fields of a posted form, in order; the CSRF token was checked and is gone.
#[derive(Clone, Debug, Default)]
pub struct Posted(Vec<(String, String)>);

impl Posted {
    /// The first value of `name`, trimmed; empty when it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of `name`, as checkboxes send them.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim()).collect()
    }

    /// Whether `name` was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Every field that was sent.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Takes a field of a form with files. True if it was the CSRF token, and the right one.
    fn take(&mut self, resolved: &Resolved, field: String, value: String) -> Result<bool, Problem> {
        if field == CSRF_FIELD {
            resolved.check_csrf(Some(&value))?;
            return Ok(true);
        }
        self.0.push((field, value));
        Ok(false)
    }

    /// The fields as they are, for tests and for forms that were read elsewhere.
    pub fn from_fields(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        let resolved = Resolved::of(request.extensions());
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.unsupported_media_type"));
        }
        let body = body(request, state).await?;
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            fields.push((name, value));
        }
        resolved.check_csrf(
            fields.iter().find(|(name, _)| name == CSRF_FIELD).map(|(_, value)| value.as_str()),
        )?;
        fields.retain(|(name, _)| name != CSRF_FIELD);
        Ok(Self(fields))
    }
}

/// One file and the fields around it; the CSRF token comes first and was checked before the file was read.
#[derive(Debug, Default)]
pub struct Upload {
    /// The fields that were sent beside the file.
    pub fields: Posted,
    /// The file, when one was chosen.
    pub file: Option<UploadedFile>,
}

/// A file as it was sent. Its name and type are claims, not facts.
#[derive(Debug)]
pub struct UploadedFile {
    /// The field that it was sent in.
    pub field: String,
    /// The last part of the name it claims: no folders.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl FromRequest<App> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        let resolved = Resolved::of(request.extensions());
        let mut parts = multipart(request, state).await?;
        let mut upload = Self::default();
        let mut token_seen = !resolved.needs_csrf();
        while let Some(part) = parts.next_field().await.map_err(read_error)? {
            let field = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(plain_name);
            let Some(name) = file_name else {
                let value = part.text().await.map_err(read_error)?;
                token_seen |= upload.fields.take(&resolved, field, value)?;
                continue;
            };
            if !token_seen {
                return Err(Problem::forbidden("access.csrf"));
            }
            let bytes = bounded(part, &field).await?;
            if !(name.is_empty() && bytes.is_empty()) {
                upload.file = Some(UploadedFile { field, name, bytes });
            }
        }
        if !token_seen {
            return Err(Problem::forbidden("access.csrf"));
        }
        Ok(upload)
    }
}

/// One file that went to disk piece by piece, and the fields around it; for files that no memory should hold. How large
/// it may be is said where the route is added.
#[derive(Debug, Default)]
pub struct FileUpload {
    /// The fields that were sent beside the file.
    pub fields: Posted,
    /// The file, when one was chosen.
    pub file: Option<SavedFile>,
}

/// A file on disk, readable by the node alone. It goes when this is dropped, unless its path is kept.
#[derive(Debug)]
pub struct SavedFile {
    /// The last part of the name it claims: no folders.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Where it lies.
    pub path: tempfile::TempPath,
}

impl FileUpload {
    /// The folder in the data folder in which files lie.
    pub const FOLDER: &str = "uploads";
}

impl FromRequest<App> for FileUpload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        let resolved = Resolved::of(request.extensions());
        let mut parts = multipart(request, state).await?;
        let mut upload = Self::default();
        let mut token_seen = !resolved.needs_csrf();
        while let Some(part) = parts.next_field().await.map_err(read_error)? {
            let field = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(plain_name) {
                None => {
                    let value = part.text().await.map_err(read_error)?;
                    token_seen |= upload.fields.take(&resolved, field, value)?;
                }
                Some(_) if !token_seen => return Err(Problem::forbidden("access.csrf")),
                Some(name) => {
                    let saved = save(part, name, state).await?;
                    upload.file = Some(saved).filter(|file| file.bytes > 0).or(upload.file);
                }
            }
        }
        if token_seen { Ok(upload) } else { Err(Problem::forbidden("access.csrf")) }
    }
}

async fn multipart(request: Request, state: &App) -> Result<Multipart, Problem> {
    Multipart::from_request(request, state)
        .await
        .map_err(|_| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.unsupported_media_type"))
}

/// Writes a file to disk as it comes.
async fn save(
    mut part: axum::extract::multipart::Field<'_>,
    name: String,
    app: &App,
) -> Result<SavedFile, Problem> {
    let folder = app.store.data_dir().join(FileUpload::FOLDER);
    tokio::fs::create_dir_all(&folder).await.map_err(Problem::internal)?;
    let (file, path) = tempfile::NamedTempFile::new_in(&folder).map_err(Problem::internal)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    while let Some(chunk) = part.chunk().await.map_err(read_error)? {
        bytes += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(Problem::internal)?;
    }
    file.sync_all().await.map_err(Problem::internal)?;
    Ok(SavedFile { name, bytes, path })
}

/// Reads a file, but never more than [`MAX_UPLOAD`].
async fn bounded(mut part: axum::extract::multipart::Field<'_>, field: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(read_error)? {
        if bytes.len() + chunk.len() > MAX_UPLOAD {
            let error = FieldError::new(field, key("field-file-too-large")).with("limit", 20);
            return Err(Problem { status: StatusCode::PAYLOAD_TOO_LARGE, ..Problem::invalid(vec![error]) });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The name without any folder, so that it can lead nowhere; at most 120 characters, none of them control.
fn plain_name(claimed: &str) -> String {
    let last = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|letter| !letter.is_control())
        .take(120)
        .collect::<String>()
        .trim_matches('.')
        .to_owned()
}

fn read_error(error: axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "http.too_large"),
        _ => Problem::bad_request("http.unreadable"),
    }
}

/// A JSON body; a mistake in it names the place.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        let resolved = Resolved::of(request.extensions());
        let csrf =
            request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !kind.starts_with("application/json") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.unsupported_media_type"));
        }
        resolved.check_csrf(csrf.as_deref())?;
        let body = body(request, state).await?;
        let mut reader = serde_json::Deserializer::from_slice(&body);
        serde_path_to_error::deserialize(&mut reader).map(Self).map_err(|error| {
            let place = error.path().to_string();
            Problem {
                status: StatusCode::BAD_REQUEST,
                ..Problem::invalid(vec![
                    FieldError::new(place, key("field-json-unreadable"))
                        .with("reason", error.inner().to_string()),
                ])
            }
        })
    }
}

async fn body(request: Request, state: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.into_response_status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "http.too_large")
        } else {
            Problem::bad_request("http.unreadable")
        }
    })
}

/// Asks a rejection of the framework for its status.
trait RejectionStatus {
    fn into_response_status(self) -> StatusCode;
}

impl<R: axum::response::IntoResponse> RejectionStatus for R {
    fn into_response_status(self) -> StatusCode {
        self.into_response().status()
    }
}

fn decode(bytes: &[u8]) -> Result<String, Problem> {
    let plain: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&plain)
        .decode_utf8()
        .map(|text| text.replace("\r\n", "\n"))
        .map_err(|_| Problem::bad_request("http.unreadable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_never_leads_into_another_folder() {
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name(r"C:\temp\场所证明.pdf"), "场所证明.pdf");
        assert_eq!(plain_name("a\u{0}b\n.pdf"), "ab.pdf");
        assert_eq!(plain_name(".."), "");
    }

    #[test]
    fn a_form_field_is_read_as_utf8_or_refused() {
        assert_eq!(decode("%E5%BC%80+%E5%BA%97".as_bytes()).unwrap(), "开 店");
        assert!(decode(b"%ff%fe").is_err());
    }
}

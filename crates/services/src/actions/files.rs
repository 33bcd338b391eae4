//! Files: what an applicant attaches, judged by its bytes and not by its name.

use store::blobs;
use web::App;
use web::forms::{FieldError, UploadedFile};
use web::i18n::key;

use super::drafts::{Work, write};
use crate::error::ServiceError;
use crate::model::AttachedFile;
use crate::store::drafts as ledger;

/// What may be attached: media type, and the endings that a name of it may have.
const ALLOWED: [(&str, &[&str]); 3] =
    [("application/pdf", &["pdf"]), ("image/jpeg", &["jpg", "jpeg"]), ("image/png", &["png"])];

/// Attaches a file to a draft in place of the one before it.
pub async fn attach(
    app: &App,
    mut work: Work,
    material: &str,
    field: &str,
    file: UploadedFile,
) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    if !takes_file(&work, material) {
        return Err(ServiceError::NotFound);
    }
    let media_type = media_type(field, &file).map_err(|error| ServiceError::Invalid(vec![error]))?;
    let size = file.bytes.len() as u64;
    let subject = work.draft.subject;
    let written = blobs::write(&app.store, subject, file.bytes).await?;
    // The row of the file and the draft that names it are one write, so the id must be known to both.
    let tx = app.store.begin().await?;
    let blob = blobs::attach(&tx, written, media_type, &file.name).await?;
    let attached = AttachedFile {
        blob: blob.id,
        name: file.name,
        sm3: blob.sm3,
        size,
        media_type: media_type.to_owned(),
    };
    let before = work.draft.answers.files.insert(material.to_owned(), attached);
    if let Some(before) = before {
        blobs::remove(&tx, subject, before.blob).await?;
    }
    let sealed = ledger::seal(&app.store, subject, &work.draft.answers)?;
    if !ledger::update(&tx, &work.draft, sealed).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    tx.commit().await?;
    work.draft.version += 1;
    Ok(work)
}

/// Takes a file away again.
pub async fn remove(app: &App, mut work: Work, material: &str) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let file = work.draft.answers.files.remove(material).ok_or(ServiceError::NotFound)?;
    let sealed = ledger::seal(&app.store, work.draft.subject, &work.draft.answers)?;
    let tx = app.store.begin().await?;
    blobs::remove(&tx, work.draft.subject, file.blob).await?;
    if !ledger::update(&tx, &work.draft, sealed).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    tx.commit().await?;
    work.draft.version += 1;
    Ok(work)
}

/// Promises a material, or takes the promise back.
pub async fn promise(app: &App, work: Work, materials: Vec<String>) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let known = materials.iter().all(|id| work.item.materials.iter().any(|material| material.id == *id));
    if !known {
        return Err(ServiceError::NotFound);
    }
    write(app, work, |answers| answers.promised = materials.into_iter().collect()).await
}

/// An own file: its bytes and what the ledger knows of it.
pub async fn read(app: &App, work: &Work, material: &str) -> Result<(AttachedFile, Vec<u8>), ServiceError> {
    let file = work.draft.answers.files.get(material).ok_or(ServiceError::NotFound)?;
    let blob = blobs::find(&app.store.read(), work.draft.subject, file.blob).await?;
    let bytes = blobs::read(&app.store, &blob.ok_or(ServiceError::NotFound)?).await?;
    Ok((file.clone(), bytes))
}

/// Whether an applicant may attach a file for that material of the item.
fn takes_file(work: &Work, material: &str) -> bool {
    use packs::model::Otherwise;
    let found = work.item.materials.iter().find(|one| one.id == material);
    found.is_some_and(|one| one.obtained_from.applicant == Some(Otherwise::Upload) || one.tolerant)
}

/// The media type of the bytes, where it is one that may be attached and the name does not claim another.
fn media_type(field: &str, file: &UploadedFile) -> Result<&'static str, FieldError> {
    let error = |text: &str| FieldError::new(field, text);
    if file.bytes.is_empty() {
        return Err(error(key("services-file-empty")));
    }
    let found = infer::get(&file.bytes).map(|kind| kind.mime_type());
    let allowed = ALLOWED.iter().find(|(media_type, _)| Some(*media_type) == found);
    let Some((media_type, endings)) = allowed else {
        return Err(error(key("services-file-type")));
    };
    let claimed =
        file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if !endings.contains(&claimed.as_str()) {
        let is = endings.first().copied().unwrap_or_default().to_ascii_uppercase();
        let claims = if claimed.is_empty() { file.name.clone() } else { format!(".{claimed}") };
        return Err(error(key("services-file-disguised")).with("claims", claims).with("is", is));
    }
    Ok(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> UploadedFile {
        UploadedFile { field: "file".to_owned(), name: name.to_owned(), bytes: bytes.to_vec() }
    }

    const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n";
    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
    const JPG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];

    #[test]
    fn bytes_decide_and_the_name_must_not_claim_otherwise() {
        let judged = |name, bytes| media_type("file", &file(name, bytes)).map_err(|error| error.key);
        assert_eq!(judged("租约.pdf", PDF), Ok("application/pdf"));
        assert_eq!(judged("photo.JPEG", JPG), Ok("image/jpeg"));
        assert_eq!(judged("scan.png", PNG), Ok("image/png"));
        assert_eq!(judged("scan.pdf", PNG), Err("services-file-disguised".to_owned()));
        assert_eq!(judged("noending", PDF), Err("services-file-disguised".to_owned()));
        assert_eq!(judged("run.exe", b"MZ\x90\0\x03"), Err("services-file-type".to_owned()));
        assert_eq!(judged("run.pdf", b"MZ\x90\0\x03"), Err("services-file-type".to_owned()));
        assert_eq!(judged("page.pdf", b"<html><script>"), Err("services-file-type".to_owned()));
        assert_eq!(judged("nothing.pdf", b""), Err("services-file-empty".to_owned()));
    }
}

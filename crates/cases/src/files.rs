//! Files that belong to a case: what is taken, and who may read them.

use axum::response::Response;
use kernel::ids::{BlobId, SubjectId};
use store::Reads;
use store::blobs::{self, Blob};
use web::forms::{FieldError, UploadedFile};
use web::{Problem, download};

use crate::error::ActionError;
use crate::model::{Case, MetBy};

/// What a file may be, by its bytes, and the endings that say the same.
const KINDS: [(&str, &[&str]); 3] =
    [("application/pdf", &["pdf"]), ("image/jpeg", &["jpg", "jpeg"]), ("image/png", &["png"])];

/// The kind of a file: its bytes decide, and its name must not say otherwise. Its size was bounded on the way in.
pub(crate) fn kind_of(file: &UploadedFile) -> Result<&'static str, FieldError> {
    let refuse = |key: &str| Err(FieldError::new(file.field.clone(), key));
    if file.bytes.is_empty() {
        return refuse(web::i18n::key("cases-file-empty"));
    }
    let found = infer::get(&file.bytes).map(|kind| kind.mime_type());
    let Some((media_type, endings)) = KINDS.iter().find(|(kind, _)| found == Some(*kind)) else {
        return refuse(web::i18n::key("cases-file-kind"));
    };
    let ending =
        file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if endings.contains(&ending.as_str()) {
        Ok(media_type)
    } else {
        refuse(web::i18n::key("cases-file-name"))
    }
}

/// Whether the case holds that file: as a material, or as the answer to its correction notice.
fn belongs(case: &Case, id: BlobId) -> bool {
    let answer = case.correction.as_ref().and_then(|correction| correction.answered.as_ref());
    let materials = &case.opened.payload.materials;
    answer.is_some_and(|answer| answer.file == Some(id))
        || materials
            .iter()
            .any(|material| matches!(&material.met_by, MetBy::Blob { id: blob, .. } if *blob == id))
}

/// The file, if the case holds it.
pub(crate) async fn of_case(db: &impl Reads, case: &Case, id: &str) -> Result<Blob, ActionError> {
    let Ok(id) = id.parse::<BlobId>() else { return Err(ActionError::NotFound) };
    if !belongs(case, id) {
        return Err(ActionError::NotFound);
    }
    blobs::find(db, case.subject, id).await?.ok_or(ActionError::NotFound)
}

/// A file of that person that was uploaded before, to be named in an answer.
pub(crate) async fn own(db: &impl Reads, subject: SubjectId, id: &str) -> Result<BlobId, Problem> {
    let missing = || Problem::invalid(vec![FieldError::new("file_id", web::i18n::key("cases-file-unknown"))]);
    let id: BlobId = id.parse().map_err(|_| missing())?;
    let blob = blobs::find(db, subject, id).await?.ok_or_else(missing)?;
    Ok(blob.id)
}

/// Sends a file to be saved.
pub(crate) async fn send(store: &store::Store, blob: &Blob) -> Result<Response, Problem> {
    let bytes = blobs::read(store, blob).await?;
    let kind = KINDS.iter().find(|(kind, _)| *kind == blob.media_type);
    Ok(download(&blob.name, kind.map_or("application/octet-stream", |(kind, _)| kind), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_what_a_file_is_and_its_name_must_not_lie() {
        let file = |name: &str, bytes: &[u8]| UploadedFile {
            field: "file".to_owned(),
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        };
        let refused = |name, bytes| kind_of(&file(name, bytes)).unwrap_err().key;
        assert_eq!(kind_of(&file("合同.PDF", b"%PDF-1.7 ...")).unwrap(), "application/pdf");
        assert_eq!(kind_of(&file("a.jpeg", b"\xff\xd8\xff\xe0....")).unwrap(), "image/jpeg");
        assert_eq!(refused("a.pdf", b"\xff\xd8\xff\xe0...."), "cases-file-name");
        assert_eq!(refused("a.pdf", b"MZ\x90\x00 a program"), "cases-file-kind");
        assert_eq!(refused("a.html", b"<html><script>"), "cases-file-kind");
        assert_eq!(refused("a.png", b""), "cases-file-empty");
    }
}

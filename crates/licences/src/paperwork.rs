//! Files of a licence as they are handed out: the sealed PDF and the document.

use web::{App, Problem};

use crate::actions::AnnotatedCopy;
use crate::model::licence::Licence;
use crate::pdf::{self, Fonts, Paper, PdfError};

/// The sealed PDF of a licence or of an annotated copy.
pub(crate) async fn sealed_pdf(
    app: &App,
    licence: &Licence,
    copy: Option<&AnnotatedCopy>,
) -> Result<Vec<u8>, Problem> {
    let (app_for_page, licence_for_page, copy_for_page) = (app.clone(), licence.clone(), copy.cloned());
    let set = tokio::task::spawn_blocking(move || {
        let paper = Paper {
            licence: &licence_for_page,
            copy: copy_for_page.as_ref(),
            base_url: &app_for_page.node.base_url,
            demo: app_for_page.node.demo,
        };
        pdf::render(&paper, &Fonts::find()?)
    });
    let page = set.await.map_err(Problem::internal)??;
    let identifier = licence.identifier().to_string();
    let sealed = pdf::seal::seal(&app.store.keys(), page, &identifier, copy);
    Ok(sealed.map_err(PdfError::from)?)
}

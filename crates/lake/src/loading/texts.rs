//! Every text of a source, for whoever looks for something in it.

use super::error::LoadError;
use super::record::Cell;
use super::source::{Opened, Reading};

/// Reads a source whole and shows each cell, and the name of each column.
pub async fn each_text(opened: &Opened, look: &mut (dyn FnMut(&str) + Send)) -> Result<(), LoadError> {
    let mut feed = opened.reader().await?.feed(&Reading::default(), None).await?;
    feed.head.columns.iter().for_each(|name| look(name));
    while let Some(records) = feed.next().await? {
        for record in &records {
            for cell in record.cells.iter() {
                if let Cell::Text(text) | Cell::Fault(_, text) = cell {
                    look(text);
                }
            }
        }
    }
    Ok(())
}

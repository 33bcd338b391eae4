//! An answer as the body of an HTTP answer.

use axum::body::Body;
use futures_util::stream;
use lake::export::RowWriter;

use super::{Running, UseError};

/// The rows as a file, piece by piece. What goes wrong on the way cuts it off before its last bytes: of an Arrow stream
/// and of Parquet every reader notices, and of all of them the browser.
pub async fn body(mut running: Running, writer: Box<dyn RowWriter>) -> Result<Body, UseError> {
    // The first rows before the head of the answer, so that an early failure is still a proper refusal.
    let first = running.next().await?;
    let rows =
        stream::try_unfold((running, Some(writer), Some(first)), |(mut running, writer, first)| async move {
            let Some(mut writer) = writer else { return Ok(None) };
            let next = match first {
                Some(first) => first,
                None => running.next().await?,
            };
            Ok::<_, UseError>(Some(match next {
                Some(rows) => (writer.write(&rows)?, (running, Some(writer), None)),
                None => (writer.finish()?, (running, None, None)),
            }))
        });
    Ok(Body::from_stream(rows))
}

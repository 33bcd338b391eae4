//! QR codes as vectors: for the PDF, and for pages whose reader has no scripts.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// White modules around a code (ISO/IEC 18004).
const QUIET: usize = 4;

/// Beyond so many characters the squares of a code become small.
const DENSE: usize = 400;

/// The code of `text` as an SVG document; `None` where the text is too long for a code. `label` names the
/// picture for readers who do not see it, and may be empty inside a document that names it otherwise.
pub fn svg(text: &str, label: &str) -> Option<String> {
    // A long text is easier to scan from fewer, larger squares than from more correction.
    let level = if text.len() > DENSE { EcLevel::L } else { EcLevel::M };
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let width = code.width();
    let size = width + 2 * QUIET;
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                path.push_str(&format!(
                    "M{} {}h{}v1h-{}z",
                    column + QUIET,
                    row + QUIET,
                    run.len(),
                    run.len()
                ));
            }
            column += run.len();
        }
    }
    let name = if label.is_empty() {
        "aria-hidden=\"true\"".to_owned()
    } else {
        format!("role=\"img\" aria-label=\"{}\"", escaped(label))
    };
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" {name} \
         shape-rendering=\"crispEdges\"><path d=\"M0 0h{size}v{size}h-{size}z\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#0d1b1a\"/></svg>"
    ))
}

/// The same code as an address that an `img` of a page may have.
pub fn data_url(text: &str) -> Option<String> {
    let svg = svg(text, "")?;
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, svg);
    Some(format!("data:image/svg+xml;base64,{encoded}"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_picture_with_a_name_and_nothing_of_the_label_runs() {
        let svg = svg("YW1:ABC", "\"><script>").unwrap();
        assert!(svg.contains("aria-label=\"&quot;&gt;&lt;script&gt;\""), "{svg}");
        assert!(!svg.contains("<script"));
        assert!(data_url("YW1:ABC").unwrap().starts_with("data:image/svg+xml;base64,"));
    }

    #[test]
    fn a_text_beyond_the_largest_code_has_no_picture() {
        assert!(svg(&"A".repeat(4296), "").is_some());
        assert_eq!(svg(&"A".repeat(4297), ""), None);
    }
}

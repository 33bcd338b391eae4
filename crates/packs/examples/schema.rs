//! Writes the JSON Schemas for editors: `cargo run -p packs --example schema`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/schema");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in packs::schema::files() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

//! Loads the shipped content, as it is or with one file changed.

use std::fs;
use std::path::{Path, PathBuf};

use packs::{Pack, PackError};

pub(crate) fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

/// A copy of the shipped content in which `edit` may change each file's text by its name.
pub(crate) fn edited(edit: impl Fn(&str, String) -> String) -> Result<Pack, Vec<PackError>> {
    let folder = tempfile::tempdir().unwrap();
    copy(&content(), folder.path(), Path::new(""), &edit);
    Pack::load(folder.path())
}

fn copy(from: &Path, to: &Path, below: &Path, edit: &impl Fn(&str, String) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = below.join(entry.file_name());
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, &name, edit);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, edit(name.to_str().unwrap(), text)).unwrap();
        }
    }
}

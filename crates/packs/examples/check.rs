//! Checks a content folder and says how long it took: `cargo run -p packs --example check -- packs [item.yaml…]`.

#![expect(clippy::print_stdout, reason = "a program of the command line")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use packs::Pack;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| PathBuf::from("packs"));
    let more: Vec<PathBuf> = arguments.collect();
    let started = Instant::now();
    match Pack::load_with(&folder, &more) {
        Ok(pack) => {
            println!("{} versions in {:?}", pack.versions().count(), started.elapsed());
            ExitCode::SUCCESS
        }
        Err(errors) => {
            for error in errors {
                println!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}

//! Set-up of assets and data, checks and generated files: `cargo xtask <command>`.

mod assets;
mod data;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let outcome = match command.as_deref() {
        Some("assets") => assets::build(),
        Some("data") => data::build(),
        _ => Err(anyhow::anyhow!("say what to do: `assets` or `data`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! The JSON schema of the config, for editors: `cargo run -q --example config_schema > gone.schema.json`, and in the first line of
//! `gone.toml`: `#:schema ./gone.schema.json`.

use serde::Deserialize;

/// A section of the program's own.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "an example of a section")]
struct Server {
    /// The port to listen on.
    #[serde(default)]
    port: u16,
}

gone::config::config_section!("server", Server);

fn main() {
    println!("{:#}", gone::config::schema::schema());
}

//! The commands of this repository. `cargo xtask` lists them.

mod audit;
mod bench;
mod compile_cost;
mod compile_peers;
mod crates;
mod dependencies;
mod faults;
mod package;
mod results;
mod rows;
mod servers;
mod shell;
mod soak;
mod stages;
mod stuck;
mod test;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test            everything that CI runs: format, dependencies, packages, clippy, rustdoc, each feature alone, all tests
cargo xtask servers         installs the servers that tests need, as root or by sudo; `cargo xtask test` does so by itself
cargo xtask rows [FILTER]   the contract's rows that are due, and which of them a passing test proves
cargo xtask bench container measures the container beside hand-wired construction and its peers, in one run, as ratios
cargo xtask bench clog      measures a log line beside tracing-subscriber's JSON, in one run, as ratios
cargo xtask bench coord     measures coordination on etcd beside the plain client, in one run, as ratios
cargo xtask bench uid       measures a snowflake and a UUID beside snowflaked and uuid, in one run, as ratios
cargo xtask bench compile   what a derived goner costs to compile, beside a hand-written struct and the peers, in one run
cargo xtask faults          puts faults into a copy of the container, one at a time: the random tests must catch each
cargo xtask soak            a hundred thousand random applications, with a seed of the moment
cargo xtask crates          how many crates a program that depends on gone compiles, against the budget
cargo xtask dependencies    the licences of all that is needed, and crates that are unwanted, by deny.toml; needs no tool
cargo xtask package         packages what is published, and builds each package as its users do; [--no-verify] [--allow-dirty]
cargo xtask audit           misspelt words, advisories, bans, licences and sources; compiles the tools for it first
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test::run(),
        ["servers"] => servers::install(),
        ["rows"] => rows::print(""),
        ["rows", filter] => rows::print(filter),
        ["soak"] => soak::run(),
        ["faults"] => faults::run(),
        ["crates"] => crates::check(),
        ["dependencies"] => dependencies::check(),
        ["package", flags @ ..] => package::Options::from_flags(flags).and_then(package::run),
        ["audit"] => audit::run(),
        ["bench", "clog"] => bench::run("clog", &[]),
        ["bench", "container"] => bench::run("container", &["peers"]),
        ["bench", "coord"] => bench::run("coord", &[]),
        ["bench", "uid"] => bench::run("uid", &[]),
        ["bench", "compile"] => compile_cost::run().and_then(|()| compile_peers::run()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

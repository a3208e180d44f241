//! Writes the goners: for each number a module with the structs, a function that loads them all, and one that wires them by
//! hand.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

const NUMBERS: [usize; 3] = [10, 100, 1000];
/// How many are wired in one function: the compiler takes more than its share for a function of a thousand.
const CHUNK: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut out = String::new();
    for number in NUMBERS {
        module(&mut out, number)?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("goners.rs"), out)?;
    Ok(())
}

/// The three goners that goner `index` needs, or as many as there are. They stand a twentieth of all further up, so that no
/// chain of types is longer than 20, which the compiler could not follow.
fn needs(number: usize, index: usize) -> impl Iterator<Item = usize> + Clone {
    let back = (number / 20).max(1);
    (back..back + 3).filter_map(move |back| index.checked_sub(back))
}

fn module(out: &mut String, number: usize) -> std::fmt::Result {
    writeln!(out, "pub(crate) mod of_{number} {{")?;
    writeln!(out, "use std::any::TypeId;\nuse std::sync::Arc;")?;
    writeln!(out, "use gone::{{Goner, Loader}};")?;
    for index in 0..number {
        let needs = needs(number, index);
        writeln!(out, "#[derive(Goner)] pub(crate) struct G{index} {{")?;
        for need in needs.clone() {
            writeln!(out, "#[gone] pub(crate) g{need}: Arc<G{need}>,")?;
        }
        writeln!(out, "}}\nimpl G{index} {{ fn new(")?;
        for need in needs.clone() {
            write!(out, "g{need}: Arc<G{need}>, ")?;
        }
        let fields: Vec<_> = needs.map(|need| format!("g{need}")).collect();
        writeln!(out, ") -> Self {{ Self {{ {} }} }} }}", fields.join(", "))?;
    }
    let chunks: Vec<_> =
        (0..number).collect::<Vec<_>>().chunks(CHUNK).map(|chunk| chunk[0]..chunk[0] + chunk.len()).collect();
    let each = |line: &dyn Fn(usize) -> String| (0..chunks.len()).map(line).collect::<Vec<_>>().join(" ");
    for (at, chunk) in chunks.iter().enumerate() {
        let before = at.saturating_sub(2)..at;
        let parameters: Vec<_> = before.map(|at| format!("c{at}: &Chunk{at}")).collect();
        writeln!(out, "pub(crate) struct Chunk{at} {{")?;
        for index in chunk.clone() {
            writeln!(out, "pub(crate) g{index}: Arc<G{index}>,")?;
        }
        writeln!(out, "}}\nfn wire{at}({}) -> Chunk{at} {{", parameters.join(", "))?;
        for index in chunk.clone() {
            let arguments: Vec<_> = needs(number, index)
                .map(|need| match need / CHUNK == at {
                    true => format!("Arc::clone(&g{need})"),
                    false => format!("Arc::clone(&c{}.g{need})", need / CHUNK),
                })
                .collect();
            writeln!(out, "let g{index} = Arc::new(G{index}::new({}));", arguments.join(", "))?;
        }
        let all: Vec<_> = chunk.clone().map(|index| format!("g{index}")).collect();
        writeln!(out, "Chunk{at} {{ {} }}\n}}", all.join(", "))?;
        writeln!(out, "fn load{at}(loader: &mut Loader) {{")?;
        for index in chunk.clone() {
            writeln!(out, "loader.load(G{index}::goner());")?;
        }
        writeln!(out, "}}\nfn map{at}(chunk: &Chunk{at}, map: &mut crate::Map<TypeId>) {{")?;
        for index in chunk.clone() {
            writeln!(out, "map.insert(TypeId::of::<G{index}>(), chunk.g{index}.clone());")?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(out, "pub(crate) struct Wired {{ {} }}", each(&|at| format!("pub(crate) c{at}: Chunk{at},")))?;
    writeln!(out, "pub(crate) fn wire() -> Wired {{")?;
    for at in 0..chunks.len() {
        let arguments: Vec<_> = (at.saturating_sub(2)..at).map(|at| format!("&c{at}")).collect();
        writeln!(out, "let c{at} = wire{at}({});", arguments.join(", "))?;
    }
    writeln!(out, "Wired {{ {} }}\n}}", each(&|at| format!("c{at},")))?;
    writeln!(out, "pub(crate) fn load(loader: &mut Loader) {{ {} }}", each(&|at| format!("load{at}(loader);")))?;
    let maps = each(&|at| format!("map{at}(&wired.c{at}, map);"));
    writeln!(out, "pub(crate) fn map(wired: &Wired, map: &mut crate::Map<TypeId>) {{ {maps} }}\n}}")
}

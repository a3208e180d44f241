//! Writes the goners: for each number a module with the structs, a function that loads them all, and one that wires them by
//! hand.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

const NUMBERS: [usize; 3] = [10, 100, 1000];

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
    writeln!(out, "pub(crate) fn load(loader: &mut Loader) {{")?;
    for index in 0..number {
        writeln!(out, "loader.load(G{index}::goner());")?;
    }
    writeln!(out, "}}")?;
    let all: Vec<_> = (0..number).map(|index| format!("g{index}")).collect();
    writeln!(out, "pub(crate) struct Wired {{")?;
    for index in 0..number {
        writeln!(out, "pub(crate) g{index}: Arc<G{index}>,")?;
    }
    writeln!(out, "}}\npub(crate) fn wire() -> Wired {{")?;
    for index in 0..number {
        let arguments: Vec<_> = needs(number, index).map(|need| format!("Arc::clone(&g{need})")).collect();
        writeln!(out, "let g{index} = Arc::new(G{index}::new({}));", arguments.join(", "))?;
    }
    writeln!(out, "Wired {{ {} }}\n}}", all.join(", "))?;
    writeln!(out, "pub(crate) fn into_map(wired: Wired) -> crate::Map<TypeId> {{\nlet mut map = crate::Map::new();")?;
    for index in 0..number {
        writeln!(out, "map.insert(TypeId::of::<G{index}>(), wired.g{index});")?;
    }
    writeln!(out, "map\n}}\n}}")
}

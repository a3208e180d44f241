//! Writes the components of the graphs: those of a thousand are more than the compiler has memory for.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use graphs::{Graph, Shape, TYPED};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let (mut out, mut all) = (String::new(), String::new());
    for (shape, number) in Shape::COMPARED.iter().flat_map(|shape| TYPED.map(|number| (shape, number))) {
        if number <= 100 {
            let graph = shape.graph(number);
            module(&mut out, &graph)?;
            writeln!(all, "Box::new(Shaku::<{}::It>(PhantomData)),", graph.module())?;
        }
    }
    writeln!(out, "/// Shaku with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("graphs.rs"), out)?;
    Ok(())
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;", graph.module())?;
    for index in 0..graph.number {
        let field = |need: &usize| format!("#[shaku(inject)] g{need}: Arc<dyn T{need}>");
        let fields = graph.needs[index].iter().map(field).collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "#[derive(shaku::Component)] #[shaku(interface = T{index})] pub struct G{index} {{ {fields} }}\n\
             pub trait T{index}: shaku::Interface {{}}\nimpl T{index} for G{index} {{}}"
        )?;
    }
    let all: Vec<_> = (0..graph.number).map(|index| format!("G{index}")).collect();
    writeln!(out, "shaku::module! {{ pub Module {{ components = [{}], providers = [] }} }}", all.join(", "))?;
    writeln!(
        out,
        "pub(crate) struct It;\nimpl crate::Components for It {{\n\
         const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
         type Module = Module;\ntype First = dyn T0;\ntype Middle = dyn T{};\n\
         fn builder() -> shaku::ModuleBuilder<Module> {{ Module::builder() }}\n}}\n}}",
        graph.shape,
        graph.number,
        graph.number / 2,
    )
}

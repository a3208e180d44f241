//! Writes the components of the graphs: those of a thousand are more than the compiler has memory for.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Shaku", Graph::compared().filter(|graph| graph.number <= 100), module)
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
        "{}\ntype Module = Module;\n\
         fn builder() -> shaku::ModuleBuilder<Module> {{ Module::builder() }}\n}}\n}}",
        graph.components(|index| format!("dyn T{index}")),
    )
}

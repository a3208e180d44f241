//! Writes the components of all graphs.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Dill", Graph::compared(), module)
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;\nuse dill::{{Catalog, CatalogBuilder}};", graph.module())?;
    for index in 0..graph.number {
        let interface = if graph.is_dyn() { format!("#[dill::interface(dyn T{index})]") } else { String::new() };
        let fields = graph.fields(index, "");
        writeln!(
            out,
            "#[dill::component] #[dill::scope(dill::Singleton)] {interface} pub struct G{index} {{ {fields} }}\n{}",
            graph.implemented(index, "Send + Sync")
        )?;
    }
    for (at, chunk) in graph.chunks() {
        writeln!(out, "fn add{at}(builder: &mut CatalogBuilder) {{")?;
        for index in chunk.clone() {
            writeln!(out, "builder.add::<G{index}>();")?;
        }
        writeln!(out, "}}\nfn get{at}(catalog: &Catalog) {{")?;
        for index in chunk {
            writeln!(out, "crate::got(catalog.get_one::<{}>());", graph.node(index))?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(
        out,
        "{}\n\
         fn add(builder: &mut CatalogBuilder) {{ {} }}\nfn get(catalog: &Catalog) {{ {} }}\n}}\n}}",
        graph.components(|index| graph.node(index)),
        graph.each_chunk(|at| format!("add{at}(builder);")),
        graph.each_chunk(|at| format!("get{at}(catalog);")),
    )
}

//! Writes the components of all graphs.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Ferrunix", Graph::compared(), module)
}

/// It keeps a trait object in a box within the `Arc`.
fn node(graph: &Graph, index: usize) -> String {
    if graph.is_dyn() { format!("Box<dyn T{index}>") } else { format!("G{index}") }
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;\nuse ferrunix::Registry;", graph.module())?;
    for index in 0..graph.number {
        let provides = if graph.is_dyn() { format!("singleton = \"dyn T{index}\"") } else { "singleton".to_owned() };
        let field = |need: &usize| format!("#[inject(singleton)] g{need}: Arc<{}>", node(graph, *need));
        let fields = graph.needs[index].iter().map(field).collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "#[derive(ferrunix::Inject)] #[provides({provides}, no_registration)] pub struct G{index} {{ {fields} }}\n{}",
            graph.implemented(index, "Send + Sync")
        )?;
    }
    for (at, chunk) in graph.chunks() {
        writeln!(out, "fn register{at}(registry: &Registry) {{")?;
        for index in chunk.clone() {
            writeln!(out, "G{index}::register(registry);")?;
        }
        writeln!(out, "}}\nfn get{at}(registry: &Registry) {{")?;
        for index in chunk {
            writeln!(out, "crate::got(registry.singleton::<{}>());", node(graph, index))?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(
        out,
        "{}\n\
         fn register(registry: &Registry) {{ {} }}\nfn get(registry: &Registry) {{ {} }}\n}}\n}}",
        graph.components(|index| node(graph, index)),
        graph.each_chunk(|at| format!("register{at}(registry);")),
        graph.each_chunk(|at| format!("get{at}(registry);")),
    )
}

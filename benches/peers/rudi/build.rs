//! Writes the components of all graphs.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Rudi", Graph::compared(), module)
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;\nuse rudi::DynProvider;", graph.module())?;
    for index in 0..graph.number {
        // A singleton is cloned for whoever needs it, so that what is shared stands in an `Arc`.
        let (node, names) = (graph.node(index), graph.names(index));
        writeln!(
            out,
            "pub struct G{index} {{ {} }}\n{}\
             #[rudi::Singleton(auto_register = false)] fn Make{index}({}) -> Arc<{node}> {{ Arc::new(G{index} {{ {names} }}) }}",
            graph.fields(index, ""),
            graph.implemented(index, "Send + Sync"),
            graph.fields(index, ""),
        )?;
    }
    for (at, chunk) in graph.chunks() {
        let all: Vec<_> = chunk.map(|index| format!("Make{index}")).collect();
        writeln!(
            out,
            "fn add{at}(all: &mut Vec<DynProvider>) {{ all.extend(rudi::components![{}]); }}",
            all.join(", ")
        )?;
    }
    writeln!(
        out,
        "{}\n\
         fn add(all: &mut Vec<DynProvider>) {{ {} }}\n}}\n}}",
        graph.components(|index| graph.node(index)),
        graph.each_chunk(|at| format!("add{at}(all);")),
    )
}

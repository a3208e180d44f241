//! Writes the components of all graphs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use graphs::{Graph, Shape, TYPED};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let (mut out, mut all) = (String::new(), String::new());
    for (shape, number) in Shape::COMPARED.iter().flat_map(|shape| TYPED.map(|number| (shape, number))) {
        let graph = shape.graph(number);
        module(&mut out, &graph)?;
        writeln!(all, "Box::new(Rudi::<{}::It>(PhantomData)),", graph.module())?;
    }
    writeln!(out, "/// Rudi with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("graphs.rs"), out)?;
    Ok(())
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
        "pub(crate) struct It;\nimpl crate::Components for It {{\n\
         const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
         type First = {};\ntype Middle = {};\n\
         fn add(all: &mut Vec<DynProvider>) {{ {} }}\n}}\n}}",
        graph.shape,
        graph.number,
        graph.node(0),
        graph.node(graph.number / 2),
        graph.each_chunk(|at| format!("add{at}(all);")),
    )
}

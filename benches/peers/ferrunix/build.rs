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
        writeln!(all, "Box::new(Ferrunix::<{}::It>(PhantomData)),", graph.module())?;
    }
    writeln!(out, "/// Ferrunix with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("graphs.rs"), out)?;
    Ok(())
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
        "pub(crate) struct It;\nimpl crate::Components for It {{\n\
         const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
         type First = {};\ntype Middle = {};\n\
         fn register(registry: &Registry) {{ {} }}\nfn get(registry: &Registry) {{ {} }}\n}}\n}}",
        graph.shape,
        graph.number,
        node(graph, 0),
        node(graph, graph.number / 2),
        graph.each_chunk(|at| format!("register{at}(registry);")),
        graph.each_chunk(|at| format!("get{at}(registry);")),
    )
}

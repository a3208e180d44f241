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
        writeln!(all, "Box::new(Dill::<{}::It>(PhantomData)),", graph.module())?;
    }
    writeln!(out, "/// Dill with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("graphs.rs"), out)?;
    Ok(())
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
        "pub(crate) struct It;\nimpl crate::Components for It {{\n\
         const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
         type First = {};\ntype Middle = {};\n\
         fn add(builder: &mut CatalogBuilder) {{ {} }}\nfn get(catalog: &Catalog) {{ {} }}\n}}\n}}",
        graph.shape,
        graph.number,
        graph.node(0),
        graph.node(graph.number / 2),
        graph.each_chunk(|at| format!("add{at}(builder);")),
        graph.each_chunk(|at| format!("get{at}(catalog);")),
    )
}

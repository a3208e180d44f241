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
        writeln!(all, "Box::new(Summer::<{}::It>(PhantomData)),", graph.module())?;
    }
    writeln!(out, "/// Summer with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("graphs.rs"), out)?;
    Ok(())
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;\nuse summer::app::AppBuilder;", graph.module())?;
    writeln!(out, "use summer::plugin::{{ComponentRegistry, MutableComponentRegistry, Plugin}};")?;
    for index in 0..graph.number {
        // What `#[component]` writes of a function that makes `Arc<G…>`, but for the entry that would put the components of all
        // graphs of this program into each application.
        let (needs, node) = (&graph.needs[index], graph.node(index));
        let taken: Vec<_> = needs
            .iter()
            .map(|need| format!("g{need}: app.get_component::<Arc<{}>>().expect(\"it is there\")", graph.node(*need)))
            .collect();
        let names: Vec<_> = needs.iter().map(|need| format!("\"plugin-{need}\"")).collect();
        writeln!(
            out,
            "pub struct G{index} {{ {fields} }}\n{implemented}struct P{index};\n\
             #[summer::async_trait] impl Plugin for P{index} {{\n\
             async fn build(&self, app: &mut AppBuilder) {{\n\
             let made: Arc<{node}> = Arc::new(G{index} {{ {taken} }});\napp.add_component(made); }}\n\
             fn name(&self) -> &str {{ \"plugin-{index}\" }}\n\
             fn dependencies(&self) -> Vec<&str> {{ vec![{names}] }}\n}}",
            fields = graph.fields(index, ""),
            implemented = graph.implemented(index, "Send + Sync"),
            taken = taken.join(", "),
            names = names.join(", "),
        )?;
    }
    for (at, chunk) in graph.chunks() {
        writeln!(out, "fn add{at}(app: &mut AppBuilder) {{")?;
        for index in chunk {
            writeln!(out, "app.add_plugin(P{index});")?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(
        out,
        "pub(crate) struct It;\nimpl crate::Components for It {{\n\
         const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
         type First = {};\ntype Middle = {};\n\
         fn add(app: &mut AppBuilder) {{ {} }}\n}}\n}}",
        graph.shape,
        graph.number,
        graph.node(0),
        graph.node(graph.number / 2),
        graph.each_chunk(|at| format!("add{at}(app);")),
    )
}

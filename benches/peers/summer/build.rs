//! Writes the components of all graphs.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Summer", Graph::compared(), module)
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
        "{}\n\
         fn add(app: &mut AppBuilder) {{ {} }}\n}}\n}}",
        graph.components(|index| graph.node(index)),
        graph.each_chunk(|at| format!("add{at}(app);")),
    )
}

//! Writes the components of all graphs.

use std::error::Error;
use std::fmt::Write as _;

use graphs::{Graph, write_peer};

fn main() -> Result<(), Box<dyn Error>> {
    write_peer("Springtime", Graph::compared(), module)
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "mod {} {{\nuse std::sync::Arc;\nuse springtime_di::component::*;", graph.module())?;
    writeln!(out, "use springtime_di::component_registry::StaticComponentDefinitionRegistry as Registry;")?;
    writeln!(out, "use springtime_di::factory::ComponentFactory;\nuse springtime_di::instance_provider::*;")?;
    for index in 0..graph.number {
        // What the derive and `#[injectable]`, `#[component_alias]` write, but for the entry that would put the components of
        // all graphs of this program into each registry.
        let filled: Vec<_> = graph.needs[index]
            .iter()
            .map(|need| format!("g{need}: provider.primary_instance_typed::<{}>()?", graph.node(*need)))
            .collect();
        writeln!(
            out,
            "pub struct G{index} {{ {fields} }}\n{implemented}\
             impl Injectable for G{index} {{}}\n\
             impl ComponentDowncast<G{index}> for G{index} {{\n\
             fn downcast(it: ComponentInstanceAnyPtr) -> Result<Arc<Self>, ComponentInstanceAnyPtr> {{ it.downcast() }} }}\n\
             impl Component for G{index} {{\n\
             fn create(provider: &mut dyn ComponentInstanceProvider) -> Result<Self, ComponentInstanceProviderError> {{\n\
             let _ = &provider; Ok(Self {{ {filled} }}) }} }}",
            fields = graph.fields(index, ""),
            implemented = graph.implemented(index, "Send + Sync"),
            filled = filled.join(", "),
        )?;
        if graph.is_dyn() {
            writeln!(
                out,
                "impl Injectable for dyn T{index} {{}}\n\
                 impl ComponentDowncast<G{index}> for dyn T{index} {{\n\
                 fn downcast(it: ComponentInstanceAnyPtr) -> Result<Arc<Self>, ComponentInstanceAnyPtr> {{\n\
                 it.downcast::<G{index}>().map(|it| it as Arc<Self>) }} }}"
            )?;
        }
    }
    for (at, chunk) in graph.chunks() {
        writeln!(out, "fn add{at}(registry: &mut Registry) {{")?;
        for index in chunk.clone() {
            writeln!(out, "crate::add::<G{index}>(registry, \"g_{index}\");")?;
            if graph.is_dyn() {
                writeln!(out, "crate::alias::<dyn T{index}, G{index}>(registry);")?;
            }
        }
        writeln!(out, "}}\nfn get{at}(factory: &mut ComponentFactory) {{")?;
        for index in chunk {
            writeln!(out, "crate::got(factory.primary_instance_typed::<{}>());", graph.node(index))?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(
        out,
        "{}\n\
         fn add(registry: &mut Registry) {{ {} }}\nfn get(factory: &mut ComponentFactory) {{ {} }}\n}}\n}}",
        graph.components(|index| graph.node(index)),
        graph.each_chunk(|at| format!("add{at}(registry);")),
        graph.each_chunk(|at| format!("get{at}(factory);")),
    )
}

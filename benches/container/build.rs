//! Writes the components: for each graph a module with the structs, a function that loads them all as goners, and one that wires
//! them by hand.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;

use graphs::{Graph, Shape, TYPED, write_graphs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = String::new();
    for number in TYPED {
        module(&mut out, &Shape::Layers.graph(number))?;
    }
    let mut all = String::new();
    if env::var_os("CARGO_FEATURE_PEERS").is_some() {
        for graph in Graph::compared() {
            module(&mut out, &graph)?;
            let it = format!("PhantomData::<{}::It>", graph.module());
            writeln!(all, "Box::new(Hand({it})), Box::new(Goners({it})),")?;
        }
        writeln!(
            out,
            "/// Those that are compared with the peers.\npub(crate) fn compared() -> Vec<Box<dyn Work>> {{ vec![{all}] }}"
        )?;
    }
    write_graphs(&out)
}

fn module(out: &mut String, graph: &Graph) -> std::fmt::Result {
    writeln!(out, "pub(crate) mod {} {{", graph.module())?;
    writeln!(out, "use super::*;")?;
    for index in 0..graph.number {
        let offers = if graph.is_dyn() { format!("#[goner(offers(dyn T{index}))] ") } else { String::new() };
        writeln!(
            out,
            "#[derive(Goner)] {offers}pub(crate) struct G{index} {{ {} }}\n{}\
             impl G{index} {{ fn new({}) -> Self {{ Self {{ {} }} }} }}",
            graph.fields(index, "#[gone]"),
            graph.implemented(index, "Send + Sync"),
            graph.fields(index, ""),
            graph.names(index),
        )?;
    }
    let mut wired = String::new();
    for (at, chunk) in graph.chunks() {
        // The chunks that this one's components need something of.
        let needs = chunk.clone().flat_map(|index| &graph.needs[index]).map(|need| Graph::chunk_of(*need));
        let needs: BTreeSet<usize> = needs.filter(|need| *need != at).collect();
        let list = |one: &dyn Fn(&usize) -> String| needs.iter().map(one).collect::<Vec<_>>().join(", ");
        let components = |one: &dyn Fn(usize) -> String| chunk.clone().map(one).collect::<Vec<_>>().join(" ");
        let construct = |index: usize| {
            let argument = |need: &usize| match Graph::chunk_of(*need) {
                own if own == at => format!("Arc::clone(&g{need})"),
                other => format!("Arc::clone(&c{other}.g{need})"),
            };
            let arguments: Vec<_> = graph.needs[index].iter().map(argument).collect();
            let node = graph.node(index);
            format!("let g{index}: Arc<{node}> = Arc::new(G{index}::new({}));", arguments.join(", "))
        };
        writeln!(
            out,
            "pub(crate) struct Chunk{at} {{ {} }}\nfn wire{at}({}) -> Chunk{at} {{ {} Chunk{at} {{ {} }} }}",
            components(&|index| format!("g{index}: Arc<{}>,", graph.node(index))),
            list(&|other| format!("c{other}: &Chunk{other}")),
            components(&construct),
            components(&|index| format!("g{index},")),
        )?;
        writeln!(wired, "let c{at} = wire{at}({});", list(&|other| format!("&c{other}")))?;
        let load = components(&|index| format!("loader.load(G{index}::goner());"));
        writeln!(out, "fn load{at}(loader: &mut Loader) {{ {load} }}")?;
        if !graph.is_dyn() {
            let insert = |index| format!("map.insert(TypeId::of::<G{index}>(), chunk.g{index}.clone());");
            writeln!(out, "fn map{at}(chunk: &Chunk{at}, map: &mut Map) {{ {} }}", components(&insert))?;
        }
    }
    let each = |line: &dyn Fn(usize) -> String| graph.each_chunk(line);
    writeln!(out, "pub(crate) struct Wired {{ {} }}", each(&|at| format!("c{at}: Chunk{at},")))?;
    writeln!(
        out,
        "pub(crate) struct It;\nimpl Components for It {{\n\
         const GRAPH: (Shape, usize) = (Shape::{:?}, {});\n\
         type Wired = Wired;\ntype First = {};\ntype Middle = {};\n\
         fn load(loader: &mut Loader) {{ {} }}\nfn wire() -> Wired {{ {wired} Wired {{ {} }} }}\n\
         #[cfg(feature = \"peers\")] fn first(wired: &Wired) -> &Arc<Self::First> {{ &wired.c0.g0 }}",
        graph.shape,
        graph.number,
        graph.node(0),
        graph.node(graph.number / 2),
        each(&|at| format!("load{at}(loader);")),
        each(&|at| format!("c{at},")),
    )?;
    if !graph.is_dyn() {
        writeln!(
            out,
            "fn map(wired: &Wired) -> Option<Map> {{ let map = &mut Map::new(); {} Some(std::mem::take(map)) }}\n\
             #[cfg(feature = \"peers\")] fn found(map: &Map) -> Option<Arc<G{middle}>> {{ typed::found(map) }}",
            each(&|at| format!("map{at}(&wired.c{at}, map);")),
            middle = graph.number / 2,
        )?;
    }
    writeln!(out, "}}\n}}")
}

//! What the build scripts write of a graph: component `7` is the struct `G7`, and its trait, where there are `dyn` nodes, `T7`.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::Path;
use std::{env, fs};

use crate::{Graph, Shape, TYPED};

/// How many stand in one function: the compiler takes more than its share for a function of a thousand.
const CHUNK: usize = 50;

/// The build script of a peer whose container is called so: for each graph its module, and a function that gives all of them.
pub fn write_peer(
    container: &str,
    graphs: impl IntoIterator<Item = Graph>,
    module: impl Fn(&mut String, &Graph) -> fmt::Result,
) -> Result<(), Box<dyn Error>> {
    let (mut out, mut all) = (String::new(), String::new());
    for graph in graphs {
        module(&mut out, &graph)?;
        writeln!(all, "Box::new({container}::<{}::It>(PhantomData)),", graph.module())?;
    }
    writeln!(out, "/// {container} with each graph.\npub fn all() -> Vec<Box<dyn work::Work>> {{ vec![{all}] }}")?;
    write_graphs(&out)
}

/// Writes what a build script has made for the crate to include.
pub fn write_graphs(code: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("graphs.rs"), code)?;
    Ok(())
}

impl Graph {
    /// Those that the containers are compared on, of each size that has types of its own.
    pub fn compared() -> impl Iterator<Item = Graph> {
        Shape::COMPARED.into_iter().flat_map(|shape| TYPED.map(|number| shape.graph(number)))
    }

    /// The struct `It`, which stands for it, and what every peer's `Components` has of it: the impl is left open. `node` is what the
    /// peer calls a component where it is needed.
    pub fn components(&self, node: impl Fn(usize) -> String) -> String {
        format!(
            "pub(crate) struct It;\nimpl crate::Components for It {{\n\
             const GRAPH: (graphs::Shape, usize) = (graphs::Shape::{:?}, {});\n\
             type First = {};\ntype Middle = {};",
            self.shape,
            self.number,
            node(0),
            node(self.number / 2),
        )
    }

    /// The module that holds it.
    pub fn module(&self) -> String {
        format!("{}_{}", self.shape.name().replace('-', "_"), self.number)
    }

    /// What `G7` or `T7` is called where it is needed: a struct, or a `dyn` trait.
    pub fn node(&self, index: usize) -> String {
        if self.is_dyn() { format!("dyn T{index}") } else { format!("G{index}") }
    }

    /// `needs` as fields or parameters, each with something before it: `#[gone] g3: Arc<G3>`.
    pub fn fields(&self, index: usize, before: &str) -> String {
        let field = |need: &usize| format!("{before} g{need}: Arc<{}>", self.node(*need));
        self.needs[index].iter().map(field).collect::<Vec<_>>().join(", ")
    }

    /// The names of its fields.
    pub fn names(&self, index: usize) -> String {
        self.needs[index].iter().map(|need| format!("g{need}")).collect::<Vec<_>>().join(", ")
    }

    /// The trait of a `dyn` node, and that its struct implements it; nothing for others.
    pub fn implemented(&self, index: usize, supertraits: &str) -> String {
        match self.is_dyn() {
            true => format!("pub trait T{index}: {supertraits} {{}}\nimpl T{index} for G{index} {{}}\n"),
            false => String::new(),
        }
    }

    /// The components in parts that a function each can treat.
    pub fn chunks(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let number = self.number;
        (0..number).step_by(CHUNK).map(move |first| first..(first + CHUNK).min(number)).enumerate()
    }

    /// One line for each chunk.
    pub fn each_chunk(&self, line: impl Fn(usize) -> String) -> String {
        self.chunks().map(|(at, _)| line(at)).collect::<Vec<_>>().join(" ")
    }

    /// In which chunk a component is.
    pub fn chunk_of(index: usize) -> usize {
        index / CHUNK
    }
}

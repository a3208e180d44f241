//! What the build scripts write of a graph: component `7` is the struct `G7`, and its trait, where there are `dyn` nodes, `T7`.

use std::ops::Range;

use crate::Graph;

/// How many stand in one function: the compiler takes more than its share for a function of a thousand.
const CHUNK: usize = 50;

impl Graph {
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

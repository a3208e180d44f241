//! The graphs that every container is given, so that all of them do the same work.

mod write;

pub use write::{write_graphs, write_peer};

/// Where the random graphs begin.
pub const SEED: u64 = 20_260_117;
/// A chain of concrete types longer than this is more than the compiler follows: such a graph is made of `dyn` nodes, or at run
/// time.
pub const DEEPEST: usize = 50;
/// The sizes that are made of types of their own, one for each component.
pub const TYPED: [usize; 3] = [10, 100, 1_000];

/// Who needs whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each needs three that stand a twentieth of all further up, so that no chain is longer than 20. The budgets are held
    /// to this one.
    Layers,
    /// Each needs the one before it.
    Chain,
    /// All but three need those three.
    Wide,
    /// Each needs the three before it: as deep as a chain.
    ThreeBack,
    /// Each needs three that come before it, drawn by chance.
    Random,
}

impl Shape {
    /// Those that the containers are compared on.
    pub const COMPARED: [Shape; 4] = [Shape::Chain, Shape::Wide, Shape::ThreeBack, Shape::Random];

    pub fn name(self) -> &'static str {
        match self {
            Shape::Layers => "layers",
            Shape::Chain => "chain",
            Shape::Wide => "wide",
            Shape::ThreeBack => "three-back",
            Shape::Random => "random",
        }
    }

    pub fn graph(self, number: usize) -> Graph {
        let mut chance = Chance(SEED ^ number as u64);
        let needs = (0..number)
            .map(|index| match self {
                Shape::Layers => back(index, (number / 20).max(1), 3),
                Shape::Chain => back(index, 1, 1),
                Shape::Wide => (0..3).filter(|_| index >= 3).collect(),
                Shape::ThreeBack => back(index, 1, 3),
                Shape::Random => chance.three_below(index),
            })
            .collect();
        Graph { shape: self, number, needs }
    }
}

/// So many that stand `first` and more before `index`, or as many as there are.
fn back(index: usize, first: usize, count: usize) -> Vec<usize> {
    (first..first + count).filter_map(|back| index.checked_sub(back)).collect()
}

/// A shape of some size. Whoever is needed stands before whoever needs it.
pub struct Graph {
    pub shape: Shape,
    pub number: usize,
    pub needs: Vec<Vec<usize>>,
}

impl Graph {
    /// How many stand in its longest chain.
    pub fn depth(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.number);
        for needs in &self.needs {
            depths.push(1 + needs.iter().map(|need| depths[*need]).max().unwrap_or_default());
        }
        depths.into_iter().max().unwrap_or_default()
    }

    /// Whether its nodes need each other as `dyn` traits.
    pub fn is_dyn(&self) -> bool {
        self.depth() > DEEPEST
    }

    /// How many need the first.
    pub fn need_the_first(&self) -> usize {
        self.needs.iter().filter(|needs| needs.contains(&0)).count()
    }
}

/// SplitMix64: good enough to draw graphs, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^ (drawn >> 31)
    }

    /// Three different numbers below this one, or as many as there are.
    fn three_below(&mut self, below: usize) -> Vec<usize> {
        let mut drawn: Vec<usize> = Vec::new();
        while drawn.len() < below.min(3) {
            let number = (self.draw() % below as u64) as usize;
            if !drawn.contains(&number) {
                drawn.push(number);
            }
        }
        drawn
    }
}

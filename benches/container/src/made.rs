//! Graphs that are made at run time, of one type, told apart by name: those of ten thousand, which no compiler would make types of.

use std::sync::Arc;

use gone::{Loader, SpecBuilder};
use graphs::Shape;

pub(crate) struct Node {
    pub(crate) _needs: Vec<Arc<Node>>,
}

/// A shape of some size, with a name for each node.
#[derive(Clone)]
pub(crate) struct Named {
    #[cfg(feature = "peers")]
    pub(crate) shape: Shape,
    pub(crate) needs: Arc<[Vec<usize>]>,
    pub(crate) names: Arc<[&'static str]>,
}

impl Named {
    /// Its names are never freed, so that no container has to copy them.
    pub(crate) fn new(shape: Shape, number: usize) -> Self {
        let names = (0..number).map(|index| &*format!("node-{index}").leak()).collect();
        Named {
            #[cfg(feature = "peers")]
            shape,
            needs: shape.graph(number).needs.into(),
            names,
        }
    }

    /// Loads them all as goners.
    pub(crate) fn load(&self, loader: &mut Loader) {
        for (needs, name) in self.needs.iter().zip(self.names.iter()) {
            let count = needs.len();
            let builder = SpecBuilder::new(move |sites| Node { _needs: (0..count).map(|_| sites.take()).collect() });
            let site = |builder: SpecBuilder<Node>, need: &usize| {
                builder.one::<Arc<Node>>(self.names[*need], self.names[*need])
            };
            loader.load(needs.iter().fold(builder, site).build().named(*name));
        }
    }
}

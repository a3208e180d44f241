//! The paths that are secret whatever they are called.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::layer::Layer;

/// Paths that were read into a `Secret`, or that a variable with a secret-looking name was put into.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Known>);

#[derive(Default)]
struct Known {
    paths: BTreeSet<Vec<String>>,
    /// There were too many to remember each.
    all: bool,
}

/// So many paths are remembered; with more of them, everything is hidden.
const MOST: usize = 10_000;

impl Secrets {
    pub(crate) fn add(&self, path: &[String]) {
        let mut known = self.known();
        if known.paths.len() >= MOST {
            known.all = true;
        } else if !known.paths.contains(path) {
            known.paths.insert(path.to_vec());
        }
    }

    pub(crate) fn of_layers(&self, layers: &[Arc<Layer>]) {
        for path in layers.iter().flat_map(|layer| layer.secrets()) {
            self.add(path);
        }
    }

    /// Whether what stands at a path is a secret, lies in one, or holds one.
    pub(crate) fn touch(&self, path: &[String]) -> bool {
        let known = self.known();
        known.all
            || (0..=path.len()).any(|length| known.paths.contains(&path[..length]))
            || known.paths.range(path.to_vec()..).next().is_some_and(|next| next.starts_with(path))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use crate::unwind::catch;
use crate::{ConfigDump, Error, Result, Setting};

/// Something read before the plan, such as configuration files, so that the plan can check what it holds.
///
/// A source has no needs and no hooks. It is loaded with [`source`](crate::source) and read once, in load order. What it
/// holds, its snapshot, is given to `accepts` of providers and to conditions, and is offered as `Arc<Snapshot>`.
/// After that the source is dropped: what changes later reaches live values only, through the goner that watches.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::PathBuf;
/// use std::sync::Arc;
///
/// use gone::Setting;
/// use gone::prelude::*;
///
/// /// A file with a `name = value` on each line.
/// struct Properties(PathBuf);
///
/// struct Values(BTreeMap<String, String>);
///
/// impl Source for Properties {
///     type Snapshot = Values;
///
///     fn read(&self) -> gone::Result<Values> {
///         let text = std::fs::read_to_string(&self.0)?;
///         let pairs = text.lines().filter_map(|line| line.split_once('='));
///         Ok(Values(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()))
///     }
///
///     fn dump(values: &Values) -> Vec<Setting> {
///         values.0.iter().map(|(name, value)| Setting::new(name, value, "the properties")).collect()
///     }
/// }
///
/// /// What it holds is offered, and is at hand in the plan: see [`Provider::accepts`](crate::Provider::accepts).
/// #[derive(Goner)]
/// struct Shop {
///     #[gone]
///     values: Arc<Values>,
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let file = std::env::temp_dir().join(format!("gone-source-{}.properties", std::process::id()));
/// #     std::fs::write(&file, "currency = EUR")?;
/// #     let app = Gone::load((source(Properties(file.clone())), Shop::goner())).boot().await?;
/// #     std::fs::remove_file(&file)?;
/// #     assert_eq!(app.get::<Arc<Shop>>()?.values.0["currency"], "EUR");
/// #     assert_eq!(app.config_dump().get("currency"), Some(&Setting::new("currency", "EUR", "the properties")));
/// #     app.stop().await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source",
    note = "write `impl Source for {Self} {{ type Snapshot = …; fn read(&self) -> gone::Result<…> {{ … }} }}`"
)]
pub trait Source: Send + Sync + 'static {
    /// What it holds.
    type Snapshot: Send + Sync + 'static;

    /// Reads what is at hand: files, environment, memory. No network: `plan` and `check` call this, too.
    ///
    /// # Errors
    /// Each error, and each one [attached](crate::Error::attach) to it, becomes a problem of the plan's report.
    fn read(&self) -> Result<Self::Snapshot>;

    /// Adds what is remote. Called by `run`, `serve` and `boot` only, within the boot's budget, after all sources were
    /// read; the sources that are loaded earlier are at hand, for its address and credentials. Past that budget, and with a dropped boot,
    /// the future is dropped at its next await.
    ///
    /// # Errors
    /// As for [`read`](Source::read).
    fn open(&self, local: Self::Snapshot, sources: &Sources) -> impl Future<Output = Result<Self::Snapshot>> + Send {
        let _ = sources;
        async { Ok(local) }
    }

    /// Looks at what it holds once more, at the end of the plan, when all sites and conditions have asked: what stands in it, and
    /// nobody knows.
    fn review(snapshot: &Self::Snapshot, review: &mut Review) {
        let _ = (snapshot, review);
    }

    /// What it holds, setting by setting, for people to read. No secret may be in it.
    fn dump(snapshot: &Self::Snapshot) -> Vec<Setting> {
        let _ = snapshot;
        Vec::new()
    }
}

/// What a source says at the end of the plan.
#[derive(Debug, Default)]
pub struct Review {
    pub(crate) problems: Vec<Error>,
    pub(crate) warnings: Vec<Error>,
}

impl Review {
    /// Something is wrong: it becomes a problem of the plan's report.
    pub fn problem(&mut self, error: Error) {
        self.problems.push(error);
    }

    /// Something looks like a mistake: it is among [`Plan::warnings`](crate::Plan::warnings).
    pub fn warning(&mut self, error: Error) {
        self.warnings.push(error);
    }
}

/// The snapshots of all sources, by their type.
#[derive(Clone, Default)]
pub struct Sources {
    /// In load order; there are few.
    snapshots: Vec<(TypeId, Held)>,
}

/// A snapshot, and what its source does with it.
#[derive(Clone)]
pub(crate) struct Held {
    snapshot: Arc<dyn Any + Send + Sync>,
    review: fn(&(dyn Any + Send + Sync), &mut Review),
    dump: fn(&(dyn Any + Send + Sync)) -> Vec<Setting>,
}

impl Held {
    pub(crate) fn of<S: Source>(snapshot: Arc<S::Snapshot>) -> Self {
        Held {
            snapshot,
            review: |snapshot, review| {
                if let Some(snapshot) = snapshot.downcast_ref() {
                    S::review(snapshot, review);
                }
            },
            dump: |snapshot| snapshot.downcast_ref().map(S::dump).unwrap_or_default(),
        }
    }
}

impl Sources {
    /// The snapshot of type `S`; none if no source of it is loaded, or it could not be read.
    pub fn get<S: Send + Sync + 'static>(&self) -> Option<&S> {
        self.held(TypeId::of::<S>()).and_then(|held| held.snapshot.downcast_ref())
    }

    fn held(&self, id: TypeId) -> Option<&Held> {
        self.snapshots.iter().find(|(known, _)| *known == id).map(|(_, held)| held)
    }

    /// False if there is one of that type already.
    pub(crate) fn insert(&mut self, id: TypeId, held: Held) -> bool {
        let new = self.held(id).is_none();
        if new {
            self.snapshots.push((id, held));
        }
        new
    }

    /// What the sources find in the end. A panic is one more problem.
    pub(crate) fn review(&self) -> Review {
        let mut review = Review::default();
        for (_, held) in &self.snapshots {
            if let Err(error) = catch(|| (held.review)(&*held.snapshot, &mut review)) {
                review.problem(error);
            }
        }
        review
    }

    pub(crate) fn dump(&self) -> ConfigDump {
        let mut settings = Vec::new();
        for (_, held) in &self.snapshots {
            match catch(|| (held.dump)(&*held.snapshot)) {
                Ok(dumped) => settings.extend(dumped),
                Err(error) => tracing::error!(target: "gone", "a source does not tell what it holds: {error}"),
            }
        }
        ConfigDump::new(settings)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sources({})", self.snapshots.len())
    }
}

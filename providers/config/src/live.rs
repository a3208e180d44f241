//! Values that follow the config while the application runs.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gone_kit::{Changes, Reload};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::absent::Absent;
use crate::error::ConfigError;
use crate::fault::Trace;
use crate::hub::{Cell, Hub, Prepared};
use crate::key::dotted;
use crate::place::Place;
use crate::reader::Reader;
use crate::settings::Settings;
use crate::value::EMPTY;

/// The name under which a [`Live`] asks for its value, so that the reader can tell it where it stands.
pub(crate) const LIVE_NAME: &str = "gone::Live";

/// A config value that follows the config while the application runs.
///
/// A field of any type that serde can read becomes live by this wrapper: a key, with or without a default, or a whole
/// section. The field reads as a `T` does, and is checked in the plan like it; [`get`](Self::get) gives what is current.
///
/// ```
/// use gone_config::{ConfigSource, Live};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Limits {
///     per_minute: u32,
/// }
///
/// let settings = ConfigSource::hermetic().set("limits.per_minute", 60).read()?;
/// let limits: Live<Limits> = settings.section("limits")?;
/// assert_eq!(limits.get().per_minute, 60);
///
/// settings.handle().set("limits.per_minute", 90)?;
/// assert_eq!((limits.get().per_minute, limits.version()), (90, 2));
///
/// let refused = settings.handle().set("limits.per_minute", "many").expect_err("no number");
/// assert!(refused.to_string().contains("config key `limits.per_minute`: bad value `many`"));
/// assert_eq!(limits.get().per_minute, 90);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What holds of a reload:
///
/// - A value is read and checked in full before it takes the place of the old one, so a reader sees all of one or all of
///   the other. Two live values are two: keep together, in one section, what must change together.
/// - If any live value of the application cannot be read from what the config says now, none changes. The refusal is
///   counted, logged at `warn` for the target `gone_config`, and given to who asked for the reload.
/// - A key that is not set any more falls back to the default of the tag. Without one the reload is refused; a
///   `Live<Option<T>>` becomes `None`, and a struct reads from the empty table.
/// - Only a value that says something else than before counts as a change.
///
/// A clone shares the value. A `Live` that is read by another format, or that serde makes by a default because its key is
/// absent in a struct, is a [constant](Self::constant): write `Live` around the struct, and the default inside.
pub struct Live<T> {
    value: Reload<T>,
    /// Kept here so that it is followed for as long as somebody has it.
    followed: Option<Arc<Followed<T>>>,
}

impl<T> Live<T> {
    /// A value that never changes: for tests, and for what is built by hand.
    ///
    /// For a test in which it does change, keep the other end:
    ///
    /// ```
    /// use gone_config::{Live, Reload};
    ///
    /// let end = Reload::new(1);
    /// let live = Live::from(end.clone());
    /// end.accept(2);
    /// assert_eq!(*live.get(), 2);
    /// ```
    pub fn constant(value: T) -> Self {
        Self { value: Reload::new(value), followed: None }
    }

    /// The current value. Takes no lock and never waits.
    pub fn get(&self) -> Arc<T> {
        self.value.get()
    }

    /// The version of the current value: 1 at first, one more with each change of this value.
    pub fn version(&self) -> u64 {
        self.value.version()
    }

    /// The same value, which does not have files looked for by itself that were not there when the config was first read: for the
    /// values of components, which every application has. Whatever else changes the config changes it as well.
    #[doc(hidden)]
    #[must_use]
    pub fn without_new_files(self) -> Self {
        if let Some(followed) = &self.followed {
            followed.without_new_files.store(true, Ordering::Relaxed);
        }
        self
    }

    /// The changes from now on: each with the value before and the value after.
    ///
    /// What came before is not told: whoever acts on the value subscribes first and reads it after that. At most one is held for
    /// a slow subscriber, the latest. They end once all clones of this value are gone.
    pub fn changes(&self) -> Changes<T> {
        self.value.changes()
    }
}

impl<T> From<Reload<T>> for Live<T> {
    /// The value of a [`Reload`], which changes when that one does.
    fn from(value: Reload<T>) -> Self {
        Self { value, followed: None }
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), followed: self.followed.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.get()).finish()
    }
}

impl<T: Serialize> Serialize for Live<T> {
    /// Writes the current value.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned + Send + Sync + 'static> Deserialize<'de> for Live<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LIVE_NAME, LiveVisitor(PhantomData))
    }
}

struct LiveVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned + Send + Sync + 'static> Visitor<'de> for LiveVisitor<T> {
    type Value = Live<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a live value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Live<T>, D::Error> {
        let offered = OFFERED.take();
        let value = Reload::new(T::deserialize(deserializer)?);
        let followed = offered.map(|Offered { hub, place, generation }| {
            let generation = AtomicU64::new(generation);
            let without_new_files = AtomicBool::new(false);
            let followed = Arc::new(Followed { value: value.clone(), place, generation, without_new_files });
            hub.follow(Arc::clone(&followed) as Arc<dyn Cell>);
            followed
        });
        Ok(Live { value, followed })
    }
}

/// What the reader tells a live value that it is about to read.
struct Offered {
    hub: Arc<Hub>,
    place: Place,
    generation: u64,
}

thread_local! {
    static OFFERED: RefCell<Option<Offered>> = const { RefCell::new(None) };
}

/// Runs `read`, the first thing of which is that a live value takes what is offered here.
pub(crate) fn offering<R>(settings: &Settings, place: Place, read: impl FnOnce() -> R) -> R {
    /// Nothing stays for another reader, whatever happens.
    struct Withdraw;
    impl Drop for Withdraw {
        fn drop(&mut self) {
            OFFERED.take();
        }
    }
    let generation = settings.generation();
    OFFERED.set(Some(Offered { hub: Arc::clone(settings.hub()), place, generation }));
    let _withdraw = Withdraw;
    read()
}

/// A live value with where it stands.
struct Followed<T> {
    value: Reload<T>,
    place: Place,
    /// That of the last snapshot that it was compared with.
    generation: AtomicU64,
    /// See [`Live::without_new_files`].
    without_new_files: AtomicBool,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Cell for Followed<T> {
    fn key(&self) -> String {
        dotted(&self.place.path())
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn without_new_files(&self) -> bool {
        self.without_new_files.load(Ordering::Relaxed)
    }

    fn compared_with(&self, generation: u64) {
        self.generation.store(generation, Ordering::Release);
    }

    fn prepare(&self, old: Option<&Settings>, new: &Settings) -> Result<Option<Prepared>, ConfigError> {
        let found = self.place.value(new)?;
        if let Some(Ok(before)) = old.map(|old| self.place.value(old))
            && before.as_ref().map(|(value, _)| value) == found.as_ref().map(|(value, _)| value)
        {
            return Ok(None);
        }
        let trace = Trace::again(&self.place, new);
        let value = match &found {
            Some((value, _)) => T::deserialize(Reader::new(value, &trace)),
            None => T::deserialize(Absent::new(&trace)),
        };
        match value {
            Ok(value) => {
                let (live, value) = (self.value.clone(), Arc::new(value));
                Ok(Some(Box::new(move || {
                    live.accept(value);
                })))
            }
            Err(failure) => {
                let (value, origin) = match &found {
                    Some((value, origin)) => (&**value, origin.clone()),
                    None => (&EMPTY, None),
                };
                Err(new.error(trace.into_fault(value, failure), origin))
            }
        }
    }
}

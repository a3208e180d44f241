//! The shape that all components share: a handle for each instance, opened from its section, watched, counted and closed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gone_core::{CloseReport, Deadline, Result, Sources, Tag};
use gone_kit::{Health, Stat, Status};
use tokio::task::JoinSet;

use crate::error::ConfigErrors;
use crate::{Section, SectionError, Settings};

/// What a component does for each of its instances. [`component!`](crate::component) makes the provider goner of it.
///
/// `#[gone] cache: Cache` is the instance without a name, `#[gone("*,sessions")] cache: Cache` another one: each has a handle,
/// however many goners ask for it.
pub trait Component: Send + Sync + Sized + 'static {
    /// What users inject. Cheap to clone: a clone is the same handle. Its `Debug` holds no secret.
    type Handle: Clone + fmt::Debug + Send + Sync + 'static;

    /// Its section of the config.
    type Section: Section;

    /// Opens the handle of an instance. `self` has what else the component needs. A dropped future leaves nothing open.
    ///
    /// A [`SectionError`] of it becomes one of the config, with the place of each value.
    fn open(&self, section: Self::Section) -> impl Future<Output = Result<Self::Handle>> + Send;

    /// Whether a handle works, and in its detail what an operator wants to know. A dropped future leaves nothing behind.
    fn check(handle: Self::Handle) -> impl Future<Output = Health> + Send;

    /// The figures of all handles together. Their names and kinds are the same in every answer, also where there is no handle.
    fn stats(handles: &[Self::Handle]) -> Vec<Stat>;

    /// Closes a handle for all its clones, and takes at most until the deadline. A dropped future leaves the rest to end by
    /// itself.
    fn close(handle: Self::Handle, deadline: Deadline) -> impl Future<Output = CloseReport> + Send;
}

/// The provider goner of a component, and the function `module` that loads it.
///
/// The goner provides a handle to every site that asks for its type, one for each instance; the section is checked in the
/// plan; it offers `dyn HealthIndicator` and `dyn StatsReader` under the name of the section; it closes all handles at once
/// in `Close`.
///
/// In the short form, the handle has what is needed: `connect(&section)`, `ping()`, `close(deadline)`, and `figures(handles)`,
/// the figures of all handles together, which are the same ones where there is none.
///
/// ```
/// use gone_config::{CloseReport, Deadline, Faults, Section, SectionError, Stat, component};
///
/// #[derive(Clone, Debug)]
/// pub struct Mailer {/* … */}
///
/// impl Mailer {
///     pub async fn connect(config: &MailerConfig) -> Result<Self, SectionError> {
///         config.validate()?;
///         Ok(Self {})
///     }
///     pub async fn ping(&self) -> Result<(), SectionError> {
///         Ok(())
///     }
///     fn figures(mailers: &[Self]) -> Vec<Stat> {
///         vec![Stat::gauge("connections", mailers.len() as u64)]
///     }
///     pub async fn close(&self, _: Deadline) -> CloseReport {
///         CloseReport::clean()
///     }
/// }
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// pub struct MailerConfig {
///     retries: u32,
/// }
///
/// impl Section for MailerConfig {
///     const NAME: &'static str = "mailer";
///
///     fn check(&self, faults: &mut Faults) {
///         faults.within("retries", self.retries, 0..=10);
///     }
/// }
///
/// component! {
///     /// Connects to mail servers: `#[gone] mailer: Mailer` reads the section `mailer`.
///     pub struct MailerProvider provides Mailer, reads MailerConfig;
/// }
/// # fn main() {}
/// ```
///
/// In the long form, the struct has what the component needs beside its section, and implements [`Component`]. Further hooks
/// are implemented for it as for any goner: `self.opened` has the handles. `settings` and `opened` are taken.
///
/// ```
/// # use gone_config::{CloseReport, Component, Deadline, Faults, Health, Result, Section, Stat, component};
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # pub struct MailerConfig {}
/// # impl Section for MailerConfig {
/// #     const NAME: &'static str = "mailer";
/// #     fn check(&self, _: &mut Faults) {}
/// # }
/// # #[derive(Clone, Debug)]
/// # pub struct Mailer {}
/// # #[derive(Clone)]
/// # pub struct Templates;
/// component! {
///     /// Connects to mail servers.
///     pub struct MailerProvider {
///         #[gone]
///         templates: Option<Templates>,
///     }
/// }
///
/// impl Component for MailerProvider {
///     type Handle = Mailer;
///     type Section = MailerConfig;
///
///     async fn open(&self, _: MailerConfig) -> Result<Mailer> {
///         Ok(Mailer {})
///     }
///
///     async fn check(_: Mailer) -> Health {
///         Health::up()
///     }
///
///     fn stats(mailers: &[Mailer]) -> Vec<Stat> {
///         vec![Stat::gauge("connections", mailers.len() as u64)]
///     }
///
///     async fn close(_: Mailer, _: Deadline) -> CloseReport {
///         CloseReport::clean()
///     }
/// }
/// # fn main() {}
/// ```
///
/// With the feature `schema`, the section is announced to the module `schema`, if it implements `schemars::JsonSchema`.
#[macro_export]
macro_rules! component {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident provides $handle:ty, reads $section:ty;
    ) => {
        $crate::component! {
            $(#[$attribute])*
            $visibility struct $name {}
        }

        impl $crate::Component for $name {
            type Handle = $handle;
            type Section = $section;

            async fn open(&self, section: $section) -> $crate::__private::core::Result<$handle> {
                ::std::result::Result::Ok(<$handle>::connect(&section).await?)
            }

            async fn check(handle: $handle) -> $crate::__private::Health {
                $crate::__private::Health::of(handle.ping().await)
            }

            fn stats(handles: &[$handle]) -> ::std::vec::Vec<$crate::__private::Stat> {
                <$handle>::figures(handles)
            }

            async fn close(handle: $handle, deadline: $crate::__private::core::Deadline) -> $crate::__private::core::CloseReport {
                handle.close(deadline).await
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident { $($fields:tt)* }
    ) => {
        $(#[$attribute])*
        #[derive($crate::__private::Goner)]
        #[goner(
            share,
            offers(dyn $crate::__private::HealthIndicator, dyn $crate::__private::StatsReader),
            crate = $crate::__private::core
        )]
        $visibility struct $name {
            #[gone]
            settings: ::std::sync::Arc<$crate::Settings>,
            opened: $crate::Instances<<$name as $crate::Component>::Handle>,
            $($fields)*
        }

        $crate::__component_section!(<$name as $crate::Component>::Section);

        /// Loads the provider.
        $visibility fn module(loader: &mut $crate::__private::core::Loader) {
            loader.load(<$name as $crate::__private::core::Goner>::goner());
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!($name)).field("opened", &self.opened).finish_non_exhaustive()
            }
        }

        // A type that is no provider is not helped by a list of those that are.
        #[diagnostic::do_not_recommend]
        impl $crate::__private::core::Provider for $name {
            type Output = <$name as $crate::Component>::Handle;

            fn accepts(
                tag: &$crate::__private::core::Tag,
                sources: &$crate::__private::core::Sources,
            ) -> $crate::__private::core::Result<()> {
                $crate::__private::accepts::<<$name as $crate::Component>::Section>(tag, sources)
            }

            /// Opens the handle. A dropped future leaves nothing open.
            async fn provide(
                &self,
                tag: &$crate::__private::core::Tag,
            ) -> $crate::__private::core::Result<Self::Output> {
                let handle = $crate::__private::open(self, &self.settings, tag).await?;
                $crate::__private::tracing::debug!(instance = tag.extend(), ?handle, "opened");
                self.opened.add(tag.extend(), handle.clone());
                Ok(handle)
            }
        }

        #[$crate::__private::async_trait]
        impl $crate::__private::HealthIndicator for $name {
            fn name(&self) -> &str {
                <<$name as $crate::Component>::Section as $crate::Section>::NAME
            }

            async fn check(&self) -> $crate::__private::Health {
                self.opened.check(<$name as $crate::Component>::check).await
            }
        }

        impl $crate::__private::StatsReader for $name {
            fn name(&self) -> &str {
                <<$name as $crate::Component>::Section as $crate::Section>::NAME
            }

            fn stats(&self) -> ::std::vec::Vec<$crate::__private::Stat> {
                <$name as $crate::Component>::stats(&self.opened.handles())
            }
        }

        impl $crate::__private::core::Close for $name {
            /// Closes all handles at once.
            async fn close(
                &self,
                deadline: $crate::__private::core::Deadline,
            ) -> $crate::__private::core::Result<$crate::__private::core::CloseReport> {
                self.opened.close(|handle| <$name as $crate::Component>::close(handle, deadline)).await
            }
        }
    };
}

/// Without the feature `schema`, no section is announced.
#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __component_section {
    ($section:ty) => {};
}

/// Whether the section of an instance can be used, in the plan.
pub fn accepts<S: Section>(tag: &Tag, sources: &Sources) -> Result<()> {
    // What a source could not read stands in the report by itself.
    let Some(settings) = sources.get::<Settings>() else { return Ok(()) };
    settings.instance::<S>(tag.extend()).map(drop).map_err(ConfigErrors::into_error)
}

/// Opens the handle of an instance.
pub async fn open<C: Component>(component: &C, settings: &Settings, tag: &Tag) -> Result<C::Handle> {
    let section = settings.instance::<C::Section>(tag.extend()).map_err(ConfigErrors::into_error)?;
    component.open(section).await.map_err(|error| match error.downcast_ref::<SectionError>() {
        Some(unfit) => settings.located::<C::Section>(tag.extend(), unfit).into_error(),
        None => error,
    })
}

/// The handles of a component that are open, each with the name of its instance; the name is empty for the one without.
pub struct Instances<H>(Mutex<Vec<(Arc<str>, H)>>);

impl<H> fmt::Debug for Instances<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(opened.iter().map(|(name, _)| name)).finish()
    }
}

impl<H> Default for Instances<H> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<H: Clone + Send + Sync + 'static> Instances<H> {
    fn opened(&self) -> MutexGuard<'_, Vec<(Arc<str>, H)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a handle.
    pub fn add(&self, name: &str, handle: H) {
        self.opened().push((name.into(), handle));
    }

    /// The handles, in the order in which they were opened.
    pub fn handles(&self) -> Vec<H> {
        self.opened().iter().map(|(_, handle)| handle.clone()).collect()
    }

    /// Checks all handles at once: down if one is. The detail has that of each, behind the name of its instance, by name.
    ///
    /// A dropped future drops the checks.
    pub async fn check<F>(&self, check: impl Fn(H) -> F) -> Health
    where
        F: Future<Output = Health> + Send + 'static,
    {
        let mut asked = JoinSet::new();
        for (name, handle) in self.opened().clone() {
            let check = check(handle);
            asked.spawn(async move { (name, check.await) });
        }
        let mut answers = Vec::new();
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(error) => return Health::down(error.to_string()),
            }
        }
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        let down = answers.iter().any(|(_, health)| health.status == Status::Down);
        let told = answers.iter().filter(|(_, health)| !health.detail.is_empty()).map(|(name, health)| match &**name {
            "" => health.detail.clone(),
            name => format!("{name}: {}", health.detail),
        });
        let detail = told.collect::<Vec<_>>().join("; ");
        if down { Health::down(detail) } else { Health::up().detail(detail) }
    }

    /// Takes all handles out and closes them at once; the report has the sums.
    ///
    /// A dropped future leaves the closing to end by itself.
    ///
    /// # Errors
    ///
    /// When one of them panicked; the others are closed all the same.
    pub async fn close<F>(&self, close: impl Fn(H) -> F) -> Result<CloseReport>
    where
        F: Future<Output = CloseReport> + Send + 'static,
    {
        let handles = std::mem::take(&mut *self.opened());
        let closing: Vec<_> = handles.into_iter().map(|(_, handle)| tokio::spawn(close(handle))).collect();
        let (mut sum, mut failed) = (CloseReport::clean(), None);
        for one in closing {
            match one.await {
                Ok(report) => {
                    sum = sum
                        .flushed(sum.flushed + report.flushed)
                        .lost(sum.lost + report.lost)
                        .still_running(sum.still_running + report.still_running);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(sum), |error| Err(error.into()))
    }
}

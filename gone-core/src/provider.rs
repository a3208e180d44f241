use std::fmt;
use std::marker::PhantomData;

use crate::target::{Made, Target};
use crate::{Code, Error, Result, Sources, Tag};

/// Makes values of one type, and is told what the asking site says after its first comma.
///
/// Called once per site, by several sites at once if need be; a call belongs to the asker's budget. A provider marked
/// `#[goner(share)]` is called once per extension text, and hands out clones. A dropped boot drops the future at its next
/// await: what it made is then released by `Drop`. (contract container A-62, A-64 to A-66, A-77)
///
/// ```
/// use gone::prelude::*;
///
/// struct Mailbox(String);
///
/// /// Makes a mailbox for whoever asks, named after the text of the tag.
/// #[derive(Goner)]
/// struct Mailboxes;
///
/// impl Provider for Mailboxes {
///     type Output = Mailbox;
///
///     fn accepts(tag: &Tag, _: &Sources) -> gone::Result<()> {
///         match tag.extend() {
///             "" => gone::bail!("say which: `#[gone(\"*,orders\")]`"),
///             _ => Ok(()),
///         }
///     }
///
///     async fn provide(&self, tag: &Tag) -> gone::Result<Mailbox> {
///         Ok(Mailbox(format!("{}@example.org", tag.extend())))
///     }
/// }
///
/// #[derive(Goner)]
/// struct Orders {
///     #[gone("*,orders")]
///     mailbox: Mailbox,
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let loaded = (Mailboxes::goner(), Orders::goner());
/// #     Gone::load(loaded).run(async |orders: std::sync::Arc<Orders>| {
/// #         assert_eq!(orders.mailbox.0, "orders@example.org");
/// #         Ok(())
/// #     }).await?;
/// #     #[derive(Goner)]
/// #     struct Careless { #[gone] mailbox: Mailbox }
/// #     assert!(Gone::load((Mailboxes::goner(), Careless::goner())).check().is_err());
/// #     Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider",
    note = "write `impl Provider for {Self} {{ type Output = …; async fn provide(&self, tag: &Tag) -> gone::Result<…> {{ … }} }}`"
)]
pub trait Provider: Send + Sync + 'static {
    /// What it makes: exactly this type is offered, so give `Arc<dyn Trait>` if that is what sites ask for.
    type Output: Send + 'static;

    /// Checks, before anything is built, what a site will ask: called in the plan, once per asking site.
    ///
    /// # Errors
    /// What is wrong with the tag, or with what the sources hold for it. It becomes a problem of the plan's report.
    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        let _ = (tag, sources);
        Ok(())
    }

    /// Makes a value for a site. A dropped boot drops the future at its next await.
    ///
    /// # Errors
    /// Whatever keeps it from doing so: an `Err` or a panic fails the asker, also one that asks for an `Option`, and with it the boot, or
    /// the look-up that asked.
    fn provide(&self, tag: &Tag) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Makes values of one type and has no use for the tag. Otherwise as [`Provider`].
///
/// ```
/// use gone::prelude::*;
///
/// struct Ticket(u64);
///
/// /// Gives each site a ticket of its own.
/// #[derive(Goner)]
/// struct Tickets {
///     last: std::sync::atomic::AtomicU64,
/// }
///
/// impl NoneParamProvider for Tickets {
///     type Output = Ticket;
///
///     async fn provide(&self) -> gone::Result<Ticket> {
///         Ok(Ticket(self.last.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
///     }
/// }
/// # #[derive(Goner)]
/// # struct Two { #[gone] one: Ticket, #[gone] other: Ticket }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     Gone::load((Tickets::goner(), Two::goner())).run(async |two: std::sync::Arc<Two>| {
/// #         assert_ne!(two.one.0, two.other.0);
/// #         Ok(())
/// #     }).await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider without parameters",
    note = "write `impl NoneParamProvider for {Self} {{ type Output = …; async fn provide(&self) -> gone::Result<…> {{ … }} }}`"
)]
pub trait NoneParamProvider: Send + Sync + 'static {
    /// What it makes: exactly this type is offered.
    type Output: Send + 'static;

    /// Makes a value for a site. A dropped boot drops the future at its next await.
    ///
    /// # Errors
    /// Whatever keeps it from doing so: an `Err` or a panic fails the asker, as at [`Provider::provide`].
    fn provide(&self) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// One name, many types: answers sites that ask for its name, whatever their type, as far as it accepts the type.
///
/// It offers nothing by type. Configuration is the typical one. (contract container A-68, A-70 to A-72)
///
/// ```
/// use std::collections::HashMap;
///
/// use gone::prelude::*;
///
/// /// Answers `#[gone("settings,port")]` for every type that serde can read.
/// #[derive(Goner)]
/// #[goner(name = "settings")]
/// struct SettingsProvider {
///     #[gone]
///     values: HashMap<&'static str, serde_json::Value>,
/// }
///
/// impl NamedProvider for SettingsProvider {
///     fn accepts(target: &Target, _: &Tag, _: &Sources) -> gone::Result<()> {
///         match target.is_deserialize() {
///             true => Ok(()),
///             false => gone::bail!("`{}` does not implement `Deserialize`", target.name()),
///         }
///     }
///
///     async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
///         match self.values.get(tag.extend()) {
///             Some(value) => request.deserialize(value),
///             None => request.absent(),
///         }
///     }
/// }
///
/// #[derive(Goner)]
/// struct Server {
///     #[gone("settings,port")]
///     port: u16,
///     #[gone("settings,hosts")]
///     hosts: Option<Vec<String>>,
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let values: HashMap<&'static str, serde_json::Value> = [("port", 8080.into())].into();
/// #     let loaded = (value(values), SettingsProvider::goner(), Server::goner());
/// #     Gone::load(loaded).run(async |server: std::sync::Arc<Server>| {
/// #         assert_eq!((server.port, &server.hosts), (8080, &None));
/// #         Ok(())
/// #     }).await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a many-type provider",
    note = "write `impl NamedProvider for {Self} {{ async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {{ … }} }}`"
)]
pub trait NamedProvider: Send + Sync + 'static {
    /// Checks, before anything is built, whether a site of this type with this tag can be answered.
    ///
    /// # Errors
    /// Why it cannot. It becomes a problem of the plan's report, `gone::mismatch` unless it has a code of its own.
    fn accepts(target: &Target, tag: &Tag, sources: &Sources) -> Result<()> {
        let _ = (target, tag, sources);
        Ok(())
    }

    /// Answers a request: by [`Request::give`], [`Request::deserialize`] or [`Request::absent`]. A dropped boot drops the future at its
    /// next await.
    ///
    /// # Errors
    /// As [`Provider::provide`]; those of the request are passed on with `?`.
    fn provide(&self, tag: &Tag, request: Request<'_>) -> impl Future<Output = Result<Given>> + Send;
}

/// The right to fill one site. It knows the wanted type and is used up by answering.
pub struct Request<'a> {
    target: Target,
    site: PhantomData<&'a mut ()>,
}

/// The proof that a [`Request`] was answered; only a request makes one.
pub struct Given(Answer);

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("target", &self.target).finish_non_exhaustive()
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Answer::Value(_) => "Given(value)",
            Answer::Absent => "Given(absent)",
        })
    }
}

enum Answer {
    Value(Made),
    Absent,
}

impl Request<'_> {
    pub(crate) fn new(target: Target) -> Self {
        Request { target, site: PhantomData }
    }

    /// The whole type of the site: `Option<u16>` for an optional number.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Gives a value.
    ///
    /// # Errors
    /// `gone::mismatch`, naming both types, if the value is not of the wanted one.
    pub fn give<T: Send + 'static>(self, value: T) -> Result<Given> {
        if self.target.is::<T>() {
            return Ok(Given(Answer::Value(Box::new(value))));
        }
        Err(Error::new(
            Code::Mismatch,
            format_args!("the site wants `{}`, and was given `{}`", self.target.name(), Target::of::<T>().name()),
        ))
    }

    /// Gives what a deserializer holds, read as the wanted type.
    ///
    /// # Errors
    /// The deserializer's, or one that says that the wanted type is not `Deserialize`.
    pub fn deserialize<'de, D>(self, deserializer: D) -> Result<Given>
    where
        D: serde::Deserializer<'de>,
    {
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        self.deserialize_erased(&mut erased)
    }

    /// As [`deserialize`](Request::deserialize), for a deserializer whose type is erased already.
    ///
    /// # Errors
    /// As `deserialize`.
    pub fn deserialize_erased(self, deserializer: &mut dyn erased_serde::Deserializer<'_>) -> Result<Given> {
        Ok(Given(Answer::Value(self.target.deserialize(deserializer)?)))
    }

    /// Says that there is nothing: `None` for an `Option`.
    ///
    /// # Errors
    /// `gone::missing` for a site that is not an `Option`.
    pub fn absent(self) -> Result<Given> {
        if self.target.is_optional() {
            return Ok(Given(Answer::Absent));
        }
        Err(Error::new(
            Code::Missing,
            format_args!("there is no value, and `{}` is not an `Option`", self.target.name()),
        ))
    }
}

impl Given {
    pub(crate) fn into_made(self, target: &Target) -> Result<Made> {
        match self.0 {
            Answer::Value(made) if (*made).type_id() == target.id() => Ok(made),
            Answer::Absent => target.absent().ok_or_else(|| answered_another(target)),
            Answer::Value(_) => Err(answered_another(target)),
        }
    }
}

fn answered_another(target: &Target) -> Error {
    Error::new(
        Code::Mismatch,
        format_args!("the answer to another request was given for one that wants `{}`", target.name()),
    )
}

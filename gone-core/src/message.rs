//! Every kind of message that the container has for its users, with its number and its page.

use std::fmt;

use crate::Code;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal, $code:ident;)*) => {
        /// A kind of message: what is wrong, more exactly than its [`Code`] says. Each has a number that never changes, and a page in
        /// `docs/errors/` with a program that fails so and one that is mended, to which the message points.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum MessageKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl MessageKind {
            /// All of them, by number.
            pub const ALL: &'static [MessageKind] = &[$(MessageKind::$kind),*];

            /// Its number, which stands as `G0001` in messages.
            pub const fn number(self) -> u16 {
                match self {
                    $(MessageKind::$kind => $number,)*
                }
            }

            /// What kind of error it is.
            pub const fn code(self) -> Code {
                match self {
                    $(MessageKind::$kind => Code::$code,)*
                }
            }
        }
    };
}

kinds! {
    /// A site asks for a type that nothing offers.
    MissingType = 1, Missing;
    /// A site asks for a name that nothing has.
    MissingName = 2, Missing;
    /// Several offers fit a site that takes one.
    Ambiguous = 3, Ambiguous;
    /// What has the name does not offer the type.
    NameMismatch = 4, Mismatch;
    /// A provider does not accept what it will be asked.
    Refused = 5, Mismatch;
    /// Wrappers in wrappers, which nobody offers as they stand.
    NestedWrappers = 6, Mismatch;
    /// A `Lazy` of what a provider makes.
    LazyOfProvider = 7, Mismatch;
    /// Goners need each other in a circle.
    Cycle = 8, Cycle;
    /// What is needed and what `after` says contradict each other.
    OrderCycle = 9, Cycle;
    /// Two have one name.
    DuplicateName = 10, Duplicate;
    /// A type has two defaults.
    DuplicateDefault = 11, Duplicate;
    /// A type has two providers, and neither is a default or only for its name.
    DuplicateProvider = 12, Duplicate;
    /// Two sources give one snapshot.
    DuplicateSource = 13, Duplicate;
    /// It is only for its name, and has none.
    OnlyForNoName = 14, Load;
    /// It is a default, which is found by type, and only for its name.
    DefaultOnlyForName = 15, Load;
    /// A many-type provider without a name.
    NamelessProvider = 16, Load;
    /// The default for a type that it does not offer.
    DefaultNotOffered = 17, Load;
    /// It replaces what is not there.
    ReplacesNothing = 18, Load;
    /// It replaces what several would fit.
    ReplacesSeveral = 19, Load;
    /// A module failed or panicked.
    ModuleFailed = 20, Load;
    /// A source with a condition.
    ConditionalSource = 21, Load;
    /// A configuration value is absent or bad, or a source cannot be read.
    Config = 22, Config;
    /// Nobody needs it, and it does nothing by itself.
    Unused = 23, Unused;
    /// An `Option` or `Vec` that asks by a name which nothing has, and something has one that is close to it.
    NearName = 24, Missing;
    /// A hook, a construction or a provider returned an error.
    HookFailed = 25, Hook;
    /// A hook, a construction or a provider panicked.
    HookPanicked = 26, Hook;
    /// A hook or a provider did not end within its budget.
    HookAbandoned = 27, Hook;
    /// The application was not ready within the budget of the boot.
    BootBudget = 28, Hook;
    /// A hook of the stop failed, panicked or did not end within its budget.
    StopFailed = 29, Stop;
    /// The application is not in a state for a look-up.
    State = 30, State;
    /// A signal came before the application was ready.
    Interrupted = 31, Interrupted;
    /// A key of the configuration is set, and nobody asks for it.
    UnaskedKey = 32, Unused;
}

impl MessageKind {
    /// The path of its page in the repository: `docs/errors/G0001.md`.
    pub fn page(self) -> String {
        format!("docs/errors/{self}.md")
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "G{:04}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::MessageKind;

    #[test]
    fn numbers_go_from_one_without_a_gap() {
        let numbers: Vec<u16> = MessageKind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(numbers, (1..=MessageKind::ALL.len() as u16).collect::<Vec<_>>());
        assert_eq!(MessageKind::Ambiguous.page(), "docs/errors/G0003.md");
    }
}

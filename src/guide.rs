//! The programs of the guide, compiled and run as tests.

#[doc = include_str!("../docs/guide/01-first-program.md")]
struct FirstProgram;
#[doc = include_str!("../docs/guide/02-providers.md")]
struct Providers;
#[doc = include_str!("../docs/guide/03-names.md")]
struct Names;

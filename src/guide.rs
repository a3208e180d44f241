//! The programs of the guide, compiled and run as tests.

#[doc = include_str!("../docs/guide/01-first-program.md")]
struct FirstProgram;
#[doc = include_str!("../docs/guide/02-providers.md")]
struct Providers;
#[doc = include_str!("../docs/guide/03-names.md")]
struct Names;
#[doc = include_str!("../docs/guide/04-many-type-providers.md")]
struct ManyTypeProviders;
#[doc = include_str!("../docs/guide/05-lifecycle.md")]
struct Lifecycle;
#[doc = include_str!("../docs/guide/06-testing.md")]
struct Testing;
#[doc = include_str!("../docs/guide/07-reading-a-report.md")]
struct ReadingAReport;

//! The programs of the guide, compiled and run as tests. `tests/docs.rs` has an eye on it that no page is missing.

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
#[doc = include_str!("../docs/guide/08-configuration.md")]
struct Configuration;
#[doc = include_str!("../docs/guide/09-logs.md")]
struct Logs;
#[doc = include_str!("../docs/guide/10-database.md")]
struct Database;
#[doc = include_str!("../docs/guide/11-coordination.md")]
struct Coordination;
#[doc = include_str!("../docs/guide/12-identifiers.md")]
struct Identifiers;
#[doc = include_str!("../docs/guide/13-health-and-figures.md")]
struct HealthAndFigures;
#[doc = include_str!("../docs/guide/14-from-gone-go.md")]
struct FromGoneGo;
#[doc = include_str!("../docs/guide/15-from-fx.md")]
struct FromFx;
#[doc = include_str!("../docs/guide/16-from-spring.md")]
struct FromSpring;

//! The programs of the pages in `docs/errors`: `shop g0001/fails` runs the one that fails, `shop g0001/fixed` the one that is mended.

#![allow(dead_code, reason = "small programs, which do not use all that they have")]

use std::process::ExitCode;

/// Each program is a whole `main.rs`, and becomes a module of its own here.
macro_rules! programs {
    ($($kind:ident,)*) => {
        $(mod $kind {
            pub(crate) mod fails {
                include!(concat!(stringify!($kind), "/fails.rs"));

                pub(crate) fn run() -> std::process::ExitCode {
                    main()
                }
            }

            pub(crate) mod fixed {
                include!(concat!(stringify!($kind), "/fixed.rs"));

                pub(crate) fn run() -> std::process::ExitCode {
                    main()
                }
            }
        })*

        fn program(name: &str) -> Option<fn() -> ExitCode> {
            $(
                if name == concat!(stringify!($kind), "/fails") {
                    return Some($kind::fails::run);
                }
                if name == concat!(stringify!($kind), "/fixed") {
                    return Some($kind::fixed::run);
                }
            )*
            None
        }
    };
}

programs! {
    g0001,
    g0002,
    g0003,
    g0004,
    g0005,
    g0006,
    g0007,
    g0008,
    g0009,
    g0010,
    g0011,
    g0012,
    g0013,
    g0014,
    g0015,
    g0016,
    g0017,
    g0018,
    g0019,
    g0020,
    g0021,
    g0022,
    g0023,
    g0024,
    g0025,
    g0026,
    g0027,
    g0028,
    g0029,
    g0030,
    g0031,
    g0032,
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref().and_then(program) {
        Some(run) => run(),
        None => {
            eprintln!("say which program: g0001/fails, g0001/fixed, …");
            ExitCode::from(64)
        }
    }
}

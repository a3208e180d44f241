//! What a mistake looks like to the compiler, one mistake a file, and what must compile under strict settings.
//!
//! The texts are those of the toolchain named by `rust-version`; on another one only that the programs fail, or pass, is what
//! counts, so the comparison is left to the tested one.

#[test]
fn mistakes_are_reported_at_the_users_own_tokens() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}

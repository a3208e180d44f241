use gone::prelude::*;

struct NotASource;

fn main() {
    let _ = source(NotASource);
}

use gone::prelude::*;

fn asks<T: NoneParamProvider>() {}
fn names<T: NamedProvider>() {}
fn provides<T: Provider>() {}

struct Nothing;

fn main() {
    asks::<Nothing>();
    names::<Nothing>();
    provides::<Nothing>();
}

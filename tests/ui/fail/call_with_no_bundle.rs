// container A-89
use gone::prelude::*;

struct NotABundle;

async fn call(app: gone::Running) {
    let _ = app.call_with(async |_: NotABundle| ()).await;
}

fn main() {}

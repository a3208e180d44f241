#[gone::test(start_pausd = true)]
async fn misspelt() -> gone::Result<()> {
    gone::Gone::builder().check()
}

#[gone::test]
fn not_async() {}

fn main() {}

use gone::prelude::*;

async fn start_before_build() -> gone::Result<()> {
    Gone::builder().plan()?.start().await
}

async fn start_twice(app: gone::App) -> gone::Result<()> {
    app.start().await?;
    app.start().await?;
    Ok(())
}

fn main() {}

#[gone::main(flavour = "current_thread")]
fn main(number: u8) -> gone::Result<()> {
    Ok(())
}

use gone::prelude::*;

struct Client;

#[derive(Goner)]
struct Clients;

impl NoneParamProvider for Clients {
    type Output = Client;

    async fn provide(&self) -> gone::Result<Client> {
        Ok(Client)
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Clients::goner())
        .run(async |app: Handle| {
            let _client = app.get::<Client>()?;
            Ok(())
        })
        .await
}

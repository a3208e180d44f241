//! Two providers of one type, told apart by their names.
//!
//! `cargo run -q --example providers_by_name`

use std::sync::Arc;

use gone::prelude::*;

struct ThirdBusiness {
    name: String,
}

/// Named where it is declared.
#[derive(Goner)]
#[goner(name = "x-business-provider")]
struct XProvider;

impl Provider for XProvider {
    type Output = ThirdBusiness;

    async fn provide(&self, tag: &Tag) -> gone::Result<ThirdBusiness> {
        Ok(ThirdBusiness { name: format!("x-{}", tag.extend()) })
    }
}

/// Named where it is loaded.
#[derive(Goner)]
struct YProvider;

impl NoneParamProvider for YProvider {
    type Output = ThirdBusiness;

    async fn provide(&self) -> gone::Result<ThirdBusiness> {
        Ok(ThirdBusiness { name: "y".into() })
    }
}

#[derive(Goner)]
struct ThirdBusinessUser {
    #[gone("x-business-provider,extend")]
    x: ThirdBusiness,
    #[gone("y-business-provider")]
    y: ThirdBusiness,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(ThirdBusinessUser::goner())
        .load(XProvider::goner().only_for_name())
        .load(YProvider::goner().named("y-business-provider").only_for_name())
        .run(async |user: Arc<ThirdBusinessUser>, log: Logger| {
            log.info(format_args!("user.x.name->{}", user.x.name));
            log.info(format_args!("user.y.name->{}", user.y.name));
            Ok(())
        })
        .await
}

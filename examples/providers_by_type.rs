//! Providers by type: one that reads its tag, and one that has no use for it.
//!
//! `cargo run -q --example providers_by_type`

use std::sync::Arc;

use gone::prelude::*;

struct ThirdBusiness1 {
    name: String,
}

struct ThirdBusiness2 {
    name: String,
}

#[derive(Goner)]
struct ThirdBusiness1Provider {
    #[gone("*")]
    log: Logger,
}

impl Provider for ThirdBusiness1Provider {
    type Output = ThirdBusiness1;

    async fn provide(&self, tag: &Tag) -> gone::Result<ThirdBusiness1> {
        self.log.info(format_args!("tagConf->{}", tag.extend()));
        Ok(ThirdBusiness1 { name: "ThirdBusiness1".into() })
    }
}

#[derive(Goner)]
struct ThirdBusiness2Provider;

impl NoneParamProvider for ThirdBusiness2Provider {
    type Output = ThirdBusiness2;

    async fn provide(&self) -> gone::Result<ThirdBusiness2> {
        Ok(ThirdBusiness2 { name: "ThirdBusiness2".into() })
    }
}

#[derive(Goner)]
struct ThirdBusinessUser {
    #[gone("*,AGI")]
    third_business1: ThirdBusiness1,
    #[gone("*")]
    third_business2: ThirdBusiness2,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(ThirdBusinessUser::goner())
        .load(ThirdBusiness1Provider::goner())
        .load(ThirdBusiness2Provider::goner())
        .run(async |user: Arc<ThirdBusinessUser>, log: Logger| {
            log.info(format_args!("user.thirdBusiness1.name->{}", user.third_business1.name));
            log.info(format_args!("user.thirdBusiness2.name->{}", user.third_business2.name));
            Ok(())
        })
        .await
}

//! A channel over TLS.

use std::time::Duration;

use gone_coord::{ChannelOptions, ServiceChannel};
use gone_test_bench::Certificates;
use tokio::time::sleep;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};

use crate::At;
use crate::at::soon;
use crate::echo::{Served, ask};

async fn channel(at: &At, authority: &Certificates) -> ServiceChannel {
    let authority = Certificate::from_pem(std::fs::read(authority.authority()).unwrap());
    let tls = ClientTlsConfig::new().ca_certificate(authority);
    let options = ChannelOptions::default()
        .endpoint(move |it| Endpoint::from_shared(format!("https://{}", it.authority()))?.tls_config(tls.clone()));
    let channel = at.coord.registry().channel_with("echo", options).await.unwrap();
    let there = async {
        while channel.stats().instances == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the instance", there).await;
    channel
}

// REG-19
pub(crate) async fn calls_go_over_tls_and_only_to_a_server_whose_authority_is_known(at: At) {
    let (known, strange) = (Certificates::new().unwrap(), Certificates::new().unwrap());
    let certificate = known.server();
    let identity =
        Identity::from_pem(std::fs::read(certificate.certificate).unwrap(), std::fs::read(certificate.key).unwrap());
    let served = Served::start_with("echo", "one", Some(ServerTlsConfig::new().identity(identity))).await;
    let _one = at.coord.registry().register(served.info.clone(), Duration::from_secs(5)).await.unwrap();
    assert_eq!(ask(&channel(&at, &known).await, "who").await.unwrap(), "one");
    let status = ask(&channel(&at, &strange).await, "who").await.unwrap_err();
    println!("{status:?}");
    assert_eq!(served.calls(), 1);
}

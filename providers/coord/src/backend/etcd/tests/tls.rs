//! Who is let in by certificate, and whom this client trusts.

use gone_test_bench::Certificates;

use super::*;
use crate::CoordError;

async fn opened(url: &str, tls: Tls) -> Result<(), CoordError> {
    let etcd = Etcd::open(Settings { tls, ..settings([url.to_owned()]) }).await?;
    etcd.commit("put", put("/a", "1")).await?;
    // The other connection has the same certificates.
    let session = etcd.open_session(5 * SECOND).await?;
    etcd.close_session(&session).await?;
    assert!(close(&etcd).await.is_clean());
    Ok(())
}

fn refused(failed: Result<(), CoordError>, why: &str) {
    match failed {
        Err(CoordError::Refused { reason, .. }) => assert!(reason.contains(why), "{reason}"),
        other => panic!("refused, not {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn only_the_right_certificates_lead_in() {
    let (own, foreign) = (Certificates::new().unwrap(), Certificates::new().unwrap());
    let server = gone_test_bench::Etcd::new().mutual_tls(&own).start().await.unwrap();
    let identity = |of: &Certificates| Some((of.client().certificate, of.client().key));
    let url = server.url();
    let tls = |authority: &Certificates, identity| Tls { ca_file: Some(authority.authority()), identity };

    opened(&url, tls(&own, identity(&own))).await.unwrap();
    refused(opened(&url, tls(&foreign, identity(&own))).await, "invalid peer certificate");
    refused(opened(&url, Tls { ca_file: None, identity: identity(&own) }).await, "invalid peer certificate");
    for identity in [identity(&foreign), None] {
        for _ in 0..20 {
            // Its alert may come before the connection is used, or after.
            let failed = opened(&url, tls(&own, identity.clone())).await;
            assert!(
                matches!(&failed, Err(CoordError::Refused { reason, .. }) if reason.contains("certificate")),
                "{failed:?}"
            );
        }
    }
    let missing = Tls { ca_file: Some("/no/such/file.pem".into()), identity: None };
    refused(opened(&url, missing).await, "/no/such/file.pem");
    let plain = opened(&url.replace("https:", "http:"), Tls::default()).await.expect_err("it speaks TLS");
    assert!(matches!(plain, CoordError::Unavailable { .. }), "{plain:?}");
    let other = gone_test_bench::Etcd::shared().await.url().replace("http:", "https:");
    let other = opened(&other, tls(&own, None)).await.expect_err("it does not speak TLS");
    // It ends the connection, or resets it.
    let ended = |reason: &str| reason.contains("tls") || reason.contains("reset");
    assert!(matches!(&other, CoordError::Unavailable { reason, .. } if ended(reason)), "{other:?}");
}

//! A new connection: to the first member that answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::{Certificate, Channel, Client, ConnectOptions, Identity, TlsOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::transport::Endpoint;

use super::failure::{Failure, Kind};
use super::live;
use super::settings::{Settings, Tls};

/// How long one member may keep the next from being tried.
const HEAD_START: Duration = Duration::from_millis(300);

/// How often TCP asks a silent server before it gives the connection up.
const KEEP_ALIVES: u32 = 2;

/// Connects to whichever member answers first, and says which, within the settings' `dial_timeout`. They are asked one after the other,
/// beginning with `first`; the next one as soon as one has failed or is slow. A dropped future leaves no connection.
pub(super) async fn any(settings: &Arc<Settings>, first: usize) -> Result<(usize, Client), Failure> {
    let number = settings.endpoints.len();
    // A little less than all of the time: who waits for that long is to hear of the reasons.
    let until = Instant::now() + settings.dial_timeout * 19 / 20;
    let mut waiting = (0..number).map(|place| (first + place) % number);
    let mut trying = JoinSet::new();
    let mut asked = BTreeSet::new();
    let mut failed = Vec::new();
    loop {
        if let Some(member) = waiting.next() {
            let settings = settings.clone();
            asked.insert(member);
            trying.spawn(async move { (member, one(&settings, member).await) });
        }
        let pause = if waiting.len() == 0 { until } else { until.min(Instant::now() + HEAD_START) };
        match timeout_at(pause, trying.join_next()).await {
            Ok(Some(Ok((member, Ok(client))))) => return Ok((member, client)),
            Ok(Some(Ok((member, Err(failure))))) => {
                asked.remove(&member);
                failed.push(failure);
            }
            Ok(Some(Err(panicked))) => failed.push(Failure::new(Kind::NotSent, panicked.to_string())),
            Ok(None) => break,
            Err(_) if Instant::now() >= until => break,
            Err(_) => {}
        }
    }
    for member in asked {
        let reason = format!("no answer within {:?}", settings.dial_timeout);
        failed.push(Failure::new(Kind::NotSent, reason).of(&settings.endpoints[member]));
    }
    Err(summary(failed))
}

/// What is wrong with all of them. That one does not let us in is more telling than that another is down.
fn summary(failed: Vec<Failure>) -> Failure {
    let telling = [Kind::Refused, Kind::Unwelcome];
    let kind = telling.into_iter().find(|kind| failed.iter().any(|failure| failure.kind == *kind));
    let kind = kind.unwrap_or(Kind::NotSent);
    let reasons: Vec<_> = failed.iter().map(Failure::reason).collect();
    Failure::new(kind, reasons.join("; "))
}

/// A connection to one member, which has answered on it.
async fn one(settings: &Settings, member: usize) -> Result<Client, Failure> {
    let address = &settings.endpoints[member];
    let mut options = ConnectOptions::new().with_require_leader(true).with_auto_token_refresh(true);
    if let Some((name, password)) = &settings.user {
        options = options.with_user(name, password.expose());
    }
    let connected = async {
        let channel = endpoint(settings, address)?.connect().await.map_err(etcd_client::Error::from)?;
        let answered = async {
            let client = Client::from_channel(Channel::Tonic(channel), Some(options)).await?;
            live::probe(&client).await.map(|()| client)
        };
        answered.await.map_err(|failure| if is_tls(address) { failure.unwelcome() } else { failure })
    };
    connected.await.map_err(|failure: Failure| failure.of(address))
}

fn is_tls(address: &str) -> bool {
    address.starts_with("https:")
}

fn endpoint(settings: &Settings, address: &str) -> Result<Endpoint, Failure> {
    let invalid = |error: tonic::transport::Error| Failure::from(etcd_client::Error::from(error));
    let endpoint = Endpoint::from_shared(address.to_owned())
        .map_err(invalid)?
        .connect_timeout(settings.dial_timeout)
        .tcp_nodelay(true)
        // Not that of HTTP/2: etcd ends a connection that pings more often than every 5 s, or while nothing is open on it.
        .tcp_keepalive(Some(settings.keep_alive_time))
        .tcp_keepalive_interval(Some(settings.keep_alive_timeout / KEEP_ALIVES))
        .tcp_keepalive_retries(Some(KEEP_ALIVES));
    match is_tls(address) {
        true => endpoint.tls_config(tls(&settings.tls)?).map_err(invalid),
        false => Ok(endpoint),
    }
}

fn tls(settings: &Tls) -> Result<TlsOptions, Failure> {
    let options = match &settings.ca_file {
        Some(file) => TlsOptions::new().ca_certificate(Certificate::from_pem(read(file)?)),
        None => TlsOptions::new().with_webpki_roots(),
    };
    Ok(match &settings.identity {
        Some((certificate, key)) => options.identity(Identity::from_pem(read(certificate)?, read(key)?)),
        None => options,
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::new(Kind::Refused, format!("{}: {error}", file.display())))
}

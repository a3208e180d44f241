//! How a channel connects and chooses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::transport::Endpoint;

use super::OutlierPolicy;
use crate::registry::ServiceInfo;

type MakeEndpoint = Arc<dyn Fn(&ServiceInfo) -> Result<Endpoint, tonic::transport::Error> + Send + Sync>;

/// How a [`ServiceChannel`](super::ServiceChannel) connects and chooses.
#[derive(Clone)]
pub struct ChannelOptions {
    pub(super) endpoint: MakeEndpoint,
    pub(super) outliers: OutlierPolicy,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self { endpoint: Arc::new(ChannelOptions::plain), outliers: OutlierPolicy::default() }
    }
}

impl ChannelOptions {
    /// The endpoint of an instance as it is made by default: `http://`, without TLS; a connection is made within 1 s, and is
    /// given up when, while a call is under way, it is silent for 10 s and a ping is not answered within 3 s more.
    ///
    /// # Errors
    ///
    /// An address that cannot stand in a URL.
    pub fn plain(instance: &ServiceInfo) -> Result<Endpoint, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{}", instance.authority()))?;
        Ok(endpoint
            .connect_timeout(Duration::from_secs(1))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(3)))
    }

    /// Makes the endpoint of each instance otherwise, for instance over TLS, for which your crate turns on the feature `tls-ring` of
    /// `tonic`:
    ///
    /// ```no_run
    /// use gone_coord::ChannelOptions;
    /// use tonic::transport::{ClientTlsConfig, Endpoint};
    ///
    /// let tls = ClientTlsConfig::new();
    /// let options = ChannelOptions::default()
    ///     .endpoint(move |it| Endpoint::from_shared(format!("https://{}", it.authority()))?.tls_config(tls.clone()));
    /// ```
    ///
    /// An instance whose endpoint cannot be made gets no calls, and is named in the log.
    #[must_use]
    pub fn endpoint(
        mut self,
        make: impl Fn(&ServiceInfo) -> Result<Endpoint, tonic::transport::Error> + Send + Sync + 'static,
    ) -> Self {
        self.endpoint = Arc::new(make);
        self
    }

    /// When an instance is left out.
    #[must_use]
    pub fn outliers(mut self, policy: OutlierPolicy) -> Self {
        self.outliers = policy;
        self
    }
}

impl fmt::Debug for ChannelOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelOptions").field("outliers", &self.outliers).finish_non_exhaustive()
    }
}

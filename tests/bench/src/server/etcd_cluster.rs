//! Several etcd nodes that are one store.

use super::etcd::peer_url;
use super::{Etcd, Place, Server, Software, blocking};
use crate::error::{BenchError, Result};

/// An etcd cluster on loopback. A majority of the members must run for it to answer.
pub struct EtcdCluster {
    members: Vec<Server<Etcd>>,
}

impl EtcdCluster {
    /// Starts so many members, all alike, and waits until each answers.
    ///
    /// # Errors
    ///
    /// As [`Server::new`].
    pub async fn start(size: usize, member: Etcd) -> Result<Self> {
        let places: Vec<Place> =
            (0..size).map(|_| Place::new(member.name(), member.ports(), None)).collect::<Result<_>>()?;
        let names: Vec<String> = (0..size).map(|index| format!("m{index}")).collect();
        let cluster: Vec<_> =
            names.iter().zip(&places).map(|(name, place)| format!("{name}={}", peer_url(place))).collect();
        let cluster = cluster.join(",");
        let starting: Vec<_> = names
            .into_iter()
            .zip(places)
            .map(|(name, place)| {
                let mut member = member.clone();
                member.member = Some((name, cluster.clone()));
                // None is ready before a majority is, so all start at once. Their ports are known to all: none tries another.
                tokio::spawn(blocking(move || Server::try_in(member, place).map_err(|(_, error)| error)))
            })
            .collect();
        let mut members = Vec::with_capacity(size);
        for member in starting {
            members.push(member.await.map_err(|error| BenchError::of("a member", error))??);
        }
        Ok(Self { members })
    }

    /// The members, in the order of [`urls`](Self::urls).
    pub fn members(&self) -> &[Server<Etcd>] {
        &self.members
    }

    /// Where the clients connect.
    pub fn urls(&self) -> Vec<String> {
        self.members.iter().map(Server::<Etcd>::url).collect()
    }

    /// The index of the member that leads now; `None` while there is no leader among those that run.
    pub async fn leader(&self) -> Option<usize> {
        for (index, member) in self.members.iter().enumerate() {
            if member.metric("etcd_server_is_leader").await.is_ok_and(|it| it == 1.0) {
                return Some(index);
            }
        }
        None
    }
}

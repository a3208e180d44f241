//! Ports on loopback that no other server or proxy of a bench on this machine is given.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

/// A port, marked as ours for all benches on this machine by a socket of its name, which the kernel closes when we are gone.
/// So nobody else is given it while our server is down.
pub(crate) struct Port {
    address: SocketAddr,
    _mark: UnixDatagram,
}

/// A port that is ours alone also while nobody listens at it: a socket is bound to it, and does not listen. So the kernel
/// refuses connections, and gives the port to nobody.
pub(crate) struct HeldPort {
    port: Port,
    _held: TcpSocket,
}

impl Port {
    pub(crate) fn new() -> io::Result<Self> {
        Self::bound().map(|(port, _)| port)
    }

    fn bound() -> io::Result<(Self, TcpSocket)> {
        loop {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
            let address = socket.local_addr()?;
            let name = format!("gone-test-port-{}", address.port());
            let name = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            match UnixDatagram::bind_addr(&name) {
                Ok(mark) => return Ok((Self { address, _mark: mark }, socket)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl HeldPort {
    pub(crate) fn new() -> io::Result<Self> {
        let (port, held) = Port::bound()?;
        // From now on who asks for this very port may share it; who asks for any port is not given it.
        held.set_reuseport(true)?;
        Ok(Self { port, _held: held })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address
    }

    /// A socket to listen with.
    pub(crate) fn socket(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        // Connections of an earlier listener may still be closing.
        socket.set_reuseaddr(true)?;
        socket.bind(self.port.address)?;
        Ok(socket)
    }

    /// Waits until connections are refused, now that nobody listens any more. A process that is being started by another
    /// thread has a copy of the listener until it begins, and so connections may be taken for an instant longer.
    pub(crate) async fn refuses(&self) {
        while TcpStream::connect(self.port.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_held_port_is_refused_listened_at_and_refused_again_and_given_to_nobody_else() {
        let ports: Vec<_> = (0..200).map(|_| HeldPort::new().unwrap()).collect();
        let addresses: BTreeSet<_> = ports.iter().map(HeldPort::address).collect();
        assert_eq!(addresses.len(), 200);
        for port in &ports[..20] {
            for _ in 0..3 {
                port.refuses().await;
                let listener = port.socket().unwrap().listen(8).unwrap();
                let client = TcpStream::connect(port.address()).await.unwrap();
                let (served, _) = listener.accept().await.unwrap();
                drop((listener, served, client));
            }
        }
        for _ in 0..500 {
            let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
            assert!(!addresses.contains(&other.local_addr().unwrap()), "it is held");
        }
    }
}

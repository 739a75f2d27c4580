//! The sandbox's ports: all follow from one base, and all are looked at before anything starts.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};

use crate::failure::{Failure, Outcome};

/// The default base; the same as `realdid network init` uses.
pub const DEFAULT_BASE: u16 = 7300;
const SPAN: u16 = 60;
/// Where further nodes begin, two ports each.
const FURTHER_NODES: u16 = 40;

/// The ports of one sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    base: u16,
    validators: u16,
}

impl Ports {
    /// Ports from `base`, which must leave room above and stay clear of the privileged ones, for so
    /// many validators.
    pub fn new(base: u16, validators: u16) -> Outcome<Self> {
        if (1024..=u16::MAX - SPAN).contains(&base) {
            Ok(Self { base, validators })
        } else {
            Err(Failure::usage(format!(
                "--port-base {base}: choose from 1024 to {}",
                u16::MAX - SPAN
            )))
        }
    }

    /// The first base from `from` upwards, in steps, whose ports are all free right now.
    pub fn first_free(from: u16, validators: u16) -> Outcome<Self> {
        (0..40)
            .filter_map(|step| Self::new(from + step * SPAN, validators).ok())
            .find(|ports| ports.taken().is_none())
            .ok_or_else(|| Failure::new(format!("no free ports found from {from} upwards")))
    }

    /// The number all others follow from.
    pub fn base(self) -> u16 {
        self.base
    }

    /// The number of validators; each has a node.
    pub fn validators(self) -> u16 {
        self.validators
    }

    /// The HTTP interface of ledger node number 0, 1, …; its peers reach it one port above.
    pub fn node(self, index: u16) -> u16 {
        match index {
            0 => self.base,
            further => self.base + FURTHER_NODES + 2 * (further - 1),
        }
    }

    /// The authority.
    pub fn authority(self) -> u16 {
        self.base + 10
    }

    /// The issuer of driving licences.
    pub fn issuer(self) -> u16 {
        self.base + 11
    }

    /// The sign-in server.
    pub fn signin(self) -> u16 {
        self.base + 20
    }

    /// The web wallet.
    pub fn web_wallet(self) -> u16 {
        self.base + 30
    }

    /// Website number 0 (A), 1 (B) or 2 (car rental).
    pub fn site(self, index: u16) -> u16 {
        self.base + 31 + index
    }

    fn all(self) -> impl Iterator<Item = (u16, &'static str)> {
        let nodes = (0..self.validators).map(move |index| self.node(index));
        let nodes = nodes.flat_map(|port| [(port, "a ledger node"), (port + 1, "a ledger node's peers")]);
        nodes.chain([
            (self.authority(), "the authority"),
            (self.issuer(), "the licence issuer"),
            (self.signin(), "the sign-in server"),
            (self.web_wallet(), "the web wallet"),
            (self.site(0), "site A"),
            (self.site(1), "site B"),
            (self.site(2), "the car rental"),
        ])
    }

    /// The first port somebody else listens on, if any.
    pub fn taken(self) -> Option<Taken> {
        self.all()
            .find(|(port, _)| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err())
            .map(|(port, wanted_by)| Taken { port, wanted_by })
    }
}

/// A port that is not free.
pub struct Taken {
    port: u16,
    wanted_by: &'static str,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, wanted_by } = self;
        write!(f, "port {port}, wanted by {wanted_by}, is taken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let ports = Ports::first_free(21_300, 4).unwrap();
        let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.signin())).unwrap();
        let taken = ports.taken().unwrap().to_string();
        assert!(taken.contains(&ports.signin().to_string()), "{taken}");
        assert!(taken.contains("sign-in"), "{taken}");
    }

    #[test]
    fn the_base_leaves_room() {
        assert!(Ports::new(80, 1).is_err());
        assert!(Ports::new(65_530, 1).is_err());
        assert!(Ports::new(DEFAULT_BASE, 1).is_ok());
    }

    #[test]
    fn no_port_is_given_twice() {
        let ports = Ports::new(DEFAULT_BASE, 10).unwrap();
        let mut given: Vec<_> = ports.all().map(|(port, _)| port).collect();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 2 * 10 + 7);
        assert!(given.iter().all(|port| port - DEFAULT_BASE < SPAN));
    }
}

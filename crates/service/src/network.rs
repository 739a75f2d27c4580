//! Who really asks: the peer, or whom a trusted proxy says it speaks for.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;

/// A network of addresses, such as `10.0.0.0/8`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    address: IpAddr,
    bits: u8,
}

/// Why a text is not a network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address or network such as 10.0.0.0/8")]
pub struct SubnetError(String);

impl Subnet {
    /// Whether the network holds an address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let free = 32 - u32::from(self.bits);
                (network.to_bits() ^ address.to_bits())
                    .checked_shr(free)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let free = 128 - u32::from(self.bits);
                (network.to_bits() ^ address.to_bits())
                    .checked_shr(free)
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let error = || SubnetError(text.to_owned());
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(longest), str::parse).map_err(|_| error())?;
        if bits <= longest {
            Ok(Self { address, bits })
        } else {
            Err(error())
        }
    }
}

impl TryFrom<String> for Subnet {
    type Error = SubnetError;

    fn try_from(text: String) -> Result<Self, SubnetError> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        format!("{}/{}", subnet.address, subnet.bits)
    }
}

/// Whether the peer is one of the trusted proxies.
#[must_use]
pub fn is_trusted(peer: IpAddr, trusted: &[Subnet]) -> bool {
    trusted.iter().any(|subnet| subnet.contains(peer))
}

/// The client's address: the peer's, unless the peer is a trusted proxy; then the last address in
/// `X-Forwarded-For` that is not itself a trusted proxy's.
#[must_use]
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[Subnet]) -> IpAddr {
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let values = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let claimed: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in claimed.iter().rev() {
        match hop.parse() {
            Ok(address) if is_trusted(address, trusted) => {}
            Ok(address) => return address,
            // What stands before something unreadable is not to be believed.
            Err(_) => return peer,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let proxy: IpAddr = "10.1.2.3".parse().unwrap();
        let stranger: IpAddr = "192.0.2.7".parse().unwrap();
        assert_eq!(client_ip(stranger, &headers("198.51.100.1"), &trusted), stranger);
        assert_eq!(
            client_ip(proxy, &headers("198.51.100.1, 10.9.9.9"), &trusted).to_string(),
            "198.51.100.1"
        );
        assert_eq!(
            client_ip(proxy, &headers("1.1.1.1, 198.51.100.1"), &trusted).to_string(),
            "198.51.100.1"
        );
        assert_eq!(client_ip(proxy, &headers("1.1.1.1, junk"), &trusted), proxy);
        assert_eq!(client_ip(proxy, &HeaderMap::new(), &trusted), proxy);
    }

    #[test]
    fn networks_hold_their_addresses() {
        let all: Subnet = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.1.1.1".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        let one: Subnet = "192.0.2.1".parse().unwrap();
        assert!(
            one.contains("::ffff:192.0.2.1".parse().unwrap()) && !one.contains("192.0.2.2".parse().unwrap())
        );
        assert!("192.0.2.1/33".parse::<Subnet>().is_err() && "x/8".parse::<Subnet>().is_err());
    }
}

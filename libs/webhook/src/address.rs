//! Which addresses may be connected to: what others name as theirs must not lead to what
//! is ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network: its first address, and how many bits of it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a network such as 10.20.0.0/16 or fd00:1::/32")]
pub struct InvalidNetwork;

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32) -> Network {
    Network { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
}

const fn v6(first: u16, second: u16, bits: u32) -> Network {
    Network { first: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)), bits }
}

/// What of IPv4 is nobody's on the internet (IANA's special-purpose registry), and one
/// address that is a cloud's own though it looks public.
const NOT_PUBLIC_V4: [Network; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(168, 63, 129, 16, 32), // Azure's metadata
    v4(169, 254, 0, 0, 16),   // link-local, and the metadata of other clouds
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// What is assigned of IPv6 on the internet. All else is not: loopback, link-local, unique
/// local, multicast, and addresses that stand for IPv4 ones.
const PUBLIC_V6: Network = v6(0x2000, 0, 3);

/// What of it is not public, or stands for an address of IPv4.
const NOT_PUBLIC_V6: [Network; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32 - self.bits;
                first.to_bits().checked_shr(shift).unwrap_or(0)
                    == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128 - self.bits;
                first.to_bits().checked_shr(shift).unwrap_or(0)
                    == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (first, bits) = text.split_once('/').ok_or(InvalidNetwork)?;
        let first: IpAddr = first.parse().map_err(|_| InvalidNetwork)?;
        let bits: u32 = bits.parse().map_err(|_| InvalidNetwork)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits <= most { Ok(Self { first, bits }) } else { Err(InvalidNetwork) }
    }
}

/// The networks the operator allows beside the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// These, beside the public internet.
    pub fn new(allowed: impl IntoIterator<Item = Network>) -> Self {
        Self(allowed.into_iter().collect())
    }

    /// Whether an address may be connected to.
    pub fn may(&self, address: IpAddr) -> bool {
        self.are_ours(address) || is_public(address)
    }

    /// Whether an address is of a network the operator named: the way there is trusted.
    pub fn are_ours(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.has(address))
    }
}

/// Whether an address is somebody's on the internet. One of IPv6 that is an IPv4 address
/// in other clothes is that address.
fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    match address {
        IpAddr::V4(_) => !NOT_PUBLIC_V4.iter().any(|network| network.has(address)),
        IpAddr::V6(_) => PUBLIC_V6.has(address) && !NOT_PUBLIC_V6.iter().any(|network| network.has(address)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_ours_is_refused_in_every_spelling() {
        for refused in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!Networks::default().may(ip(refused)), "{refused}");
        }
        for allowed in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(Networks::default().may(ip(allowed)), "{allowed}");
        }
    }

    #[test]
    fn the_operator_allows_networks_by_name() {
        let networks = Networks::new(["10.20.0.0/16", "fd00:1::/32"].map(|text| text.parse().unwrap()));
        for (address, may) in [
            ("10.20.255.1", true),
            ("::ffff:10.20.0.1", true),
            ("10.21.0.1", false),
            ("fd00:1:9::1", true),
            ("fd00:2::1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!((networks.may(ip(address)), networks.are_ours(ip(address))), (may, may), "{address}");
        }
        assert!(networks.may(ip("8.8.8.8")) && !networks.are_ours(ip("8.8.8.8")));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(Networks::new([all]).may(ip("127.0.0.1")));
        for wrong in ["", "10.0.0.0", "10.0.0.0/33", "::/129", "ten/8", "10.0.0.0/-1"] {
            assert_eq!(wrong.parse::<Network>(), Err(InvalidNetwork), "{wrong}");
        }
    }

    proptest! {
        /// The standard library's own judgement, where it has one.
        #[test]
        fn no_address_of_ipv4_that_is_private_by_other_judgement_is_public(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let is_ours = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!(is_ours && is_public(IpAddr::V4(address))));
            prop_assert_eq!(
                is_public(IpAddr::V4(address)),
                is_public(IpAddr::V6(address.to_ipv6_mapped())),
            );
        }
    }
}

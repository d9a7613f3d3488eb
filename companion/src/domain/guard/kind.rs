//! Kinds of buckets.

/// Kind of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Client: an IPv4 address, or a /64 of IPv6.
    Address,
    /// Network of neighbours, or all clients of unknown address.
    Network,
    /// Account, for all unknown devices together.
    Account,
    /// Account and a device that has signed in to it: its failures since it last signed in.
    Device,
    /// The same account and device: all its logins.
    DeviceLogins,
    /// Recipient of mails of a kind.
    Recipient,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Address, Self::Network, Self::Account, Self::Device, Self::DeviceLogins, Self::Recipient];

    /// Returns the value of a metric's label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Network => "network",
            Self::Account => "account",
            Self::Device => "device",
            Self::DeviceLogins => "device_logins",
            Self::Recipient => "recipient",
        }
    }

    /// Returns `true` if only logins of one known device are charged to the bucket.
    #[must_use]
    pub fn is_of_known_device(self) -> bool {
        matches!(self, Self::Device | Self::DeviceLogins)
    }

    /// Returns `true` if consecutive failures are counted: the bucket belongs to an authenticator.
    #[must_use]
    pub fn counts_failures(self) -> bool {
        matches!(self, Self::Account | Self::Device)
    }
}

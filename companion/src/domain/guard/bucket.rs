//! The buckets that an attempt is charged to.

mod passkeys;

use std::net::IpAddr;

use aws_lc_rs::hmac;
use edgeward_wire::Network;
use secrecy::{ExposeSecret as _, SecretString};
use time::Duration;

use super::subject::{Authenticator, Subject};
use super::{Kind, Limit};
use crate::domain::SessionId;
use crate::domain::account::email::Email;
use crate::domain::mail::MailKind;
use crate::domain::network;

/// Number of bytes of a key: the number of the bucket's subject, and 128 bits of a keyed hash.
const KEY_BYTES: usize = 17;
/// Attempts of a site's network for each of one client. Chosen: a site has ten clients that fail at the same time.
const CLIENTS_OF_A_SITE: u32 = 10;

/// Logins of a known device, right and wrong ones, for each failure. Chosen: a script logs in so often. By default these are
/// 200 hashes in 20 minutes, 4 % of a core (docs/design/scale.md).
const LOGINS_OF_A_DEVICE: u32 = 10;

/// Number of device buckets of an account. Chosen: people have fewer devices. Each correct login without a device token makes
/// one known: with a bucket for each, one account would be hashed for without end.
const DEVICES_OF_AN_ACCOUNT: i64 = 16;
/// Recipients of mails that one client asks for, for each mail of one of them. Chosen: an office behind one address.
const RECIPIENTS_OF_A_CLIENT: u32 = 10;

/// Wrong codes and passkeys of somebody who knows the password, after which the next one is told to the user. Chosen: people
/// mistype one or two in a day.
const WRONG_CODES: Limit = Limit::new(4, Duration::DAY);
/// Mails about them. Chosen: one a day says it.
const WRONG_CODE_MAILS: Limit = Limit::new(1, Duration::DAY);

/// Key of a bucket. No address and no e-mail address can be read from it.
pub type BucketKey = [u8; KEY_BYTES];

/// Limits of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Logins of an account by all unknown devices together, and failures of each known one since it last signed in.
    pub account: Limit,
    /// Logins of an address by unknown devices.
    pub address: Limit,
    /// Registrations of an address.
    pub registration: Limit,
    /// Mails of a kind to a recipient.
    pub mail: Limit,
}

/// Bucket that an attempt is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Kind.
    pub kind: Kind,
    /// Key.
    pub key: BucketKey,
    /// Limit.
    pub limit: Limit,
    /// Client that is banned from logins if the bucket keeps rejecting. None for a registration or a mail, which say nothing
    /// about logins, and none for a whole network, which has many clients.
    pub network: Option<Network>,
}

/// Composition of the buckets of attempts.
pub struct Buckets {
    hash: hmac::Key,
    limits: Limits,
}

impl Buckets {
    /// Takes a secret that all companions share, from which the key of the hashes is derived, and the limits.
    #[must_use]
    pub fn new(secret: &SecretString, limits: Limits) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let key = hmac::sign(&secret, b"edgeward attempts: buckets");
        Self { hash: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), limits }
    }

    /// Returns the buckets of a login from an address, for one of its authenticators. A known device, named by the session that
    /// it was made known by, is charged to its own buckets alone: nobody else can keep it out. An account that does not exist has
    /// the same buckets as one that does.
    #[must_use]
    pub fn of_login(
        &self,
        authenticator: Authenticator,
        client: Option<IpAddr>,
        email: &Email,
        device: Option<SessionId>,
    ) -> Vec<Bucket> {
        let subjects = authenticator.subjects();
        if let Some(SessionId(session)) = device {
            return self.of_device(session.rem_euclid(DEVICES_OF_AN_ACCOUNT), email, subjects.device);
        }
        let mut buckets = self.of_client(client, subjects.client, self.limits.address);
        let key = self.key_of_unknown_devices(authenticator, email);
        buckets.push(Bucket { kind: Kind::Account, key, limit: self.limits.account, network: None });
        buckets
    }

    /// Returns the buckets of a signed-in user who proves an authenticator again. They are the session's own: whoever stole it
    /// has so many guesses, and takes none from the user's logins.
    #[must_use]
    pub fn of_reauthentication(
        &self,
        authenticator: Authenticator,
        email: &Email,
        SessionId(session): SessionId,
    ) -> Vec<Bucket> {
        self.of_device(session, email, authenticator.subjects().session)
    }

    fn of_device(&self, device: i64, email: &Email, [failures, all]: [Subject; 2]) -> Vec<Bucket> {
        let limit = self.limits.account;
        let bucket = |kind, subject, limit| {
            let key = self.key(subject, &[&device.to_be_bytes(), email.as_str().as_bytes()]);
            Bucket { kind, key, limit, network: None }
        };
        vec![
            bucket(Kind::Device, failures, limit),
            bucket(Kind::DeviceLogins, all, limit.times(LOGINS_OF_A_DEVICE)),
        ]
    }

    /// Returns the bucket of an account for all unknown devices together.
    #[must_use]
    pub fn key_of_unknown_devices(&self, authenticator: Authenticator, email: &Email) -> BucketKey {
        self.key(authenticator.subjects().account, &[email.as_str().as_bytes()])
    }

    /// Returns the buckets of a registration from an address.
    #[must_use]
    pub fn of_registration(&self, client: Option<IpAddr>) -> Vec<Bucket> {
        let subjects = [Subject::RegistrationAddress, Subject::RegistrationNetwork];
        self.of_client_unbanned(client, subjects, self.limits.registration)
    }

    /// Returns the buckets of a mail of a kind that a client asks for. An address that no account has is limited like one that
    /// an account has.
    #[must_use]
    pub fn of_mail(&self, client: Option<IpAddr>, kind: MailKind, recipient: &Email) -> Vec<Bucket> {
        let subjects = [Subject::MailAddress, Subject::MailNetwork];
        let limit = self.limits.mail.times(RECIPIENTS_OF_A_CLIENT);
        let mut buckets = self.of_client_unbanned(client, subjects, limit);
        buckets.push(self.of_recipient(kind, recipient));
        buckets
    }

    /// Returns the bucket of the mails of a kind to a recipient.
    #[must_use]
    pub fn of_recipient(&self, kind: MailKind, recipient: &Email) -> Bucket {
        let name = [kind.as_str().as_bytes(), b" ", recipient.as_str().as_bytes()];
        let key = self.key(Subject::MailRecipient, &name);
        let limit = if kind == MailKind::WrongCodes { WRONG_CODE_MAILS } else { self.limits.mail };
        Bucket { kind: Kind::Recipient, key, limit, network: None }
    }

    /// Returns the bucket of the wrong codes and passkeys behind the right password of an account.
    #[must_use]
    pub fn of_wrong_factors(&self, email: &Email) -> Bucket {
        let key = self.key(Subject::WrongCodes, &[email.as_str().as_bytes()]);
        Bucket { kind: Kind::Recipient, key, limit: WRONG_CODES, network: None }
    }

    /// Returns the buckets of a link or code of a mail that a client presents. Nobody guesses a link, and a code counts beside its
    /// handle alone: they spare us the statements.
    #[must_use]
    pub fn of_one_time_token(&self, client: Option<IpAddr>) -> Vec<Bucket> {
        self.of_client_unbanned(
            client,
            [Subject::OneTimeAddress, Subject::OneTimeNetwork],
            self.limits.address,
        )
    }

    /// Returns the network of a client that presents a made-up refresh token, its key, and a fingerprint of the token; `None`
    /// for a client that is never banned.
    #[must_use]
    pub fn of_refresh(&self, client: Option<IpAddr>, token: &str) -> Option<(Network, BucketKey, BucketKey)> {
        let network = network::of_client(client.filter(|client| !is_exempt(*client))?);
        let name = network.to_string();
        let key = |parts: &[&[u8]]| self.key(Subject::Refresh, parts);
        Some((network, key(&[name.as_bytes()]), key(&[name.as_bytes(), b" ", token.as_bytes()])))
    }

    /// Returns the buckets of a client whose rejections say nothing about logins.
    fn of_client_unbanned(
        &self,
        client: Option<IpAddr>,
        subjects: [Subject; 2],
        limit: Limit,
    ) -> Vec<Bucket> {
        let buckets = self.of_client(client, subjects, limit);
        buckets.into_iter().map(|bucket| Bucket { network: None, ..bucket }).collect()
    }

    /// An address that the proxy does not know is a client of one network, that of all such clients: without a limit, a
    /// proxy that hides addresses would let everybody behind it guess without end.
    fn of_client(&self, client: Option<IpAddr>, subjects: [Subject; 2], limit: Limit) -> Vec<Bucket> {
        let [address, network] = subjects;
        let wide = limit.times(CLIENTS_OF_A_SITE);
        let key_of = |subject, network: Network| self.key(subject, &[network.to_string().as_bytes()]);
        match client {
            Some(client) if is_exempt(client) => Vec::new(),
            Some(client) => {
                let (own, site) = (network::of_client(client), network::of_site(client));
                vec![
                    Bucket { kind: Kind::Address, key: key_of(address, own), limit, network: Some(own) },
                    Bucket { kind: Kind::Network, key: key_of(network, site), limit: wide, network: None },
                ]
            }
            None => {
                let key = self.key(network, &[b"unknown"]);
                vec![Bucket { kind: Kind::Network, key, limit: wide, network: None }]
            }
        }
    }

    fn key(&self, subject: Subject, parts: &[&[u8]]) -> BucketKey {
        let mut context = hmac::Context::with_key(&self.hash);
        context.update(&[subject as u8]);
        for part in parts {
            context.update(part);
        }
        let mut key = [subject as u8; KEY_BYTES];
        key.iter_mut().skip(1).zip(context.sign().as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
        key
    }
}

/// Returns `true` for an address that is never limited or banned. Behind a proxy that is not trusted, loopback is every
/// client.
fn is_exempt(client: IpAddr) -> bool {
    client.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests;

//! The buckets of requests for a passkey: each is a row for minutes.

use std::net::IpAddr;

use super::{Bucket, Buckets, DEVICES_OF_AN_ACCOUNT, Kind, LOGINS_OF_A_DEVICE, Limit, Subject};
use crate::domain::SessionId;
use crate::domain::factor::ticket::TicketHash;

/// Requests for a passkey, for each login of an address. Chosen: the page that signs in makes one whenever it is shown.
const REQUESTS_OF_A_LOGIN: u32 = 10;

impl Buckets {
    /// Returns the buckets of a request for a passkey by a client that is nobody yet. A known device has one of its own, like its
    /// logins: no neighbour empties it. The account that it has signed in to last and the session that it was made known by name
    /// the device.
    #[must_use]
    pub fn of_passkey_request(
        &self,
        client: Option<IpAddr>,
        device: Option<(&str, SessionId)>,
    ) -> Vec<Bucket> {
        if let Some((account, SessionId(session))) = device {
            let device = session.rem_euclid(DEVICES_OF_AN_ACCOUNT).to_be_bytes();
            let limit = self.limits.account.times(LOGINS_OF_A_DEVICE);
            return vec![self.of_requests(Subject::PasskeyDevice, &[&device, account.as_bytes()], limit)];
        }
        let subjects = [Subject::PasskeyAddress, Subject::PasskeyNetwork];
        self.of_client_unbanned(client, subjects, self.limits.address.times(REQUESTS_OF_A_LOGIN))
    }

    /// Returns the bucket of the requests for a passkey that completes a pending login. It is the pending login's own: neither a
    /// neighbour nor somebody else who knows the password takes a request from it.
    #[must_use]
    pub fn of_pending_login(&self, ticket: &TicketHash) -> Bucket {
        self.of_requests(Subject::PasskeyPendingLogin, &[ticket], self.limits.account)
    }

    fn of_requests(&self, subject: Subject, parts: &[&[u8]], limit: Limit) -> Bucket {
        Bucket { kind: Kind::DeviceLogins, key: self.key(subject, parts), limit, network: None }
    }
}

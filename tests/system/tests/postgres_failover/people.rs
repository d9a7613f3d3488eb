//! Users at a gateway: some repeat each write until it is acknowledged, others read with the token that they have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use edgeward_kit::api::mint;
use edgeward_kit::client::{Client, PASSWORD, Response, registration};
use edgeward_kit::journey::client_at;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::time::sleep;

use super::LIMIT;
use super::tally::{Kind, Tally};

/// Pause of a user between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(100);
/// Pause before a write is sent again, and between two reads.
const SHORT_PAUSE: Duration = Duration::from_millis(20);
/// Number of rounds from one logout to the next.
const ROUNDS_SIGNED_IN: u32 = 10;

/// User with a client at a gateway.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) tally: Arc<Tally>,
    /// Clients as they were before their logout, which was acknowledged.
    pub(crate) ended: Vec<Client>,
}

impl Person {
    /// Registers a user.
    pub(crate) async fn register(gateway: u16, http2: bool, email: String, tally: &Arc<Tally>) -> Self {
        let mut client = client_at(gateway, http2);
        client.email = email;
        let mut person = Self { client, tally: Arc::clone(tally), ended: Vec::new() };
        person.send(Kind::Registration).await;
        person
    }

    /// Sends a request until it is not asked to try again.
    pub(crate) async fn send(&mut self, kind: Kind) {
        send(&mut self.client, kind, &self.tally).await;
    }

    /// Refreshes in two tabs at once, refreshes at the edge and, if asked to, logs out and in again, until `stop`.
    pub(crate) async fn live(mut self, stop: Arc<AtomicBool>, logs_out: bool) -> Self {
        for round in 1_u32.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let mut tab = self.client.clone();
            tokio::join!(
                send(&mut self.client, Kind::Refresh, &self.tally),
                send(&mut tab, Kind::Refresh, &self.tally)
            );
            self.send(Kind::HeldRequest).await;
            if logs_out && round.is_multiple_of(ROUNDS_SIGNED_IN) {
                self.ended.push(self.client.clone());
                self.send(Kind::Logout).await;
                self.send(Kind::Login).await;
            }
            sleep(PAUSE).await;
        }
        self
    }

    /// Reads with one live access token and without a refresh token, until `stop`. No failover may be noticed by that.
    pub(crate) async fn read(self, stop: Arc<AtomicBool>) {
        let mut client = self.client.clone_with(&["access_token"]);
        while !stop.load(Ordering::Relaxed) {
            send(&mut client, Kind::LiveToken, &self.tally).await;
            sleep(SHORT_PAUSE).await;
        }
    }
}

async fn send(client: &mut Client, kind: Kind, tally: &Tally) {
    let started = Instant::now();
    loop {
        let (request, sent) = (request(client, kind), Instant::now());
        let response = client.try_send(request.timeout(LIMIT)).await;
        let is_right = response.as_ref().is_ok_and(|response| is_right(client, kind, response));
        if tally.count(kind, sent.elapsed(), &response, is_right) {
            return;
        }
        assert!(started.elapsed() < LIMIT, "{kind:?} is not acknowledged");
        sleep(SHORT_PAUSE).await;
    }
}

fn request(client: &mut Client, kind: Kind) -> RequestBuilder {
    match kind {
        Kind::Registration => {
            client.request(Method::POST, "/api/auth/register").json(&registration(&client.email))
        }
        Kind::Login => {
            let credentials = json!({"email": client.email, "password": PASSWORD});
            client.request(Method::POST, "/api/auth/login").json(&credentials)
        }
        Kind::Refresh => client.request(Method::POST, "/api/auth/refresh"),
        Kind::Logout => client.request(Method::POST, "/api/auth/logout"),
        Kind::LiveToken => client.request(Method::GET, "/orders"),
        Kind::HeldRequest => {
            client.cookies.insert("access_token".to_owned(), expired(client));
            client.request(Method::GET, "/orders")
        }
    }
}

/// Returns the access token of a client as if it had been issued long ago.
fn expired(client: &Client) -> String {
    let mut claims = client.claims();
    let lifetime = claims.exp - claims.iat;
    claims.iat -= 2 * lifetime;
    claims.exp -= 2 * lifetime;
    let claims = serde_json::to_string(&claims).expect("claims");
    mint().token(&mint().header(), &claims)
}

fn is_right(client: &Client, kind: Kind, response: &Response) -> bool {
    match kind {
        Kind::Registration => response.status == 201,
        Kind::Login | Kind::Refresh | Kind::Logout => response.status == 200,
        Kind::HeldRequest | Kind::LiveToken => {
            response.status == 200 && response.body["headers"]["x-user-id"] == json!([client.claims().sub])
        }
    }
}

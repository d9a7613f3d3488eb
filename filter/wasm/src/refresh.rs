//! Requests that wait while the companion is asked for a new access token. Those of one session share a call, each is
//! held for a bounded time, and there is a limit to how many are.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use edgeward_wire::edge_refresh::{EdgeRefresh, MAX_BYTES, MAX_CALLS};

use crate::calls::{self, Answer, Question};
use crate::host;
use crate::request;
use crate::root::TICK;
use crate::shared::Shared;
use edgeward_filter::config::Refresh;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::request::Request;

/// The most requests that a worker holds for one configuration; with Envoy's share, each takes some 16 KiB.
const MAX_HELD: usize = 4096;
/// The most of them for one token: more than a browser sends at once.
const MAX_HELD_FOR_ONE: usize = 256;
/// For how many ticks a token is not asked about again that was worth nothing, and how many such tokens are kept in
/// mind.
const REFUSED_FOR: u128 = 50;
const MAX_REFUSED: usize = 1024;
/// How many ticks after its own timeout a call is taken for lost.
const LOST_AFTER: u128 = 10;
/// What the companion is told of the client, for its records.
const TOLD: [&[u8]; 3] = [b"user-agent", b"x-forwarded-for", b"x-request-id"];

/// A request that waits. It goes with its stream, so that a client who goes away takes it along.
pub(crate) struct Held {
    pub(crate) stream: u32,
    pub(crate) ends: bool,
    pub(crate) shared: Rc<Shared>,
    /// Why it could not pass as it was.
    pub(crate) rejection: Rejection,
    /// What its response is to bring.
    pub(crate) granted: RefCell<Option<Granted>>,
    /// Its place among those that wait.
    place: RefCell<Option<Place>>,
}

impl Held {
    /// It waits no more.
    pub(crate) fn release(&self) {
        self.place.take();
    }
}

/// One of the places for those that wait.
struct Place(Rc<Cell<usize>>);

impl Place {
    fn take(taken: &Rc<Cell<usize>>) -> Option<Self> {
        if taken.get() >= MAX_HELD {
            return None;
        }
        taken.set(taken.get() + 1);
        Some(Self(Rc::clone(taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Whether a request is held.
pub(crate) enum Hold {
    /// It waits.
    Held(Rc<Held>),
    /// Its token was worth nothing a moment ago.
    Refused,
    /// Too many wait, or the host did not take the call.
    Unavailable,
}

/// What came of the question.
pub(crate) enum Outcome {
    /// The session goes on.
    Renewed {
        /// The new access token.
        access_token: String,
        granted: Granted,
    },
    /// The session is over.
    Over,
    /// Nobody knows.
    Unavailable,
}

/// The cookies for the browser, and when they were given.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) cookies: Rc<[String]>,
    pub(crate) at: Duration,
}

/// Asks the companion, and has those who wait go on.
pub(crate) struct Refresher {
    refresh: Refresh,
    /// Who waits for which refresh token.
    waiting: RefCell<HashMap<Vec<u8>, Waiting>>,
    /// Tokens that were worth nothing, and until which tick they are not asked about again.
    refused: RefCell<HashMap<Vec<u8>, u128>>,
    held: Rc<Cell<usize>>,
    /// Counts the ticks. Time is measured by them, for clocks are set, forward and back.
    ticks: Cell<u128>,
}

struct Waiting {
    call: u32,
    /// The tick at which the call is taken for lost.
    lost_at: u128,
    held: Vec<Weak<Held>>,
}

impl Refresher {
    pub(crate) fn new(refresh: Refresh) -> Self {
        Self {
            refresh,
            waiting: RefCell::default(),
            refused: RefCell::default(),
            held: Rc::default(),
            ticks: Cell::default(),
        }
    }

    /// Holds a request until the companion has answered what its refresh token is worth.
    pub(crate) fn hold(
        &self,
        shared: &Rc<Shared>,
        (stream, request): (u32, &Request<'_>),
        token: &[u8],
        rejection: Rejection,
    ) -> Hold {
        if self.refused.borrow().contains_key(token) {
            return Hold::Refused;
        }
        let Some(place) = Place::take(&self.held) else { return Hold::Unavailable };
        let held = Rc::new(Held {
            stream,
            ends: request.ends,
            shared: Rc::clone(shared),
            rejection,
            granted: RefCell::default(),
            place: RefCell::new(Some(place)),
        });
        let mut waiting = self.waiting.borrow_mut();
        if let Some(others) = waiting.get_mut(token) {
            others.held.retain(|other| other.strong_count() > 0);
            if others.held.len() >= MAX_HELD_FOR_ONE {
                return Hold::Unavailable;
            }
            others.held.push(Rc::downgrade(&held));
        } else {
            if waiting.len() >= MAX_CALLS as usize {
                return Hold::Unavailable;
            }
            let Some(call) = self.ask(shared, request, token) else { return Hold::Unavailable };
            let lost_at = self.ticks.get() + self.refresh.timeout.as_millis() / TICK.as_millis() + LOST_AFTER;
            waiting.insert(token.to_vec(), Waiting { call, lost_at, held: vec![Rc::downgrade(&held)] });
        }
        Hold::Held(held)
    }

    /// Does not ask about this token again for a while.
    fn remember_refused(&self, token: &[u8]) {
        let mut refused = self.refused.borrow_mut();
        if refused.len() < MAX_REFUSED {
            refused.insert(token.to_vec(), self.ticks.get() + REFUSED_FOR);
        }
    }

    fn ask(&self, shared: &Rc<Shared>, request: &Request<'_>, token: &[u8]) -> Option<u32> {
        let cookie = [shared.policy.cookies.refresh.as_bytes(), b"=", token].concat();
        let secret = self.refresh.secret.as_ref().map(|secret| format!("Bearer {}", secret.expose()));
        let mut headers: Vec<(&[u8], &[u8])> = vec![(b"cookie", &cookie)];
        headers.extend(secret.as_ref().map(|secret| (&b"authorization"[..], secret.as_bytes())));
        headers.extend(
            TOLD.iter().filter_map(|told| request.headers.into_iter().find(|(name, _)| name == told)),
        );
        // Whoever is held keeps it alive.
        let (shared, token) = (Rc::downgrade(shared), token.to_vec());
        let waiter = Box::new(move |answer: &Answer| {
            if let Some(refresher) = shared.upgrade().as_ref().and_then(|shared| shared.refresher.as_ref()) {
                refresher.go_on(&token, &read(answer));
            }
        });
        let Refresh { cluster, path, timeout, .. } = &self.refresh;
        calls::send(&Question { cluster, method: "POST", path, headers: &headers, timeout: *timeout }, waiter)
    }

    /// Has everybody go on who waits for this token.
    fn go_on(&self, token: &[u8], outcome: &Outcome) {
        let Some(waiting) = self.waiting.borrow_mut().remove(token) else { return };
        if matches!(outcome, Outcome::Over) {
            self.remember_refused(token);
        }
        for held in waiting.held.iter().filter_map(Weak::upgrade) {
            request::go_on(&held, outcome);
        }
    }

    /// Forgets what was refused a while ago, and gives up on calls that the host has lost.
    pub(crate) fn tick(&self) {
        let now = self.ticks.get() + 1;
        self.ticks.set(now);
        self.refused.borrow_mut().retain(|_, until| now < *until);
        let is_lost = |waiting: &Waiting| now >= waiting.lost_at;
        let lost: Vec<(Vec<u8>, u32)> = self
            .waiting
            .borrow()
            .iter()
            .filter(|(_, waiting)| is_lost(waiting))
            .map(|(token, waiting)| (token.clone(), waiting.call))
            .collect();
        for (token, call) in lost {
            calls::forget(call);
            self.go_on(&token, &Outcome::Unavailable);
        }
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        for waiting in self.waiting.borrow().values() {
            calls::forget(waiting.call);
        }
    }
}

fn read(answer: &Answer) -> Outcome {
    match (answer.status.as_deref(), host::now()) {
        (Some(b"200"), Some(at)) if answer.body.len() <= MAX_BYTES => serde_json::from_slice(&answer.body)
            .map_or(Outcome::Unavailable, |EdgeRefresh { access_token, set_cookies }| {
                let granted = Granted { cookies: set_cookies.into(), at };
                Outcome::Renewed { access_token, granted }
            }),
        (Some(b"401"), _) => Outcome::Over,
        _ => Outcome::Unavailable,
    }
}

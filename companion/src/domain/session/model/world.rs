//! The world that the events act on: the service and its clocks, the browser, the network, and the thief.

use proptest::sample::Index;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::domain::account::role::Role;
use crate::domain::session::authentication::{Authentication, Proof};
use crate::domain::session::{Lifetimes, RefreshRejection, Session};
use crate::domain::token::refresh_token::RefreshClaims;
use crate::domain::{SessionId, UserId};

const START: OffsetDateTime = datetime!(2030-01-01 00:00:00.95 UTC);
/// Lifetimes that no session reaches while it is used. `tests` has the tables of expiry.
const LIFETIMES: Lifetimes =
    Lifetimes { idle: Duration::days(30), absolute: Duration::days(36_500), grace: Duration::seconds(10) };
/// Maximum difference of the companions' clocks.
const MAX_APART: Duration = Duration::SECOND;
const SESSION: SessionId = SessionId(7);

/// Next event. An index chooses one of the messages under way, or one of the stolen tokens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// So many milliseconds pass, unless the unused session would expire.
    Pass(i64),
    /// Both clocks are set back by so many milliseconds.
    SetBack(i64),
    /// Requests reach the other companion from now on.
    Switch,
    /// The last so many writes are lost.
    FailOver(usize),
    /// A tab of the browser presents the token of their common cookie jar.
    Refresh,
    /// The user confirms who they are. The response has no refresh token.
    Confirm,
    /// A request arrives, and its response is sent.
    Arrive(Index),
    /// A request arrives twice: a proxy repeats it.
    ArriveTwice(Index),
    /// The service crashes before it writes, or the request is lost.
    CrashBefore(Index),
    /// The service crashes after it has written, or the response is lost.
    CrashAfter(Index),
    /// A response arrives, and its token is stored in the cookie jar.
    Respond(Index),
    /// A thief copies the token of the cookie jar.
    Steal,
    /// The thief presents a stolen token.
    PresentStolen(Index),
    /// The thief presents the newest stolen token, and each one that it leads to, so many times without a pause.
    PresentNewest(u8),
}

/// Message under way: a request with the token that it presents, or a response with the token that it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message {
    token: RefreshClaims,
    /// Time at which the browser sent the request.
    since: OffsetDateTime,
}

/// State of the service, the browser, the network and the thief.
pub(super) struct World {
    /// True time.
    now: OffsetDateTime,
    /// Sum of the times by which the clocks were set back.
    set_back: Duration,
    /// Time by which the other companion's clock is ahead.
    apart: Duration,
    /// `true` if requests reach the other companion.
    at_other: bool,
    /// Row of the session; `None` once it has ended.
    row: Option<Session>,
    /// Row as it was before each write.
    before: Vec<Session>,
    /// Time at which each generation last got its successor, from the first on. The row stores the latest ones.
    /// Setting a clock back makes these times appear later by as much.
    replaced: Vec<OffsetDateTime>,
    /// Token in the cookie jar.
    jar: RefreshClaims,
    /// Time at which that token arrived.
    received_at: OffsetDateTime,
    /// Generations that the browser has presented.
    presented: Vec<i64>,
    /// Time of the last refresh by a browser that had just received tokens.
    early_refresh_at: Option<OffsetDateTime>,
    requests: Vec<Message>,
    responses: Vec<Message>,
    stolen: Vec<RefreshClaims>,
    thief_was_active: bool,
    habits: Habits,
}

/// Habits of the network and the browser.
#[derive(Clone, Copy)]
pub(super) struct Habits {
    /// `true` if the browser may refresh although it has just received tokens.
    refreshes_early: bool,
    /// Maximum time from a request to its response.
    max_round_trip: Duration,
}

pub(super) const CALM: Habits = Habits { refreshes_early: false, max_round_trip: Duration::seconds(9) };
pub(super) const HURRIED: Habits =
    Habits { refreshes_early: true, max_round_trip: Duration::milliseconds(2_250) };

impl World {
    pub(super) fn new(habits: Habits, apart: Duration) -> Self {
        let created_at = START + apart;
        let row = Session {
            user_id: UserId(3),
            generation: 1,
            superseded: Vec::new(),
            created_at,
            updated_at: created_at,
            expires_at: LIFETIMES.expiry(created_at, created_at),
            user_disabled: false,
            role: Role::parse("customer").unwrap(),
            tokens_not_before: None,
            authentication: Authentication::new(created_at, Proof::Password),
        };
        Self {
            now: START,
            set_back: Duration::ZERO,
            apart,
            at_other: false,
            jar: row.live_token(SESSION),
            row: Some(row),
            before: Vec::new(),
            replaced: Vec::new(),
            received_at: START - LIFETIMES.grace,
            presented: Vec::new(),
            early_refresh_at: None,
            requests: Vec::new(),
            responses: Vec::new(),
            stolen: Vec::new(),
            thief_was_active: false,
            habits,
        }
    }

    /// Returns `true` unless the session has ended.
    pub(super) fn session_lives(&self) -> bool {
        self.row.is_some()
    }

    /// Returns the time by the clock of the companion that requests reach.
    fn clock(&self) -> OffsetDateTime {
        self.now - self.set_back + if self.at_other { self.apart } else { Duration::ZERO }
    }

    /// Makes an event happen.
    ///
    /// # Panics
    /// If the service breaks a promise.
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(milliseconds) => self.pass(Duration::milliseconds(milliseconds)),
            Event::SetBack(milliseconds) => self.set_back(Duration::milliseconds(milliseconds)),
            Event::Switch => self.at_other = !self.at_other,
            Event::FailOver(writes) => self.fail_over(writes),
            Event::Refresh => self.refresh(),
            Event::Confirm => self.confirm(),
            Event::Arrive(index) => self.arrive(index, 1, true),
            Event::ArriveTwice(index) => self.arrive(index, 2, true),
            Event::CrashBefore(index) => self.arrive(index, 0, false),
            Event::CrashAfter(index) => self.arrive(index, 1, false),
            Event::Respond(index) => self.respond(index),
            Event::Steal => self.stolen.push(self.jar),
            Event::PresentStolen(index) => self.present_stolen(index),
            Event::PresentNewest(times) => self.present_newest(times),
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.row.as_ref().map_or(self.now, |row| row.expires_at + self.set_back);
        if self.now + time + LIFETIMES.grace >= end {
            return;
        }
        self.now += time;
        let oldest = self.now - self.habits.max_round_trip;
        self.requests.retain(|request| request.since > oldest);
        self.responses.retain(|response| response.since > oldest);
    }

    fn set_back(&mut self, time: Duration) {
        self.set_back += time;
        self.replaced.iter_mut().for_each(|at| *at += time);
    }

    fn fail_over(&mut self, writes: usize) {
        let Some(kept) = self.before.len().checked_sub(writes) else { return };
        let earlier = &self.before[kept];
        // The standby did not know that the session had nearly expired, or that a clock had been ahead.
        let lives = earlier.expires_at > self.clock() + LIFETIMES.grace;
        if lives && self.row.as_ref().is_some_and(|row| row.created_at == earlier.created_at) {
            self.row = Some(earlier.clone());
            self.before.truncate(kept);
        }
    }

    fn refresh(&mut self) {
        let is_over = |since| LIFETIMES.grace_is_over(since, self.now);
        if !self.presented.contains(&self.jar.generation) && !is_over(self.received_at) {
            if !self.habits.refreshes_early || !self.early_refresh_at.is_none_or(is_over) {
                return;
            }
            self.early_refresh_at = Some(self.now);
        }
        self.presented.push(self.jar.generation);
        self.requests.push(Message { token: self.jar, since: self.now });
    }

    fn confirm(&mut self) {
        let Some(row) = self.row.take() else { return };
        let confirmed = row.clone().authenticate(Proof::Password, &LIFETIMES, self.clock());
        assert_eq!(confirmed.generation, row.generation, "a confirmation rotates nothing");
        self.row = Some(confirmed);
        if row.generation > 1 {
            self.note_replaced(row.generation - 1, row.generation);
        }
        self.before.push(row);
    }

    fn arrive(&mut self, index: Index, times: usize, responds: bool) {
        let Some(request) = take(&mut self.requests, index) else { return };
        for _ in 0..times {
            let granted = self.present(request.token);
            assert!(granted.is_ok() || self.thief_was_active, "an honest client was rejected: {granted:?}");
            let response = granted.map(|token| Message { token, ..request });
            self.responses.extend(response.ok().filter(|_| responds));
        }
    }

    fn respond(&mut self, index: Index) {
        if let Some(response) = take(&mut self.responses, index) {
            self.jar = response.token;
            self.received_at = self.now;
        }
    }

    fn present_stolen(&mut self, index: Index) {
        if self.stolen.is_empty() {
            return;
        }
        self.thief_was_active = true;
        let token = *index.get(&self.stolen);
        let lived = self.session_lives();
        let granted = self.present(token);
        let replaced = |generation: i64| self.replaced.get(usize::try_from(generation - 1).unwrap()).copied();
        // The successor was used, and the grace period is over: the theft is discovered.
        let is_discovered = replaced(token.generation + 1).is_some()
            && replaced(token.generation).is_some_and(|at| LIFETIMES.grace_is_over(at + MAX_APART, self.now));
        if is_discovered && lived {
            assert_eq!(
                granted,
                Err(RefreshRejection::TokenReused),
                "a stolen token outlived the grace period"
            );
        }
        self.stolen.extend(granted);
    }

    fn present_newest(&mut self, times: u8) {
        for _ in 0..times {
            let Some(newest) = self.stolen.iter().copied().max_by_key(|token| token.generation) else {
                return;
            };
            self.thief_was_active = true;
            let granted = self.present(newest);
            self.stolen.extend(granted);
        }
    }

    /// Presents a token to the service, which decides and writes in one transaction.
    fn present(&mut self, presented: RefreshClaims) -> Result<RefreshClaims, RefreshRejection> {
        let clock = self.clock();
        let row = self.row.take().ok_or(RefreshRejection::SessionUnknown)?;
        let decided = row.decide_refresh(presented, &LIFETIMES, clock);
        if decided == Err(RefreshRejection::TokenReused) {
            return Err(RefreshRejection::TokenReused);
        }
        let after = decided.map(|step| row.clone().apply(step, presented.generation, &LIFETIMES, clock));
        if after.as_ref().is_ok_and(|after| *after != row) {
            self.before.push(row.clone());
        }
        self.row = Some(after.unwrap_or_else(|_| row.clone()));
        decided?;
        self.note_replaced(presented.generation, row.generation);
        let row = self.row.as_ref().unwrap();
        let given = row.live_token(SESSION);
        assert!(
            given.issued_at >= row.created_at.unix_timestamp(),
            "the session lives, and its token is older than it"
        );
        let freshness = clock - OffsetDateTime::from_unix_timestamp(given.issued_at).unwrap();
        assert!(freshness >= -LIFETIMES.grace / 2, "the gateways would reject a token so far ahead");
        assert!(freshness <= LIFETIMES.grace * 2 + MAX_APART, "the tokens are nearly new");
        Ok(given)
    }

    fn note_replaced(&mut self, presented: i64, live: i64) {
        let now = self.replaced.last().copied().map_or(self.now, |latest| latest.max(self.now));
        let generation = self.row.as_ref().map_or(live, |row| row.generation);
        assert!([live, live.max(presented) + 1].contains(&generation), "generations follow one another");
        if presented == live - 1 {
            *self.replaced.last_mut().unwrap() = now;
        }
        self.replaced.resize(usize::try_from(generation - 1).unwrap(), now);
    }
}

fn take<T>(all: &mut Vec<T>, index: Index) -> Option<T> {
    (!all.is_empty()).then(|| all.remove(index.index(all.len())))
}

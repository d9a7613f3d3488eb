//! A session, its owner's browser and a thief, in every order of events that proptest invents: requests and answers
//! are delayed, doubled and lost, the service dies before or after it has written, time passes, and clocks go wrong.
//!
//! Two companions serve the session. The clock of one is ahead by up to a second, which stands for a time that was
//! read before a wait as well, and at any moment both may be set back.
//!
//! A browser does not refresh what it has just been given. Then a refresh and its answer may take as long as the grace
//! together, less what the clocks are apart, and the database may fail over to a standby that has not heard of the last
//! writes. If it does so all the same, but for once in a grace (a role changed, somebody pressed the key), they may take
//! a quarter of that, and the database keeps what it has written.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use time::macros::datetime;

use super::*;

const START: OffsetDateTime = datetime!(2030-01-01 00:00:00.95 UTC);
/// Sessions live for as long as they are used: what ends them otherwise is in the table of `tests`.
const LIFETIMES: Lifetimes =
    Lifetimes { idle: Duration::days(30), absolute: Duration::days(36_500), grace: Duration::seconds(10) };
/// The most by which the clocks of two companions differ.
const MAX_APART: Duration = Duration::SECOND;

/// What happens next. An index chooses among what is on its way.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// So many milliseconds pass, if the session lives that long without being used.
    Pass(i64),
    /// Both clocks are set back by so many milliseconds.
    SetBack(i64),
    /// From now on requests reach the other companion.
    Switch,
    /// The last so many writes are lost.
    FailOver(usize),
    /// One of the tabs presents what is in the jar they share.
    Refresh,
    /// A request arrives, and its answer is on its way.
    Arrive(Index),
    /// A request arrives a second time: somebody in between repeats it.
    ArriveTwice(Index),
    /// The service dies before it writes, or the request is lost.
    DieBefore(Index),
    /// The service dies after it has written, or the answer is lost.
    DieAfter(Index),
    /// An answer comes into the jar.
    Answer(Index),
    /// A thief copies the jar.
    Steal,
    /// The thief presents one of the tokens that he has.
    Thieve(Index),
    /// The thief presents the newest that he has, and what he is given for it, so many times at once.
    Rush(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Travelling {
    token: RefreshClaims,
    /// When the browser sent the request.
    since: OffsetDateTime,
}

struct World {
    /// The true time.
    now: OffsetDateTime,
    /// How far the clocks were set back altogether.
    set_back: Duration,
    /// How far the other companion's clock is ahead.
    apart: Duration,
    /// Whether the other companion is asked.
    at_other: bool,
    /// The row; gone once the session was ended.
    row: Option<Session>,
    /// The row as it was before each write.
    before: Vec<Session>,
    /// When each generation was last given its successor, from the first on: the row remembers it in part. A clock
    /// that is set back makes that appear later by as much.
    replaced: Vec<OffsetDateTime>,
    /// The token in the jar, and when it got there.
    jar: RefreshClaims,
    heard_at: OffsetDateTime,
    /// The generations that the browser has presented.
    presented: Vec<i64>,
    /// When the browser last refreshed though it had just heard an answer.
    hurried_at: Option<OffsetDateTime>,
    requests: Vec<Travelling>,
    answers: Vec<Travelling>,
    stolen: Vec<RefreshClaims>,
    thief_was_here: bool,
    habits: Habits,
}

/// What the network and the browser are like.
#[derive(Clone, Copy)]
struct Habits {
    hurries: bool,
    longest_way: Duration,
}

const CALM: Habits = Habits { hurries: false, longest_way: Duration::seconds(9) };
const HURRIED: Habits = Habits { hurries: true, longest_way: Duration::milliseconds(2_250) };

impl World {
    fn new(habits: Habits, apart: Duration) -> Self {
        let created_at = START + apart;
        let row = Session {
            user_id: UserId(3),
            generation: 1,
            superseded: Vec::new(),
            created_at,
            updated_at: created_at,
            expires_at: LIFETIMES.end(created_at, created_at),
            user_disabled: false,
            role: Role::parse("customer").unwrap(),
            tokens_not_before: None,
        };
        Self {
            now: START,
            set_back: Duration::ZERO,
            apart,
            at_other: false,
            jar: row.live_token(SessionId(7)),
            row: Some(row),
            before: Vec::new(),
            replaced: Vec::new(),
            heard_at: START - LIFETIMES.grace,
            presented: Vec::new(),
            hurried_at: None,
            requests: Vec::new(),
            answers: Vec::new(),
            stolen: Vec::new(),
            thief_was_here: false,
            habits,
        }
    }

    /// The time as the companion has it that is asked.
    fn clock(&self) -> OffsetDateTime {
        self.now - self.set_back + if self.at_other { self.apart } else { Duration::ZERO }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(milliseconds) => self.pass(Duration::milliseconds(milliseconds)),
            Event::SetBack(milliseconds) => self.set_back(Duration::milliseconds(milliseconds)),
            Event::Switch => self.at_other = !self.at_other,
            Event::FailOver(writes) => self.fail_over(writes),
            Event::Refresh => self.refresh(),
            Event::Arrive(index) => self.arrive(index, 1, true),
            Event::ArriveTwice(index) => self.arrive(index, 2, true),
            Event::DieBefore(index) => self.arrive(index, 0, false),
            Event::DieAfter(index) => self.arrive(index, 1, false),
            Event::Answer(index) => self.answer(index),
            Event::Steal => self.stolen.push(self.jar),
            Event::Thieve(index) => self.thieve(index),
            Event::Rush(times) => self.rush(times),
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.row.as_ref().map_or(self.now, |row| row.expires_at + self.set_back);
        if self.now + time + LIFETIMES.grace >= end {
            return;
        }
        self.now += time;
        let oldest = self.now - self.habits.longest_way;
        self.requests.retain(|request| request.since > oldest);
        self.answers.retain(|answer| answer.since > oldest);
    }

    fn set_back(&mut self, time: Duration) {
        self.set_back += time;
        self.replaced.iter_mut().for_each(|at| *at += time);
    }

    fn fail_over(&mut self, writes: usize) {
        let Some(kept) = self.before.len().checked_sub(writes) else { return };
        let earlier = &self.before[kept];
        // That the session had nearly expired, or that a clock had been ahead, was not known then.
        let lives = earlier.expires_at > self.clock() + LIFETIMES.grace;
        if lives && self.row.as_ref().is_some_and(|row| row.created_at == earlier.created_at) {
            self.row = Some(earlier.clone());
            self.before.truncate(kept);
        }
    }

    fn refresh(&mut self) {
        let is_over = |since| LIFETIMES.is_over(since, self.now);
        if !self.presented.contains(&self.jar.generation) && !is_over(self.heard_at) {
            if !self.habits.hurries || !self.hurried_at.is_none_or(is_over) {
                return;
            }
            self.hurried_at = Some(self.now);
        }
        self.presented.push(self.jar.generation);
        self.requests.push(Travelling { token: self.jar, since: self.now });
    }

    fn arrive(&mut self, index: Index, times: usize, answered: bool) {
        let Some(request) = take(&mut self.requests, index) else { return };
        for _ in 0..times {
            let granted = self.present(request.token);
            assert!(granted.is_ok() || self.thief_was_here, "an honest client was refused: {granted:?}");
            let answer = granted.map(|token| Travelling { token, ..request });
            self.answers.extend(answer.ok().filter(|_| answered));
        }
    }

    fn answer(&mut self, index: Index) {
        if let Some(answer) = take(&mut self.answers, index) {
            self.jar = answer.token;
            self.heard_at = self.now;
        }
    }

    fn thieve(&mut self, index: Index) {
        if self.stolen.is_empty() {
            return;
        }
        self.thief_was_here = true;
        let token = *index.get(&self.stolen);
        let was_there = self.row.is_some();
        let granted = self.present(token);
        let replaced = |generation: i64| self.replaced.get(usize::try_from(generation - 1).unwrap()).copied();
        // Its successor was used, and it is long since it was rightly presented: then the theft is found out.
        let is_worthless = replaced(token.generation + 1).is_some()
            && replaced(token.generation).is_some_and(|at| LIFETIMES.is_over(at + MAX_APART, self.now));
        if is_worthless && was_there {
            assert_eq!(granted, Err(RefreshRejection::TokenReused), "a stolen token outlived the grace");
        }
        self.stolen.extend(granted);
    }

    fn rush(&mut self, times: u8) {
        for _ in 0..times {
            let Some(newest) = self.stolen.iter().copied().max_by_key(|token| token.generation) else {
                return;
            };
            self.thief_was_here = true;
            let granted = self.present(newest);
            self.stolen.extend(granted);
        }
    }

    /// What the service does, in one transaction.
    fn present(&mut self, presented: RefreshClaims) -> Result<RefreshClaims, RefreshRejection> {
        let clock = self.clock();
        let row = self.row.take().ok_or(RefreshRejection::SessionUnknown)?;
        let decided = row.judge(presented, &LIFETIMES, clock);
        if decided == Err(RefreshRejection::TokenReused) {
            return Err(RefreshRejection::TokenReused);
        }
        let after = decided.map(|step| row.clone().after(step, presented.generation, &LIFETIMES, clock));
        if after.as_ref().is_ok_and(|after| *after != row) {
            self.before.push(row.clone());
        }
        self.row = Some(after.unwrap_or_else(|_| row.clone()));
        decided?;
        self.note_replaced(presented.generation, row.generation);
        let row = self.row.as_ref().unwrap();
        let given = row.live_token(SessionId(7));
        assert!(given.issued_at >= row.created_at.unix_timestamp(), "neither logged out nor told who it is");
        let freshness = clock - OffsetDateTime::from_unix_timestamp(given.issued_at).unwrap();
        assert!(freshness >= -LIFETIMES.grace / 2, "the edge would refuse what is of the future");
        assert!(freshness <= LIFETIMES.grace * 2 + MAX_APART, "what is given is nearly new");
        Ok(given)
    }

    fn note_replaced(&mut self, presented: i64, live: i64) {
        let now = self.replaced.last().copied().map_or(self.now, |latest| latest.max(self.now));
        let generation = self.row.as_ref().map_or(live, |row| row.generation);
        assert!([live, live.max(presented) + 1].contains(&generation), "one generation after the other");
        if presented == live - 1 {
            *self.replaced.last_mut().unwrap() = now;
        }
        self.replaced.resize(usize::try_from(generation - 1).unwrap(), now);
    }
}

fn take<T>(all: &mut Vec<T>, index: Index) -> Option<T> {
    (!all.is_empty()).then(|| all.remove(index.index(all.len())))
}

fn calm() -> impl Strategy<Value = Event> {
    prop_oneof![30 => usual(), 1 => (1..4_usize).prop_map(Event::FailOver)]
}

fn with_thief() -> impl Strategy<Value = Event> {
    prop_oneof![
        30 => usual(),
        2 => Just(Event::Steal),
        4 => any::<Index>().prop_map(Event::Thieve),
        1 => (1..20_u8).prop_map(Event::Rush),
    ]
}

fn usual() -> impl Strategy<Value = Event> {
    prop_oneof![9 => time_and_clocks(), 21 => browser_and_network()]
}

fn time_and_clocks() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..4_000_i64).prop_map(Event::Pass),
        2 => prop_oneof![Just(9_999_i64), Just(10_000), Just(3_600_000), 0..2_000_000_000_i64].prop_map(Event::Pass),
        1 => prop_oneof![1..1_000_i64, Just(9_999), Just(10_001), 0..100_000_000_i64].prop_map(Event::SetBack),
        2 => Just(Event::Switch),
    ]
}

fn browser_and_network() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Refresh),
        6 => any::<Index>().prop_map(Event::Arrive),
        1 => any::<Index>().prop_map(Event::ArriveTwice),
        1 => any::<Index>().prop_map(Event::DieBefore),
        1 => any::<Index>().prop_map(Event::DieAfter),
        6 => any::<Index>().prop_map(Event::Answer),
    ]
}

/// How far the clocks of the two companions are apart.
fn apart() -> impl Strategy<Value = Duration> {
    (0..=1_000_i64).prop_map(Duration::milliseconds)
}

fn live(habits: Habits, apart: Duration, events: &[Event]) -> World {
    let mut world = World::new(habits, apart);
    for event in events {
        world.happen(*event);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_client_is_never_logged_out(apart in apart(), events in vec(calm(), 1..200)) {
        prop_assert!(live(CALM, apart, &events).row.is_some());
    }

    #[test]
    fn nor_is_one_in_a_hurry_on_a_quicker_network(
        apart in apart(),
        events in vec(usual(), 1..200),
    ) {
        prop_assert!(live(HURRIED, apart, &events).row.is_some());
    }

    #[test]
    fn a_stolen_token_never_outlives_the_grace_once_its_successor_was_used(
        apart in apart(),
        events in vec(with_thief(), 1..200),
    ) {
        live(HURRIED, apart, &events);
    }
}

//! A session, its owner's browser and a thief, in every order of events that proptest invents: requests and answers
//! are delayed, doubled and lost, the service dies before or after it has written, and time passes.
//!
//! A browser does not refresh what it has just been given. Then a refresh and its answer may take as long as the grace
//! together. If it does so all the same, but for once in a grace (a role changed, somebody pressed the key), they may
//! take a quarter of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use time::macros::datetime;

use super::*;

const START: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);
const LIFETIMES: Lifetimes =
    Lifetimes { idle: Duration::days(30), absolute: Duration::days(180), grace: Duration::seconds(10) };

/// What happens next. An index chooses among what is on its way.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// So many milliseconds pass.
    Pass(i64),
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Travelling {
    generation: i64,
    /// When the browser sent the request.
    since: OffsetDateTime,
}

struct World {
    now: OffsetDateTime,
    /// The row; gone once the session was ended.
    row: Option<Session>,
    /// When each generation was last given its successor, from the first on: the row remembers it in part.
    replaced: Vec<OffsetDateTime>,
    /// The generation in the jar, and when it got there.
    jar: i64,
    heard_at: OffsetDateTime,
    /// The generations that the browser has presented.
    presented: Vec<i64>,
    /// When the browser last refreshed though it had just heard an answer.
    hurried_at: Option<OffsetDateTime>,
    requests: Vec<Travelling>,
    answers: Vec<Travelling>,
    stolen: Vec<i64>,
    thief_was_here: bool,
    habits: Habits,
}

/// What the network and the browser are like.
#[derive(Clone, Copy)]
struct Habits {
    hurries: bool,
    longest_way: Duration,
}

const CALM: Habits = Habits { hurries: false, longest_way: LIFETIMES.grace };
const HURRIED: Habits = Habits { hurries: true, longest_way: Duration::milliseconds(2_500) };

impl World {
    fn new(habits: Habits) -> Self {
        let row = Session {
            user_id: 3,
            generation: 1,
            superseded: Vec::new(),
            created_at: START,
            updated_at: START,
            expires_at: LIFETIMES.end(START, START),
            user_disabled: false,
            role: Role::parse("customer").unwrap(),
            tokens_not_before: None,
        };
        Self {
            now: START,
            row: Some(row),
            replaced: Vec::new(),
            jar: 1,
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

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(milliseconds) => self.pass(Duration::milliseconds(milliseconds)),
            Event::Refresh => self.refresh(),
            Event::Arrive(index) => self.arrive(index, 1, true),
            Event::ArriveTwice(index) => self.arrive(index, 2, true),
            Event::DieBefore(index) => self.arrive(index, 0, false),
            Event::DieAfter(index) => self.arrive(index, 1, false),
            Event::Answer(index) => self.answer(index),
            Event::Steal => self.stolen.push(self.jar),
            Event::Thieve(index) => self.thieve(index),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let oldest = self.now - self.habits.longest_way;
        self.requests.retain(|request| request.since > oldest);
        self.answers.retain(|answer| answer.since > oldest);
    }

    fn refresh(&mut self) {
        let is_over = |since| LIFETIMES.is_over(since, self.now);
        if !self.presented.contains(&self.jar) && !is_over(self.heard_at) {
            if !self.habits.hurries || !self.hurried_at.is_none_or(is_over) {
                return;
            }
            self.hurried_at = Some(self.now);
        }
        self.presented.push(self.jar);
        self.requests.push(Travelling { generation: self.jar, since: self.now });
    }

    fn arrive(&mut self, index: Index, times: usize, answered: bool) {
        let Some(request) = take(&mut self.requests, index) else { return };
        for _ in 0..times {
            let granted = self.present(request.generation);
            assert!(
                granted.is_some() || self.thief_was_here || self.is_expired(),
                "an honest client was refused"
            );
            let answer = granted.map(|generation| Travelling { generation, ..request });
            self.answers.extend(answer.filter(|_| answered));
        }
    }

    fn answer(&mut self, index: Index) {
        if let Some(answer) = take(&mut self.answers, index) {
            self.jar = answer.generation;
            self.heard_at = self.now;
        }
    }

    fn thieve(&mut self, index: Index) {
        if self.stolen.is_empty() {
            return;
        }
        self.thief_was_here = true;
        let generation = *index.get(&self.stolen);
        let was_there = self.row.is_some() && !self.is_expired();
        let granted = self.present(generation);
        let replaced = |generation: i64| self.replaced.get(usize::try_from(generation - 1).unwrap()).copied();
        // Its successor was used, and it is long since it was rightly presented: then the theft is found out.
        let is_worthless = replaced(generation + 1).is_some()
            && replaced(generation).is_some_and(|at| LIFETIMES.is_over(at, self.now));
        if is_worthless && was_there {
            assert_eq!(granted, None, "a stolen token outlived the grace");
            let has_forgotten = self.row.as_ref().is_some_and(|row| row.has_forgotten(&LIFETIMES, self.now));
            assert!(self.row.is_none() || has_forgotten, "a theft was not found out");
        }
        self.stolen.extend(granted);
    }

    /// What the service does, in one transaction.
    fn present(&mut self, generation: i64) -> Option<i64> {
        let row = self.row.take()?;
        let issued_at = START.unix_timestamp();
        let presented = RefreshClaims { user_id: 3, session_id: 7, generation, issued_at };
        let decided = row.judge(presented, &LIFETIMES, self.now);
        if decided == Err(RefreshRefused::TokenReused) {
            return None;
        }
        let before = row.generation;
        if generation == before - 1 && decided.is_ok() {
            *self.replaced.last_mut().unwrap() = self.now;
        }
        let row = decided.map_or(row.clone(), |step| row.after(step, &LIFETIMES, self.now));
        self.replaced.extend((row.generation > before).then_some(self.now));
        assert_eq!(
            i64::try_from(self.replaced.len()).unwrap() + 1,
            row.generation,
            "one generation after the other"
        );
        let given = row.live_token(7).generation;
        self.row = Some(row);
        decided.is_ok().then_some(given)
    }

    fn is_expired(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.expires_at <= self.now)
    }
}

fn take<T>(all: &mut Vec<T>, index: Index) -> Option<T> {
    (!all.is_empty()).then(|| all.remove(index.index(all.len())))
}

fn event(with_thief: bool) -> impl Strategy<Value = Event> {
    let thief = u32::from(with_thief);
    prop_oneof![
        4 => (1..4_000_i64).prop_map(Event::Pass),
        2 => prop_oneof![Just(9_999_i64), Just(10_000), Just(3_600_000), 0..5_000_000_000_i64].prop_map(Event::Pass),
        6 => Just(Event::Refresh),
        6 => any::<Index>().prop_map(Event::Arrive),
        1 => any::<Index>().prop_map(Event::ArriveTwice),
        1 => any::<Index>().prop_map(Event::DieBefore),
        1 => any::<Index>().prop_map(Event::DieAfter),
        6 => any::<Index>().prop_map(Event::Answer),
        2 * thief => Just(Event::Steal),
        4 * thief => any::<Index>().prop_map(Event::Thieve),
    ]
}

fn live(habits: Habits, events: &[Event]) -> World {
    let mut world = World::new(habits);
    for event in events {
        world.happen(*event);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_client_is_never_logged_out(events in vec(event(false), 1..200)) {
        prop_assert!(live(CALM, &events).row.is_some());
    }

    #[test]
    fn nor_is_one_in_a_hurry_on_a_quicker_network(events in vec(event(false), 1..200)) {
        prop_assert!(live(HURRIED, &events).row.is_some());
    }

    #[test]
    fn a_stolen_token_never_outlives_the_grace_once_its_successor_was_used(events in vec(event(true), 1..200)) {
        live(HURRIED, &events);
    }
}

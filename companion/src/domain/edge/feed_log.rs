//! The last cuts of the edge feed, with the revocations between them: what gateways that keep up are sent, without a
//! look at the database.

use std::collections::VecDeque;

use edgeward_wire::{MAX_PAGE, Revoked, RevokedSession, RevokedUser};

use super::feed_cursor::{Cursor, Cut, RowKey, Scan};
use super::snapshot::Snapshot;

/// Time for which a cut is kept after its successor was made, in seconds. Chosen: a gateway that was away for longer
/// starts as a new one does.
pub const KEPT_FOR_S: i64 = 900;
/// Maximum number of cuts in memory: one a second.
const MAX_STEPS: usize = 900;
/// Maximum number of revocations in memory. Chosen: 4 MB, for 200 logouts a second over the whole time.
const MAX_ENTRIES: usize = 180_000;
/// Time for which gateways that start are led to the same cut first, in seconds, so that they get the same pages. Chosen:
/// a start takes less, and what was revoked since is a page or few.
const START_FOR_S: i64 = 60;

/// Cut and its snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCut {
    /// ID of its row; the successor has a greater one.
    pub id: i64,
    /// Name, as in cursors.
    pub name: Cut,
    /// Snapshot.
    pub snapshot: Snapshot,
}

/// Revocation, as the feed has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Of a session.
    Session(RevokedSession),
    /// Of a user's earlier tokens.
    User(RevokedUser),
}

/// Row of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Place in the feed.
    pub key: RowKey,
    /// Revocation.
    pub entry: Entry,
}

/// Cuts in the order in which they were made. There is at least one.
#[derive(Debug)]
pub struct FeedLog {
    steps: VecDeque<Step>,
    latest: KnownCut,
    /// Cut that starting gateways are led to, and the time since when, in seconds since 1970.
    start: Option<(Cut, i64)>,
}

#[derive(Debug)]
struct Step {
    cut: KnownCut,
    /// Revocations since the cut before; `None` if there are more than [`MAX_PAGE`], or that is unknown.
    entries: Option<Vec<Entry>>,
}

/// Way to the response for a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The revocations are known.
    Known {
        /// Revocations up to the cut.
        revoked: Revoked,
        /// Cut of the next cursor.
        cut: Cut,
    },
    /// They are a page of the database.
    Page(Cursor),
}

impl FeedLog {
    /// Creates a log that begins with a cut.
    #[must_use]
    pub fn starting_at(cut: KnownCut) -> Self {
        Self { steps: VecDeque::from([Step { cut: cut.clone(), entries: None }]), latest: cut, start: None }
    }

    /// Returns the latest cut.
    #[must_use]
    pub const fn latest(&self) -> &KnownCut {
        &self.latest
    }

    /// Returns a cut of the log.
    #[must_use]
    pub fn find(&self, name: &Cut) -> Option<&KnownCut> {
        self.steps.iter().rev().map(|step| &step.cut).find(|cut| cut.name == *name)
    }

    /// Appends a cut. It takes the rows that it sees out of `rows`, which are those that the latest cut does not see.
    /// `None` stands for more than [`MAX_PAGE`] of them.
    pub fn append(&mut self, cut: KnownCut, rows: &mut Option<Vec<Row>>) {
        let entries = rows.as_mut().map(|rows| {
            rows.extract_if(.., |row| cut.snapshot.sees(row.key.xact)).map(|row| row.entry).collect()
        });
        self.latest = cut.clone();
        self.steps.push_back(Step { cut, entries });
        let mut kept: usize = self.steps.iter().map(Step::len).sum();
        while self.steps.len() > MAX_STEPS || (kept > MAX_ENTRIES && self.steps.len() > 1) {
            kept -= self.steps.pop_front().map_or(0, |step| step.len());
        }
    }

    /// Plans the response for a cursor, `None` for a gateway that has received nothing, at `now` in seconds since 1970.
    /// A cut that is not in the log may be in the database.
    #[must_use]
    pub fn plan(&mut self, cursor: Option<Cursor>, now: i64) -> Plan {
        let Some(cursor) = cursor else { return Plan::Page(pages(None, self.start(now))) };
        let Cursor { from, scan: None } = cursor else { return Plan::Page(cursor) };
        let known = from.as_ref().and_then(|from| self.steps.iter().rposition(|step| step.cut.name == *from));
        let Some(known) = known else {
            return Plan::Page(pages(from, self.latest.name.clone()));
        };
        let mut revoked = Revoked::default();
        let mut cut = None;
        for step in self.steps.iter().skip(known + 1) {
            let fits = |entries: &&Vec<Entry>| {
                revoked.sessions.len() + revoked.users.len() + entries.len() <= MAX_PAGE
            };
            let Some(entries) = step.entries.as_ref().filter(fits) else {
                return match cut {
                    Some(cut) => Plan::Known { revoked, cut },
                    None => Plan::Page(pages(from, step.cut.name.clone())),
                };
            };
            add(&mut revoked, entries.iter().copied());
            cut = Some(step.cut.name.clone());
        }
        Plan::Known { revoked, cut: cut.unwrap_or_else(|| self.latest.name.clone()) }
    }

    /// Returns the cut that starting gateways are led to first.
    fn start(&mut self, now: i64) -> Cut {
        let start = self.start.take().filter(|(_, since)| (0..START_FOR_S).contains(&(now - since)));
        self.start.insert(start.unwrap_or_else(|| (self.latest.name.clone(), now))).0.clone()
    }
}

fn pages(from: Option<Cut>, to: Cut) -> Cursor {
    Cursor { from, scan: Some(Scan { to, after: None }) }
}

impl Step {
    fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, Vec::len)
    }
}

/// Adds revocations to a page.
pub fn add(revoked: &mut Revoked, entries: impl IntoIterator<Item = Entry>) {
    for entry in entries {
        match entry {
            Entry::Session(session) => revoked.sessions.push(session),
            Entry::User(user) => revoked.users.push(user),
        }
    }
}

#[cfg(test)]
mod tests;

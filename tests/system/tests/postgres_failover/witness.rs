//! Users whose acknowledged refreshes an asynchronous failover loses.

use std::time::{Duration, Instant};

use edgeward_companion::db::sessions;
use edgeward_companion::domain::SessionId;
use edgeward_kit::database;
use tokio::time::sleep;

use super::LIMIT;
use super::people::Person;
use super::scene::Scene;
use super::tally::Kind;

/// Number of refreshes that are to be lost.
const LOST: i64 = 3;

/// User who refreshes in one way, at the companion's route or at the edge, and only when the test says so.
pub(crate) struct Witness {
    person: Person,
    way: Kind,
}

impl Witness {
    /// Registers a user for each way.
    pub(crate) async fn both(scene: &Scene) -> [Self; 2] {
        let [one, two] = [scene.register("witness1").await, scene.register("witness2").await];
        [Self { person: one, way: Kind::Refresh }, Self { person: two, way: Kind::HeldRequest }]
    }

    /// Waits until every node of the cluster has the session as the client has it.
    pub(crate) async fn wait_for_nodes(&self, urls: &[String]) {
        let start = Instant::now();
        for url in urls {
            while self.stored(url).await != Some(self.held()) {
                assert!(start.elapsed() < LIMIT, "the standbys do not follow");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Refreshes a few times, each acknowledged.
    pub(crate) async fn refresh(&mut self) {
        let before = self.held();
        for _ in 0..LOST {
            self.person.send(self.way).await;
        }
        assert_eq!(self.held(), before + LOST, "acknowledged refreshes");
    }

    /// Shows that the database has lost the acknowledged refreshes, and that the client is signed in as ever. After a
    /// logout it is not.
    pub(crate) async fn go_on(mut self, scene: &Scene, url: &str) {
        let (stored, held) = (self.stored(url).await, self.held());
        println!(
            "gateway by the {}, {:?}: the client holds generation {held}, the row {stored:?}",
            scene.name, self.way
        );
        assert_eq!(stored, Some(held - LOST), "the failover was to lose the refreshes");
        for next in [held + 1, held + 2] {
            self.person.send(self.way).await;
            assert_eq!((self.held(), self.stored(url).await), (next, Some(next)));
        }
        let client = self.person.client.clone();
        self.person.send(Kind::Logout).await;
        assert_eq!(scene.count_passing(&[client]).await, 0, "a logout after the failover");
    }

    /// Returns the generation of the client's refresh token.
    fn held(&self) -> i64 {
        self.person.client.session_and_generation().1
    }

    /// Returns the generation in the database.
    async fn stored(&self, url: &str) -> Option<i64> {
        let session = SessionId(self.person.client.session_and_generation().0);
        let mut connection = database::open(url).await;
        let row = sessions::refresh::read(&mut connection, session).await.expect("a row");
        row.map(|session| session.generation)
    }
}

//! Users whose registration an asynchronous failover loses, and those who get numbers after it.

use std::collections::BTreeSet;

use edgeward_kit::client::Client;

use super::scene::Scene;
use super::tally::Kind;

/// Number of users before and after. Postgres writes a sequence to the log once in 32 numbers, and reuses what it has not written.
const USERS: usize = 40;

/// Users who are lost, half of them after a logout that the gateway knows of.
pub(crate) struct Lost(Vec<Client>);

impl Lost {
    pub(crate) async fn register(scene: &Scene) -> Self {
        let (mut all, mut ended) = (Vec::new(), Vec::new());
        for number in 0..USERS {
            let mut person = scene.register(&format!("lost{number}")).await;
            all.push(person.client.clone());
            if number % 2 == 0 {
                ended.push(person.client.clone());
                person.send(Kind::Logout).await;
            }
        }
        assert_eq!(scene.count_passing(&ended).await, 0, "logouts before the failover");
        Self(all)
    }

    /// Shows that nobody gets a number of theirs, and that each new session passes.
    pub(crate) async fn are_not_succeeded(self, scene: &Scene) {
        let numbers = |client: &Client| (client.claims().sub, client.claims().sid);
        let (users, sessions): (BTreeSet<_>, BTreeSet<_>) = self.0.iter().map(numbers).unzip();
        for number in 0..USERS {
            let mut person = scene.register(&format!("new{number}")).await;
            let (user, session) = numbers(&person.client);
            assert!(
                !users.contains(&user) && !sessions.contains(&session),
                "{user} and {session} are given again"
            );
            person.send(Kind::LiveToken).await;
        }
    }
}

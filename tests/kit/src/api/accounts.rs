//! Changes of accounts without the API, for tests: by the use cases of the command line where one exists, else in SQL.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use edgeward_companion::domain::account::email::Email;
use edgeward_companion::domain::account::password::Password;
use edgeward_companion::domain::account::role::Role;
use edgeward_companion::hashing::PasswordHasher;
use edgeward_companion::service::account;
use edgeward_companion::telemetry::metrics::Metrics;

use super::Api;

impl Api {
    /// Changes a user's role, as the command does: sessions continue, tokens with the former role are revoked.
    pub async fn set_role(&self, email: &str, role: &str) {
        let role = Role::parse(role).expect("a role");
        account::set_role(&self.system(), &parse(email), &role).await.expect("a user");
    }

    /// Disables a user, as the command does: the sessions end.
    pub async fn disable(&self, email: &str) {
        account::disable(&self.system(), &parse(email)).await.expect("a user");
    }

    /// Forgets a user's failed logins, as the command does.
    pub async fn unlock(&self, email: &str) {
        account::unlock(&self.system(), &parse(email)).await.expect("a user");
    }

    /// Returns the bans as `<network> <door>`, in order.
    pub async fn bans(&self) -> Vec<String> {
        let all = "select network || ' ' || door from bans order by 1";
        sqlx::query_scalar(all).fetch_all(&self.pool).await.expect("bans")
    }

    /// Returns the number of buckets of attempts.
    pub async fn count_buckets(&self) -> i64 {
        self.count("select count(*) from attempts").await
    }

    /// Disables every user in the table only: unlike after the command, the sessions stay.
    pub async fn mark_disabled(&self) {
        self.execute("update users set disabled_at = now()").await;
    }

    /// Hashes a password as a service with a bcrypt cost of 4 does.
    pub async fn hash_at_cost_4(password: &str) -> String {
        let (random, metrics) = (Arc::new(SystemRandom::new()), Arc::new(Metrics::new()));
        let hasher = PasswordHasher::start(4, 1, random, metrics).expect("a thread");
        let password = Password::parse(password).expect("a password");
        hasher.hash(password).await.expect("a hash").expose().to_owned()
    }

    /// Sets the password hash of the only user, as an import does.
    pub async fn import_password(&self, hash: &str) {
        let update = sqlx::query("update users set password = $1").bind(hash);
        update.execute(&self.pool).await.expect("an update");
    }

    /// Returns the password hash of the only user.
    pub async fn stored_password(&self) -> String {
        sqlx::query_scalar("select password from users").fetch_one(&self.pool).await.expect("a hash")
    }

    /// Returns the number of users.
    pub async fn count_users(&self) -> i64 {
        self.count("select count(*) from users").await
    }

    pub(super) async fn execute(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.pool).await.expect("a statement").rows_affected()
    }

    pub(super) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.expect("a count")
    }
}

fn parse(email: &str) -> Email {
    Email::parse(email).expect("an e-mail address")
}

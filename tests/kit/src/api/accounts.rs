//! Changes of accounts without the API, for tests: by the use cases of the command line where one exists, else in SQL.

use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use edgeward_companion::domain::account::UserChanges;
use edgeward_companion::domain::account::email::Email;
use edgeward_companion::domain::account::password::{MIN_CHARS, Password};
use edgeward_companion::domain::account::password_policy::PasswordPolicy;
use edgeward_companion::domain::account::role::Role;
use edgeward_companion::domain::account::user_ref::UserRef;
use edgeward_companion::hashing::PasswordHasher;
use edgeward_companion::service::account::{self, LastAdmin};
use edgeward_companion::telemetry::metrics::Metrics;

use super::Api;
use crate::client::Client;

impl Api {
    /// Changes a user's role, as the command does: sessions continue, tokens with the former role are revoked.
    pub async fn set_role(&self, email: &str, role: &str) {
        let role = Some(Role::parse(role).expect("a role"));
        self.update(email, &UserChanges { role, ..UserChanges::default() }).await;
    }

    /// Returns the client of a new administrator.
    pub async fn admin(&self, email: &str) -> Client {
        self.registered(email).await;
        self.set_role(email, "admin").await;
        self.logged_in(email).await
    }

    /// Adds users without a password, `user<n>@example.com` for each number, with these names.
    pub async fn add_users(&self, numbers: RangeInclusive<i32>, first_name: &str, last_name: &str) {
        let insert = "insert into users (first_name, last_name, email, created_at, updated_at)
                      select $3, $4, format('user%s@example.com', number), now(), now()
                      from generate_series($1, $2) number";
        let insert = sqlx::query(insert).bind(numbers.start()).bind(numbers.end());
        insert.bind(first_name).bind(last_name).execute(&self.pool).await.expect("users");
    }

    /// Deletes the users that were added with a number of `first` or more.
    pub async fn delete_added_users(&self, first: i32) {
        let delete = "delete from users where substring(email from '^user([0-9]+)@')::integer >= $1";
        sqlx::query(delete).bind(first).execute(&self.pool).await.expect("a deletion");
    }

    /// Disables a user, as the command does: the sessions end.
    pub async fn disable(&self, email: &str) {
        self.update(email, &UserChanges { disabled: Some(true), ..UserChanges::default() }).await;
    }

    async fn update(&self, email: &str, changes: &UserChanges) {
        account::update(&self.system(), &parse(email), changes, LastAdmin::MayGo).await.expect("a user");
    }

    /// Forgets a user's failed logins, as the command does.
    pub async fn unlock(&self, email: &str) {
        account::unlock(&self.system(), &parse(email)).await.expect("a user");
    }

    /// Returns the bans as `<network> <scope>`, in order.
    pub async fn bans(&self) -> Vec<String> {
        let all = "select network || ' ' || scope from bans order by 1";
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
        let policy = PasswordPolicy { min_chars: MIN_CHARS, min_score: 1 };
        let hasher = PasswordHasher::start(4, policy, 1, random, metrics).expect("a thread");
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

    /// Inserts a user, and undoes it, as a role that may do no more than that. Returns the user's number.
    pub async fn insert_as_role_without_sequences(&self) -> i64 {
        let mut transaction = self.pool.begin().await.expect("a transaction");
        let role = "create role inserter; grant insert, select on users to inserter; set local role inserter";
        sqlx::raw_sql(role).execute(&mut *transaction).await.expect("a role");
        let insert = "insert into users (first_name, last_name, email, created_at, updated_at)
            values ('A', 'B', 'inserter@example.com', now(), now()) returning id";
        sqlx::query_scalar(insert).fetch_one(&mut *transaction).await.expect("a number")
    }

    /// Makes the numbers given so far those of another server, as a failover does.
    pub async fn forget_number_origin(&self) {
        let change = "update number_origin set origin = 'another server'";
        sqlx::query(change).execute(&self.pool).await.expect("an update");
    }

    /// Returns the number of users.
    pub async fn count_users(&self) -> i64 {
        self.count("select count(*) from users").await
    }

    pub(super) async fn execute(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.pool).await.expect("a statement").rows_affected()
    }

    /// Returns the count of a query.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.expect("a count")
    }
}

fn parse(email: &str) -> UserRef {
    UserRef::Email(Email::parse(email).expect("an e-mail address"))
}

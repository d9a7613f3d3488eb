//! Changes of sessions and of the audit log without the API, for tests, and their state in the database.

use edgeward_companion::clock::Clock as _;
use time::Duration;

use super::Api;

impl Api {
    /// Returns the number of sessions, expired ones among them.
    pub async fn count_sessions(&self) -> i64 {
        self.count("select count(*) from refresh_tokens").await
    }

    /// Waits until there are `count` sessions.
    pub async fn wait_for_sessions(&self, count: i64) {
        for _ in 0..2000 {
            if self.count_sessions().await == count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("there are {} sessions, not {count}", self.count_sessions().await);
    }

    /// Returns the number of sessions that were refreshed at least once.
    pub async fn count_refreshed_sessions(&self) -> i64 {
        self.count("select count(*) from refresh_tokens where generation > 1").await
    }

    /// Deletes every session, without a revocation.
    pub async fn delete_sessions(&self) {
        self.execute("delete from refresh_tokens").await;
    }

    /// Adds `count` expired sessions for each existing one.
    pub async fn add_expired_sessions(&self, count: i32) {
        let copies = "insert into refresh_tokens (user_id, expires_at, created_at, updated_at)
                      select user_id, created_at, created_at, created_at from refresh_tokens, generate_series(1, $1)";
        sqlx::query(copies).bind(count).execute(&self.pool).await.expect("sessions");
    }

    /// Adds entries of now to the audit log.
    pub async fn add_audit_entries(&self, count: i32) {
        let entries = "insert into audit_log (at, event, actor, reported)
                       select $1, 'logout', 'user', true from generate_series(1, $2)";
        sqlx::query(entries).bind(self.clock.now()).bind(count).execute(&self.pool).await.expect("entries");
    }

    /// Returns the number of entries of the audit log.
    pub async fn count_audit_entries(&self) -> i64 {
        self.count("select count(*) from audit_log").await
    }

    /// Moves the start of every session back, and its expiry on by an hour, as if a greater age had been allowed.
    pub async fn move_start_of_sessions(&self, back: Duration) {
        let update = "update refresh_tokens
                      set created_at = created_at - $1 * interval '1 second', expires_at = expires_at + interval '1 hour'";
        sqlx::query(update).bind(back.as_seconds_f64()).execute(&self.pool).await.expect("an update");
    }

    /// Reverts every refresh, like a failover to a standby that has not received them.
    pub async fn lose_refreshes(&self) {
        self.execute("update refresh_tokens set generation = 1, superseded = '{}', updated_at = created_at")
            .await;
    }

    /// Inserts a session of a user as a companion of the release before authentications does. Returns its ID.
    pub async fn insert_session_of_former_release(&self, user_id: i64) -> i64 {
        let insert = "insert into refresh_tokens (user_id, expires_at, created_at, updated_at)
                      values ($1, $2 + interval '30 days', $2, $2) returning id";
        let insert = sqlx::query_scalar(insert).bind(user_id).bind(self.clock.now());
        insert.fetch_one(&self.pool).await.expect("a session")
    }

    /// Returns the number of revocations, of sessions and of users.
    pub async fn count_revocations(&self) -> i64 {
        self.count("select count(*) from revocations").await
    }

    /// Returns the numbers of the sessions that were revoked at the gateway, in order of revocation.
    pub async fn revoked_sessions(&self) -> Vec<i64> {
        let all = "select session_id from revocations where session_id is not null order by id";
        sqlx::query_scalar(all).fetch_all(&self.pool).await.expect("revocations")
    }
}

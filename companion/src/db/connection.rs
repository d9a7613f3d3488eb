//! Connection to Postgres, directly or through a pooler, and what its errors say about it.

use std::fmt;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTransactionManager, PgTypeInfo};
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlSafeStr as _,
    SqlStr,
};
use sqlx_core::error::BoxDynError;
use sqlx_core::transaction::TransactionManager as _;

use super::fault;
use crate::config::PoolerMode;

/// Limits on the run time of a statement and on the wait for a lock, such as that of a migration or of an abandoned
/// transaction.
pub(super) const STATEMENT_LIMITS: &str = "set statement_timeout = '5s'; set lock_timeout = '5s'";

/// The same limits for one transaction, in the round trip that begins it: a pooler in transaction mode would pass
/// settings of a session on to other clients.
const BEGIN_WITH_LIMITS: &str = "begin; set local statement_timeout = '5s'; set local lock_timeout = '5s'";

/// Connection to a database.
///
/// Behind a pooler in transaction mode, each statement is in a transaction, and none is prepared by name: the messages
/// that prepare it and those that execute it are two round trips, for which the pooler would assign two servers.
pub struct Connection {
    pub(super) raw: PgConnection,
    mode: PoolerMode,
    is_faulty: bool,
}

impl Connection {
    pub(super) fn new(raw: PgConnection, mode: PoolerMode) -> Self {
        Self { raw, mode, is_faulty: false }
    }

    /// Returns sqlx's own connection, for its migrator.
    pub(super) fn raw(&mut self) -> &mut PgConnection {
        &mut self.raw
    }

    /// Returns `true` if the server has refused to write or to go on, so that the connection is of no more use.
    pub(super) fn is_faulty(&self) -> bool {
        self.is_faulty
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the statement fails.
    pub async fn begin(&mut self) -> Result<(), Error> {
        let statement = match self.mode {
            PoolerMode::Session => None,
            PoolerMode::Transaction => Some(BEGIN_WITH_LIMITS.into_sql_str()),
        };
        let begun = PgTransactionManager::begin(&mut self.raw, statement).await;
        self.inspect(begun)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the statement fails. Then it is unknown whether the transaction is committed.
    pub async fn commit(&mut self) -> Result<(), Error> {
        let committed = PgTransactionManager::commit(&mut self.raw).await;
        self.inspect(committed)
    }

    /// Rolls back what is not committed, with the next statement.
    pub(super) fn start_rollback(&mut self) {
        PgTransactionManager::start_rollback(&mut self.raw);
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the server cannot be told.
    pub async fn close(self) -> Result<(), Error> {
        self.raw.close().await
    }

    fn inspect<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| self.is_faulty |= fault::ends_connection(error))
    }

    /// Returns `true` if a statement needs a transaction of its own.
    fn needs_transaction(&self) -> bool {
        self.mode == PoolerMode::Transaction && PgTransactionManager::get_transaction_depth(&self.raw) == 0
    }

    /// Runs a statement through a pooler in transaction mode. Its rows are read to the end before the first of them is
    /// returned: the transaction must have been committed by then.
    async fn run_in_transaction<'q, E: 'q + Execute<'q, Postgres>>(
        &mut self,
        query: E,
    ) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error> {
        let is_alone = self.needs_transaction();
        if is_alone {
            self.begin().await?;
        }
        let read = self.raw.fetch_many(Unnamed(query)).try_collect().await;
        let read = self.inspect(read);
        if is_alone {
            match read {
                Ok(_) => self.commit().await?,
                Err(_) => self.start_rollback(),
            }
        }
        read
    }
}

/// A connection without a pooler.
impl From<PgConnection> for Connection {
    fn from(raw: PgConnection) -> Self {
        Self::new(raw, PoolerMode::Session)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.mode == PoolerMode::Transaction {
            let rows = self.run_in_transaction(query);
            return rows.map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten_stream().boxed();
        }
        let Connection { raw, is_faulty, .. } = self;
        raw.fetch_many(query).inspect_err(|error| *is_faulty |= fault::ends_connection(error)).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.mode == PoolerMode::Transaction {
            let rows = self.run_in_transaction(query);
            return rows.map_ok(|rows| rows.into_iter().find_map(Either::right)).boxed();
        }
        let Connection { raw, is_faulty, .. } = self;
        raw.fetch_optional(query).inspect_err(|error| *is_faulty |= fault::ends_connection(error)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        self.raw.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        self.raw.describe(sql)
    }
}

/// Statement that is prepared without a name.
struct Unnamed<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<<Postgres as sqlx::Database>::Arguments>, BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

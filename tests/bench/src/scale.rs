//! `bench scale`: times of the SQL of a login, of a refresh and of the lists of administrators, with few and with many users.
//! It runs the companion's own functions over one connection to each database, both of which are in the memory of Postgres.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use edgeward_companion::clock::{Clock as _, SystemClock};
use edgeward_companion::db::connection::Connection;
use edgeward_companion::db::{audit_log, databases, passwords, schema, sessions, users};
use edgeward_companion::domain::account::email::Email;
use edgeward_companion::domain::account::search::{Search, UserCursor, UserFilter};
use edgeward_companion::domain::audit::list::AuditFilter;
use edgeward_companion::domain::audit::{Entry, Event};
use edgeward_companion::domain::caller::Caller;
use edgeward_companion::domain::session::Lifetimes;
use edgeward_companion::domain::session::authentication::{Authentication, Proof};
use edgeward_companion::domain::session::device::Device;
use edgeward_companion::domain::token::refresh_token::RefreshClaims;
use edgeward_companion::domain::{SessionId, UserId};
use edgeward_stack::{Postgres, paths, postgres};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, raw_sql};
use tokio::runtime::Runtime;

use super::{Effort, machine};

/// Numbers of users.
const SIZES: [u32; 2] = [50_000, 5_000_000];
/// The same for a run that only shows that it works.
const QUICK_SIZES: [u32; 2] = [5_000, 50_000];
/// Numbers of rounds: those that are not measured, and those that are.
const ROUNDS: (usize, usize) = (2000, 4000);
/// The same for a run that only shows that it works.
const QUICK_ROUNDS: (usize, usize) = (50, 200);
/// Steps that are measured. A login is without the hash, and without the limits on guessing: their table does not grow with
/// the users.
const STEPS: [&str; 6] =
    ["login", "its credentials", "refresh", "search for users", "page of users", "audit log of a user"];
/// Number of rows of a page, and one that tells if there is another.
const PAGE: i64 = 51;
/// Number of batches of old audit entries that are deleted.
const DELETIONS: usize = 4;
/// Everything fits into the memory of Postgres. The times are those of the statements, without waits for the disk.
const OPTIONS: [&str; 10] = [
    "-c",
    "max_wal_size=16GB",
    "-c",
    "maintenance_work_mem=512MB",
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "autovacuum=off",
];
/// Lifetimes of sessions, which are the settings' defaults but for the grace period: each refresh rotates.
const LIFETIMES: Lifetimes = Lifetimes {
    idle: time::Duration::days(30),
    absolute: time::Duration::days(180),
    grace: time::Duration::ZERO,
};

type Times = [Duration; STEPS.len()];

/// Measures, and prints the medians and their ratios.
pub fn scale(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    let directory = paths::test_folder("scale");
    postgres::erase(&directory)?;
    fs::create_dir_all(&directory)?;
    let buffers = if effort.published { "shared_buffers=7GB" } else { "shared_buffers=512MB" };
    let options = [&["-c", buffers], &OPTIONS[..]].concat();
    let server = Postgres::start_with(&directory, &options, &mut *log)?;
    let measured = Runtime::new()?.block_on(measure(&server, effort, log));
    drop(server);
    postgres::erase(&directory)?;
    measured
}

/// Measures both databases in turn, so that a disturbance of the machine meets both.
async fn measure(server: &Postgres, effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    let (sizes, (warm_up, rounds)) =
        if effort.published { (SIZES, ROUNDS) } else { (QUICK_SIZES, QUICK_ROUNDS) };
    let mut worlds = Vec::new();
    for size in sizes {
        log(&format!("creating {size} users, each with a session and an audit entry"));
        worlds.push(World::create(server, size).await?);
    }
    log("measuring");
    let mut random = fastrand::Rng::with_seed(1);
    let mut samples: [[Vec<Duration>; STEPS.len()]; 2] = Default::default();
    for round in 0..warm_up + rounds {
        for (world, samples) in worlds.iter_mut().zip(&mut samples) {
            let number = random.u32(1..=world.size);
            let times = world.measure(number).await.with_context(|| format!("user {number}"))?;
            if round >= warm_up {
                samples.iter_mut().zip(times).for_each(|(samples, time)| samples.push(time));
            }
        }
    }
    let [few, many] = samples.map(|steps| steps.map(median));
    println!("| median, µs | {} users | {} users | ratio |\n|---|---|---|---|", sizes[0], sizes[1]);
    for (name, (few, many)) in STEPS.iter().zip(few.into_iter().zip(many)) {
        print_row(name, few, many);
    }
    let [few, many] = &mut worlds[..] else { unreachable!("two databases") };
    print_row("1,000 old audit entries deleted", few.delete().await?, many.delete().await?);
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn print_row(name: &str, few: Duration, many: Duration) {
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("| {name} | {} | {} | {ratio:.2} |", few.as_micros(), many.as_micros());
}

/// Database with so many users. Each has a password, a session and an audit entry, whose numbers are the user's.
struct World {
    size: u32,
    connection: Connection,
}

impl World {
    async fn create(server: &Postgres, size: u32) -> Result<Self> {
        let name = format!("users_{size}");
        let mut maintenance = connect(&server.url(databases::MAINTENANCE)).await?;
        databases::create(&mut maintenance, &name).await?;
        let mut connection = connect(&server.url(&name)).await?;
        schema::run(&mut connection).await?;
        // An index is made much faster than it grows. Without triggers: they would copy each password once more.
        let fill = format!(
            "create temp table kept as
                 select indexname, indexdef from pg_indexes
                 where schemaname = 'public' and tablename in ('users', 'refresh_tokens', 'audit_log')
                     and indexname not in (select conname from pg_constraint);
             do $$ declare name text; begin
                 for name in select indexname from kept loop execute 'drop index ' || name; end loop;
             end $$;
             set session_replication_role = replica;
             insert into users (first_name, last_name, email, password, created_at, updated_at)
             select 'First ' || n, 'Last ' || n, 'user' || n || '@example.com',
                    '$2b$12$' || left(md5(n::text) || md5((-n)::text), 53), now(), now()
             from generate_series(1, {size}) as n;
             insert into passwords (user_id, hash, scheme, changed_at)
             select id, password, 'bcrypt', updated_at from users;
             insert into refresh_tokens (user_id, device, address_prefix, expires_at, created_at, updated_at)
             select n, 'Firefox on Linux', '192.0.2.0/24', now() + interval '30 days', now(), now()
             from generate_series(1, {size}) as n;
             insert into audit_log (at, event, actor, user_id, session_id, request_id, client_prefix, reported)
             select now() - ({size} - n) * interval '1 second', 'login', 'user', n, n, md5(n::text), '192.0.2.0/24', true
             from generate_series(1, {size}) as n;
             reset session_replication_role;
             do $$ declare definition text; begin
                 for definition in select indexdef from kept loop execute definition; end loop;
             end $$"
        );
        raw_sql(AssertSqlSafe(fill)).execute(&mut connection).await?;
        raw_sql("vacuum analyze").execute(&mut connection).await?;
        let read = "create extension pg_prewarm;
                    select pg_prewarm(oid) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')";
        raw_sql(read)
            .execute(&mut connection)
            .await
            .context("Postgres needs the extension pg_prewarm (contrib)")?;
        raw_sql("checkpoint").execute(&mut connection).await?;
        Ok(Self { size, connection })
    }

    /// Logs a user in, refreshes their first session, and lists what administrators list.
    async fn measure(&mut self, number: u32) -> Result<Times> {
        let (user_id, session_id) = (UserId(number.into()), SessionId(number.into()));
        let email = Email::parse(&format!("user{number}@example.com"))?;
        let device = Device { name: None, address_prefix: Some("192.0.2.0/24".to_owned()) };
        let connection = &mut self.connection;

        let started = Instant::now();
        let found = passwords::find(connection, &email).await?.context("no credentials")?;
        let credentials = started.elapsed();
        connection.begin().await?;
        let is_there = users::lock_shared(connection, user_id).await?;
        let is_unchanged = passwords::is_unchanged(connection, user_id, found.changed_at).await?;
        ensure!(is_there && is_unchanged, "the password has changed");
        let now = SystemClock.now();
        let expires_at = LIFETIMES.expiry(now, now);
        let authentication = Authentication::new(now, Proof::Password);
        let inserted =
            sessions::insert(connection, user_id, &device, (&authentication, None), expires_at, now).await?;
        let (claims, _) = inserted.context("no session")?;
        let entry =
            Entry::new(now, &Caller::SYSTEM, &Event::LoggedIn, Some(user_id), Some(claims.session_id));
        audit_log::insert_all(connection, &[entry], true).await?;
        connection.commit().await?;
        let login = started.elapsed();

        let session = sessions::refresh::read(connection, session_id).await?.context("no session")?;
        let now = SystemClock.now();
        let generation = session.generation;
        let presented = RefreshClaims { user_id, session_id, generation, issued_at: now.unix_timestamp() };
        let started = Instant::now();
        let refreshed = sessions::refresh::rotate_live(connection, presented, &LIFETIMES, now).await?;
        let refresh = started.elapsed();
        ensure!(refreshed.is_some(), "the session was not refreshed");

        let search = Search::Prefix(format!("user{}", number / 100));
        let filter = UserFilter { search: Some(search), ..UserFilter::default() };
        let started = Instant::now();
        users::list(connection, &filter, &UserCursor::default(), PAGE).await?;
        let search = started.elapsed();

        let after = UserCursor { id: user_id.0, ..UserCursor::default() };
        let started = Instant::now();
        users::list(connection, &UserFilter::default(), &after, PAGE).await?;
        let page = started.elapsed();

        let filter = AuditFilter { user_id: Some(user_id), ..AuditFilter::default() };
        let started = Instant::now();
        let entries = audit_log::list(connection, &filter, None, PAGE).await?;
        let audit = started.elapsed();
        ensure!(entries.len() >= 2, "no entry of the login");
        Ok([login, credentials, refresh, search, page, audit])
    }

    /// Deletes the oldest audit entries in batches, and returns the median time of one.
    async fn delete(&mut self) -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..DELETIONS {
            let started = Instant::now();
            audit_log::delete_before(&mut self.connection, SystemClock.now(), time::Duration::ZERO).await?;
            times.push(started.elapsed());
        }
        Ok(median(times))
    }
}

async fn connect(url: &str) -> Result<Connection> {
    Ok(url.parse::<PgConnectOptions>()?.connect().await?.into())
}

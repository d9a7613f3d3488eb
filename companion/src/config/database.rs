//! The settings of the database: `DATABASE_URL`, or `DB_HOST`, `DB_PORT`, `DB_USERNAME`, `DB_PASSWORD` and `DB_NAME`.

use std::fmt;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;

use super::connection_string::{ConnectionString, pair};
use super::{
    InvalidConnectionString, Problem, Reader, Section, Setting, TargetSessionAttrs, connection_string,
    settings,
};

/// Access to Postgres. It has no `Debug`: the options hold the password.
#[derive(Clone)]
pub struct Database {
    /// Servers in their order, of which there is at least one. They differ by host and port alone.
    pub servers: Vec<PgConnectOptions>,
    /// Server that is asked for.
    pub target: TargetSessionAttrs,
    /// Mode of the pooler before Postgres.
    pub pooler_mode: PoolerMode,
    /// Number of connections that are kept.
    pub pool_size: u32,
    /// Maximum time that a start waits for a server that is not up yet.
    pub wait: Duration,
    /// Servers of `MIGRATION_DATABASE_URL`, which are reached without a pooler, and the one that is asked for.
    direct: Option<(Vec<PgConnectOptions>, TargetSessionAttrs)>,
}

/// Time for which a client of a pooler has the same server connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolerMode {
    /// As long as it is connected, as it is without a pooler.
    Session,
    /// For one transaction.
    Transaction,
}

/// Access to the database of another system, whose users are imported.
pub struct ImportSource(pub Database);

impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pool_size = reader.number(&settings::DB_POOL_SIZE);
        let wait = reader.number(&settings::DB_WAIT_SECONDS).map(Duration::from_secs);
        let pooler_mode = reader.parsed(&settings::DB_POOLER_MODE, PoolerMode::parse);
        let direct = read_direct(reader);
        let string = match reader.secret(&settings::DATABASE_URL)? {
            Some(url) => read_url(reader, url.expose_secret()),
            None => read_parts(reader),
        };
        let (servers, target) = finish(string?, "edgeward");
        Some(Self {
            servers,
            target,
            pooler_mode: pooler_mode?,
            pool_size: pool_size?,
            wait: wait?,
            direct: direct?,
        })
    }
}

impl Section for ImportSource {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let setting = &settings::IMPORT_DATABASE_URL;
        let Some(url) = reader.secret(setting)? else { return reader.reject(setting.name, Problem::Missing) };
        let string = parse(reader, setting, url.expose_secret())?;
        // A standby can be read as well.
        let target = string.target.unwrap_or(TargetSessionAttrs::Any);
        let (servers, _) = finish(string, "edgeward import");
        let (pooler_mode, wait) = (PoolerMode::Session, Duration::ZERO);
        Some(Self(Database { servers, target, pooler_mode, pool_size: 1, wait, direct: None }))
    }
}

impl Database {
    /// Returns the same database as it is reached without a pooler, by `MIGRATION_DATABASE_URL`; the same if that is not set.
    #[must_use]
    pub fn direct(&self) -> Self {
        match self.direct.clone() {
            Some((servers, target)) => {
                Self { servers, target, pooler_mode: PoolerMode::Session, ..self.clone() }
            }
            None => self.clone(),
        }
    }

    /// Name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.servers.first().and_then(PgConnectOptions::get_database).unwrap_or_default()
    }

    /// Returns the same with another number of connections.
    #[must_use]
    pub fn with_pool_size(&self, pool_size: u32) -> Self {
        Self { pool_size, ..self.clone() }
    }

    /// Returns another database of the same servers.
    #[must_use]
    pub fn sibling(&self, name: &str) -> Self {
        let servers = self.servers.iter().map(|server| server.clone().database(name)).collect();
        Self { servers, ..self.clone() }
    }
}

impl PoolerMode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "session" => Some(Self::Session),
            "transaction" => Some(Self::Transaction),
            _ => None,
        }
    }
}

/// Completes the options of each server. Without another target, a server must accept writes: one that does not is a
/// standby, which knows of no logout since it fell behind.
fn finish(string: ConnectionString, name: &str) -> (Vec<PgConnectOptions>, TargetSessionAttrs) {
    let servers = string.servers.into_iter().map(|server| {
        // Poolers reject start-up parameters that they do not know (PgBouncer: `extra_float_digits`, which sqlx sends
        // by itself and only numbers that we have none of need).
        let server = server.extra_float_digits(None);
        match server.get_application_name() {
            None => server.application_name(name),
            Some(_) => server,
        }
    });
    (servers.collect(), string.target.unwrap_or(TargetSessionAttrs::ReadWrite))
}

fn parse(reader: &mut Reader<'_>, setting: &Setting, url: &str) -> Option<ConnectionString> {
    match connection_string::parse(url) {
        Ok(string) => Some(string),
        Err(invalid) => reader.reject(setting.name, Problem::ConnectionString(invalid)),
    }
}

#[expect(clippy::option_option, reason = "the outer one is that of every reader")]
fn read_direct(reader: &mut Reader<'_>) -> Option<Option<(Vec<PgConnectOptions>, TargetSessionAttrs)>> {
    let setting = &settings::MIGRATION_DATABASE_URL;
    let Some(url) = reader.secret(setting)? else { return Some(None) };
    let string = parse(reader, setting, url.expose_secret())?;
    Some(Some(finish(string, "edgeward")))
}

/// Reads the URL. Parts that are set as well must say the same, so that nobody changes one of them in vain.
fn read_url(reader: &mut Reader<'_>, url: &str) -> Option<ConnectionString> {
    let string = parse(reader, &settings::DATABASE_URL, url)?;
    let hosts: Vec<String> = string.servers.iter().map(host).collect();
    let ports: Vec<u16> = string.servers.iter().map(PgConnectOptions::get_port).collect();
    let first = string.servers.first()?;
    let same_ports = |given: &str| {
        let given = pair(&hosts.join(","), given);
        given.is_ok_and(|given| {
            given.iter().map(|(_, port)| port.unwrap_or_default()).eq(ports.iter().copied())
        })
    };
    let contradicts = Problem::Contradicts(settings::DATABASE_URL.name);
    if reader.given(&settings::DB_PORT).is_some_and(|given| !same_ports(&given)) {
        reader.reject::<()>(settings::DB_PORT.name, contradicts.clone());
    }
    let texts = [
        (&settings::DB_HOST, hosts.join(",")),
        (&settings::DB_USERNAME, first.get_username().to_owned()),
        (&settings::DB_NAME, first.get_database().unwrap_or_default().to_owned()),
    ];
    for (setting, in_url) in texts {
        if reader.given(setting).is_some_and(|given| given != in_url) {
            reader.reject::<()>(setting.name, contradicts.clone());
        }
    }
    // A URL's password cannot be looked at, so none is compared with it.
    if reader.secret(&settings::DB_PASSWORD)?.is_some() {
        let other = Problem::NotTogetherWith(settings::DATABASE_URL.name);
        return reader.reject(settings::DB_PASSWORD.name, other);
    }
    Some(string)
}

fn read_parts(reader: &mut Reader<'_>) -> Option<ConnectionString> {
    let required = [&settings::DB_HOST, &settings::DB_USERNAME, &settings::DB_NAME];
    let [host, username, name] = required.map(|setting| reader.given(setting));
    let port = reader.text(&settings::DB_PORT);
    let password = reader.secret(&settings::DB_PASSWORD);
    if host.is_none() && username.is_none() && name.is_none() {
        return reader.reject("DATABASE_URL (or DB_HOST, DB_USERNAME, DB_NAME)", Problem::Missing);
    }
    let places = read_places(reader, host.as_deref().unwrap_or("localhost"), &port);
    for (setting, value) in required.iter().zip([&host, &username, &name]) {
        if value.is_none() {
            reader.reject::<()>(setting.name, Problem::Missing);
        }
    }
    // A password left out is none, and not one that libpq's files have.
    let mut options = PgConnectOptions::new_without_pgpass().username(&username?).database(&name?);
    if let Some(password) = password? {
        options = options.password(password.expose_secret());
    }
    host?;
    let servers = places?.into_iter().map(|(host, port)| {
        let server = options.clone().host(&host);
        port.map_or(server.clone(), |port| server.port(port))
    });
    Some(ConnectionString { servers: servers.collect(), target: None })
}

fn read_places(reader: &mut Reader<'_>, host: &str, port: &str) -> Option<Vec<(String, Option<u16>)>> {
    match pair(host, port) {
        Ok(places) => Some(places),
        Err(InvalidConnectionString::Port) => {
            reader.reject(settings::DB_PORT.name, Problem::NotOfTheForm(settings::DB_PORT.form))
        }
        Err(invalid @ InvalidConnectionString::PortCount { .. }) => {
            reader.reject(settings::DB_PORT.name, Problem::ConnectionString(invalid))
        }
        Err(invalid) => reader.reject(settings::DB_HOST.name, Problem::ConnectionString(invalid)),
    }
}

/// Host of a server, or the folder of its socket.
fn host(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => server.get_host().to_owned(),
    }
}

/// Place of a server as in messages.
#[must_use]
pub fn place(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(_) => host(server),
        None => format!("{}:{}", host(server), server.get_port()),
    }
}

/// As in messages: the database and its servers, never the user.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.servers.iter().map(place).collect();
        write!(f, "database \"{}\" at {}", self.name(), places.join(", "))
    }
}

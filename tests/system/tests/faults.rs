//! Connection to Postgres that breaks or stalls at each message of a call: acknowledged changes persist, a failure clears no
//! cookie, and a client that repeats the call succeeds.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use edgeward_kit::database;
use edgeward_kit::fault_proxy::{Fault, FaultKind, FaultProxy};
use sqlx::PgPool;
use tokio::sync::Notify;

/// Companion that is connected to its database through a proxy.
struct Scene {
    /// API, which stops when dropped.
    api: Api,
    proxy: FaultProxy,
    /// Connections to the database without the proxy.
    direct: PgPool,
    /// Client without cookies.
    nobody: Client,
}

impl Scene {
    async fn start(connections: &str) -> Self {
        let database = database::fresh().await;
        let (proxy, url) = FaultProxy::start_before(&database.url).await;
        let api = Api::start_with(&[("DATABASE_URL", &url), ("DB_POOL_SIZE", connections)]).await;
        Self { nobody: api.client(), api, proxy, direct: database.pool() }
    }

    async fn count_sessions(&self, email: &str) -> i64 {
        let count = "select count(*) from refresh_tokens join users on users.id = user_id where email = $1";
        sqlx::query_scalar(count).bind(email).fetch_one(&self.direct).await.expect("a count")
    }

    /// Returns the number of revocations of a client's session or its user.
    async fn count_revocations(&self, client: &Client) -> i64 {
        let claims = client.claims();
        let count = "select count(*) from revocations where session_id = $1 or user_id = $2::bigint";
        let count =
            sqlx::query_scalar(count).bind(claims.sid).bind(claims.sub.parse::<i64>().expect("a number"));
        count.fetch_one(&self.direct).await.expect("a count")
    }
}

/// Call that changes something.
#[derive(Clone, Copy, Debug)]
enum Call {
    Register,
    Login,
    Refresh,
    EdgeRefresh,
    /// Refresh with a stolen token, which ends the session.
    Reuse,
    Logout,
    LogoutAll,
    EndOthers,
}

/// Number of times that a client repeats a call before it gives up.
const TRIES: usize = 3;

const CALLS: [Call; 8] = [
    Call::Register,
    Call::Login,
    Call::Refresh,
    Call::EdgeRefresh,
    Call::Reuse,
    Call::Logout,
    Call::LogoutAll,
    Call::EndOthers,
];

impl Call {
    /// Returns a client that is about to make the call, with an e-mail address of its own.
    async fn prepare(self, scene: &Scene, email: &str) -> Client {
        match self {
            Self::Register => scene.nobody.clone(),
            Self::Login => {
                assert_eq!(scene.nobody.clone().register(email).await.status, 201);
                scene.nobody.clone()
            }
            Self::Refresh | Self::EdgeRefresh | Self::Logout | Self::LogoutAll => {
                let mut client = scene.nobody.clone();
                assert_eq!(client.register(email).await.status, 201);
                client
            }
            Self::EndOthers => {
                assert_eq!(scene.nobody.clone().register(email).await.status, 201);
                let mut client = scene.nobody.clone();
                assert_eq!(client.login(email, PASSWORD).await.status, 200);
                client
            }
            Self::Reuse => {
                let mut owner = scene.nobody.clone();
                assert_eq!(owner.register(email).await.status, 201);
                let thief = owner.clone();
                for _ in 0..2 {
                    assert_eq!(owner.refresh().await.status, 200);
                }
                // The grace period is over.
                let later = "update refresh_tokens set superseded = array(
                                 select at - interval '1 minute' from unnest(superseded) at)
                             where user_id = (select id from users where email = $1)";
                sqlx::query(later).bind(email).execute(&scene.direct).await.expect("an update");
                thief
            }
        }
    }

    async fn make(self, scene: &Scene, client: &mut Client, email: &str) -> Response {
        match self {
            Self::Register => client.register(email).await,
            Self::Login => client.login(email, PASSWORD).await,
            Self::Refresh | Self::Reuse => client.refresh().await,
            Self::EdgeRefresh => edge_refresh(scene, client).await,
            Self::Logout => client.logout().await,
            Self::LogoutAll => client.post("/api/auth/logout-all").await,
            Self::EndOthers => client.delete("/api/auth/sessions").await,
        }
    }

    /// `true` if the response acknowledges the call. Any other is a failure that clears no cookie.
    fn is_acknowledged(self, response: &Response) -> bool {
        // A repeated logout comes from a client that is not signed in any more, and a reused token is rejected.
        let ends = matches!(self, Self::Reuse | Self::LogoutAll);
        if response.status < 300 || ends && response.status == 401 {
            return true;
        }
        assert!([500, 503].contains(&response.status), "{self:?}: {response:?}");
        assert!(response.set_cookies().is_empty(), "{self:?}: {response:?}");
        false
    }

    /// Repeats the call, as a client does after a failure or a lost response.
    async fn repeat(self, scene: &Scene, client: &mut Client, email: &str) {
        for _ in 0..TRIES {
            let response = self.make(scene, client, email).await;
            if matches!(self, Self::Register) && response.status == 409 {
                // It had been written before the connection broke.
                let login = client.login(email, PASSWORD).await;
                if Self::Login.is_acknowledged(&login) {
                    return;
                }
            } else if self.is_acknowledged(&response) {
                return;
            }
        }
        panic!("{self:?} fails again and again");
    }

    /// Fails unless the call has had its effect. `before` is the client before the call.
    async fn assert_done(self, scene: &Scene, client: &Client, before: &Client, email: &str) {
        let mut client = client.clone();
        match self {
            Self::Logout | Self::LogoutAll | Self::Reuse => {
                assert_eq!(before.clone().refresh().await.status, 401);
                assert_eq!(before.clone().get("/api/auth/self").await.status, 401);
                assert_eq!(scene.count_sessions(email).await, 0);
                assert_eq!(scene.count_revocations(before).await, 1);
            }
            Self::EndOthers => {
                assert_eq!(scene.count_sessions(email).await, 1);
                assert_eq!(client.refresh().await.status, 200);
            }
            Self::Register | Self::Login | Self::Refresh | Self::EdgeRefresh => {
                assert_eq!(client.get("/api/auth/self").await.body["user"]["email"], email);
                assert_eq!(client.refresh().await.status, 200);
            }
        }
    }
}

/// Refreshes for a client as the filter does, and stores the cookies of the response in it.
async fn edge_refresh(scene: &Scene, client: &mut Client) -> Response {
    let mut edge = scene.api.internal();
    edge.cookies.clone_from(&client.cookies);
    let response = edge.post("/internal/edge-refresh").await;
    for cookie in response.body["set_cookies"].as_array().into_iter().flatten() {
        let pair = cookie.as_str().and_then(|cookie| cookie.split(';').next()?.split_once('='));
        let (name, value) = pair.expect("a pair");
        client.cookies.insert(name.to_owned(), value.to_owned());
    }
    response
}

/// Returns the number of messages of a call, after the statements are prepared.
async fn count_messages(scene: &Scene, call: Call) -> usize {
    for time in ["first", "second"] {
        let email = format!("{call:?}.{time}@example.com").to_lowercase();
        let mut client = call.prepare(scene, &email).await;
        scene.proxy.arm(None);
        call.make(scene, &mut client, &email).await;
    }
    scene.proxy.seen().len()
}

async fn check(scene: &Scene, call: Call, fault: Fault) {
    let email = format!("{call:?}.{:?}.{}@example.com", fault.kind, fault.after).to_lowercase();
    let before = call.prepare(scene, &email).await;
    let mut client = before.clone();
    scene.proxy.arm(Some(fault));
    let response = call.make(scene, &mut client, &email).await;
    let seen = scene.proxy.seen();
    scene.proxy.arm(None);
    let acknowledged = call.is_acknowledged(&response);
    // Shown if an assertion below fails.
    println!("{call:?} {fault:?} {seen:?} {}", response.status);
    // The next user of the connection notices if it is closed.
    scene.nobody.clone().login("nobody@example.com", PASSWORD).await;
    if acknowledged {
        call.assert_done(scene, &client, &before, &email).await;
    }
    // The response can be lost on its way to the client as well.
    let mut again = before.clone();
    call.repeat(scene, &mut again, &email).await;
    call.assert_done(scene, &again, &before, &email).await;
}

// holds: promise 10
#[tokio::test]
async fn connection_broken_at_any_message_loses_nothing_acknowledged() {
    let scene = Scene::start("1").await;
    for call in CALLS {
        let messages = count_messages(&scene, call).await;
        assert!(messages > 5, "{call:?}: {messages}");
        for after in 0..messages {
            for kind in [FaultKind::Cut, FaultKind::CutAfter] {
                check(&scene, call, Fault { after, kind }).await;
            }
        }
    }
}

#[tokio::test]
async fn call_stalled_at_any_message_and_its_repetition_agree() {
    let scene = Scene::start("2").await;
    for call in CALLS {
        for after in 0..count_messages(&scene, call).await {
            let email = format!("{call:?}.{after}@example.com").to_lowercase();
            let before = call.prepare(&scene, &email).await;
            let (mut first, mut second) = (before.clone(), before.clone());
            scene.proxy.arm(Some(Fault { after, kind: FaultKind::Hold }));
            let responded = Notify::new();
            let stalled = async {
                let response = call.make(&scene, &mut first, &email).await;
                // Of two registrations of one address the other one may have been quicker.
                assert!(
                    response.status == 409 || call.is_acknowledged(&response),
                    "{call:?} {after}: {response:?}"
                );
                responded.notify_one();
            };
            let repeated = async {
                // The number of messages varies with those that check the connections of the pool.
                tokio::select! {
                    () = scene.proxy.wait_for_fault() => {}
                    // The fault must not hit the repetition, which would wait for ever.
                    () = responded.notified() => scene.proxy.arm(None),
                }
                // It may have to wait for locks of the stalled call.
                let repetition = call.repeat(&scene, &mut second, &email);
                tokio::pin!(repetition);
                tokio::select! {
                    () = &mut repetition => scene.proxy.release(),
                    () = database::wait_for_locks(&scene.direct, 1) => {
                        scene.proxy.release();
                        repetition.await;
                    }
                }
            };
            tokio::join!(stalled, repeated);
            call.assert_done(&scene, &second, &before, &email).await;
            if !first.cookies.is_empty() {
                call.assert_done(&scene, &first, &before, &email).await;
            }
        }
    }
}

#[tokio::test]
async fn server_silent_at_any_message_occupies_no_connection() {
    let scene = Scene::start("2").await;
    let mut bystander = scene.api.registered("bystander@example.com").await;
    // With those of the return to the pool, after the response.
    let messages = count_messages(&scene, Call::Refresh).await;
    for after in 0..messages {
        let mut clients = Vec::new();
        for connection in 0..2 {
            // A user of its own: the server may wait for the rest of a statement with the user's row locked.
            let email = format!("silent.{after}.{connection}@example.com");
            clients.push(Call::Refresh.prepare(&scene, &email).await);
        }
        for mut client in clients {
            scene.proxy.arm(Some(Fault { after, kind: FaultKind::Blackhole }));
            // The number of messages varies with those that check the connections of the pool: the fault may hit a later
            // refresh.
            tokio::select! {
                () = scene.proxy.wait_for_fault() => {}
                () = async {
                    loop {
                        let response = client.refresh().await;
                        assert_eq!(response.status, 200, "{response}");
                    }
                } => {}
            }
        }
        scene.proxy.arm(None);
        let response = bystander.refresh().await;
        assert_eq!(response.status, 200, "silent after {after} of {messages} messages: {response}");
    }
}

#[tokio::test]
async fn reused_token_ends_the_session_though_the_client_disconnects() {
    let scene = Scene::start("1").await;
    let email = "reuse@example.com";
    let mut client = Call::Reuse.prepare(&scene, email).await;
    let mut row = scene.direct.begin().await.expect("a transaction");
    sqlx::query("select from refresh_tokens for update").execute(&mut *row).await.expect("its rows");
    let mut call = Box::pin(Call::Reuse.make(&scene, &mut client, email));
    tokio::select! {
        response = &mut call => panic!("{response:?}"),
        () = database::wait_for_locks(&scene.direct, 1) => {}
    }
    // The end of the session waits for the row. The client cannot stop it.
    drop(call);
    row.rollback().await.expect("an end");
    let ended = async {
        while scene.count_sessions(email).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("its end");
}

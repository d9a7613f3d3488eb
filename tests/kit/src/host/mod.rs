//! A small, stateful proxy-wasm host (ABI 0.2.1) around the compiled filter, as one worker of a proxy. Tests send requests
//! and look at the outcome, not at the host calls on the way.

mod abi;
pub mod edge;
pub mod follower;
mod memory;
mod protobuf;
mod world;

use std::sync::{Arc, OnceLock};

use wasmtime::{Engine, Instance, Module, Store, TypedFunc, WasmParams, WasmResults};

pub use world::{Call, Header, Headers, LocalReply};
use world::{SharedData, Stream, World};

/// The root context of the first configuration; those of later ones follow on it downwards from the end.
const ROOT: u32 = 1;
/// Action with which a filter lets a stream continue.
const CONTINUE: u32 = 0;

/// Differences between the host and a plain Envoy.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// `true` if the host has the foreign function `verify_signature`.
    pub verify_signature: bool,
    /// Time at the start, in seconds since 1970.
    pub now: u64,
    /// Name of a host call that does nothing and returns this status.
    pub fault: Option<(&'static str, u32)>,
}

/// Host calls that can be given a fault.
pub const CALLS: [&str; 20] = [
    "proxy_log",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_add_header_map_value",
    "proxy_send_local_response",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_http_call",
    "proxy_set_effective_context",
    "proxy_continue_stream",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_call_foreign_function",
];

/// Worker that runs the filter.
pub struct Host {
    store: Store<World>,
    instance: Instance,
    root: u32,
    streams: u32,
}

/// Outcome of a request.
#[derive(Debug)]
pub struct Exchange {
    /// Request header fields as the upstream receives them, if it does.
    pub upstream: Option<Headers>,
    /// Local reply of the filter, if it sent one.
    pub local_reply: Option<LocalReply>,
    /// Properties that the filter set for the access log.
    pub properties: Vec<(String, String)>,
}

impl Host {
    /// Starts the filter with a plugin configuration; if the filter rejects it, the lines of the log.
    pub fn start(traits: Traits, configuration: &str) -> Result<Self, Vec<String>> {
        Self::start_in(SharedData::default(), traits, traits.now * 1_000_000_000, configuration)
    }

    /// Starts another worker of the same proxy, or the same one with another configuration.
    pub fn start_beside(&self, configuration: &str) -> Result<Self, Vec<String>> {
        let world = self.store.data();
        Self::start_in(Arc::clone(&world.shared_data), world.traits, world.now_ns, configuration)
    }

    fn start_in(
        shared: SharedData,
        traits: Traits,
        now_ns: u64,
        configuration: &str,
    ) -> Result<Self, Vec<String>> {
        let (engine, module) = compiled();
        let mut store = Store::new(engine, World::new(traits, now_ns, configuration, shared));
        let instance =
            abi::linker(engine).instantiate(&mut store, module).expect("the filter's imports are known");
        let mut host = Self { store, instance, root: ROOT, streams: ROOT };
        host.call::<(), ()>("_initialize", ());
        if host.open_root(configuration) { Ok(host) } else { Err(host.log().to_vec()) }
    }

    fn open_root(&mut self, configuration: &str) -> bool {
        self.store.data_mut().configuration = configuration.as_bytes().to_vec();
        self.call::<(u32, u32), ()>("proxy_on_context_create", (self.root, 0));
        let len = u32::try_from(configuration.len()).unwrap();
        self.call::<(u32, u32), u32>("proxy_on_configure", (self.root, len)) == 1
    }

    /// Changes the configuration as Envoy does: the new plugin starts in the same worker before the old one ends.
    pub fn reconfigure(&mut self, configuration: &str) {
        let old = self.configure_beside(configuration);
        self.end_plugin(old);
    }

    /// Starts another plugin in the same worker, for the streams to come. Returns the former plugin.
    pub fn configure_beside(&mut self, configuration: &str) -> u32 {
        let old = self.root;
        self.root = if old == ROOT { u32::MAX } else { old - 1 };
        assert!(self.open_root(configuration), "{:?}", self.log());
        old
    }

    /// Ends a plugin.
    pub fn end_plugin(&mut self, root: u32) {
        self.call::<u32, ()>("proxy_on_delete", root);
    }

    /// Sends the head of a request through the filter, and ends its stream.
    pub fn request(&mut self, headers: Headers) -> Exchange {
        let id = self.open(headers);
        self.end(id)
    }

    /// Sends the head of a request through the filter, and leaves its stream open. Returns the stream.
    pub fn open(&mut self, headers: Headers) -> u32 {
        let id = self.create(headers);
        self.send_head(id);
        id
    }

    /// Creates a stream for a request whose head comes later. Returns the stream.
    pub fn create(&mut self, headers: Headers) -> u32 {
        self.streams += 1;
        let id = self.streams;
        self.store.data_mut().streams.insert(id, Stream { request: headers, ..Stream::default() });
        self.call_about::<(u32, u32), ()>(id, "proxy_on_context_create", (id, self.root));
        id
    }

    /// Sends the head of a stream's request through the filter.
    pub fn send_head(&mut self, id: u32) {
        let count = u32::try_from(self.stream(id).request.len()).unwrap();
        let action: u32 = self.call_about(id, "proxy_on_request_headers", (id, count, 1_u32));
        self.stream(id).continues = action == CONTINUE;
    }

    /// `true` if the filter holds a stream.
    pub fn is_held(&mut self, id: u32) -> bool {
        let stream = self.stream(id);
        !stream.continues && stream.local_reply.is_none()
    }

    /// Sends the head of the upstream's response through the filter. Returns what the client receives.
    pub fn respond(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("via_upstream", id, headers)
    }

    /// Sends the head of a response of the host's own through the filter. Returns what the client receives.
    pub fn respond_itself(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("upstream_response_timeout", id, headers)
    }

    fn respond_with(&mut self, details: &str, id: u32, headers: Headers) -> Headers {
        self.stream(id).response = headers;
        details.clone_into(&mut self.stream(id).response_details);
        let action: u32 = self.call_about(id, "proxy_on_response_headers", (id, 1_u32, 1_u32));
        assert_eq!(action, CONTINUE);
        self.stream(id).response.clone()
    }

    /// Ends a stream, as a client does that disconnects.
    pub fn end(&mut self, id: u32) -> Exchange {
        self.complete_reply(id);
        self.call_about::<u32, ()>(id, "proxy_on_delete", id);
        let stream = self.store.data_mut().streams.remove(&id).unwrap();
        let continues = stream.continues && stream.local_reply.is_none();
        Exchange {
            upstream: continues.then_some(stream.request),
            local_reply: stream.local_reply,
            properties: stream.properties,
        }
    }

    /// Sends the head of the local reply through the filter, as Envoy does.
    fn complete_reply(&mut self, id: u32) {
        let Some(mut reply) = self.stream(id).local_reply.take() else { return };
        let status = (b":status".to_vec(), reply.status.to_string().into_bytes());
        let mut headers = reply.headers;
        headers.insert(0, status);
        let mut headers = self.respond_with(&reply.details, id, headers);
        let at = headers.iter().position(|(name, _)| name == b":status").unwrap();
        let (_, status) = headers.remove(at);
        reply.status = String::from_utf8(status).unwrap().parse().unwrap();
        reply.headers = headers;
        self.stream(id).local_reply = Some(reply);
    }

    /// Sends the trailers of a request through the filter. Returns those that the upstream receives.
    pub fn trailers(&mut self, trailers: Headers) -> Option<Headers> {
        self.streams += 1;
        let id = self.streams;
        self.store.data_mut().streams.insert(id, Stream { trailers, ..Stream::default() });
        self.call_about::<(u32, u32), ()>(id, "proxy_on_context_create", (id, self.root));
        let action: u32 = self.call_about(id, "proxy_on_request_trailers", (id, 1_u32));
        self.call_about::<u32, ()>(id, "proxy_on_delete", id);
        let stream = self.store.data_mut().streams.remove(&id).unwrap();
        (action == CONTINUE).then_some(stream.trailers)
    }

    fn stream(&mut self, id: u32) -> &mut Stream {
        self.store.data_mut().streams.get_mut(&id).expect("an open stream")
    }

    /// Fires the filter's timer.
    pub fn tick(&mut self) {
        self.call::<u32, ()>("proxy_on_tick", self.root);
    }

    /// Returns the calls to clusters since the last time.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.store.data_mut().calls)
    }

    /// Returns the one call since the last time.
    pub fn take_call(&mut self) -> Call {
        let calls = self.take_calls();
        let [call] = &calls[..] else { panic!("{} calls", calls.len()) };
        call.clone()
    }

    /// Responds to a call; without a status, the call was reset or timed out.
    pub fn complete_call(&mut self, call: &Call, status: Option<u16>, body: &[u8]) {
        let headers: Headers =
            status.map(|status| (b":status".to_vec(), status.to_string().into_bytes())).into_iter().collect();
        let counts = (u32::try_from(headers.len()).unwrap(), u32::try_from(body.len()).unwrap());
        let world = self.store.data_mut();
        world.call_headers = headers;
        world.call_body = body.to_vec();
        self.call::<_, ()>("proxy_on_http_call_response", (self.root, call.token, counts.0, counts.1, 0_u32));
    }

    /// Sets the host's clock, in seconds since 1970.
    pub fn set_now(&mut self, now: u64) {
        self.store.data_mut().now_ns = now * 1_000_000_000;
    }

    /// Advances the clock, and fires the filter's timer after that.
    pub fn advance(&mut self, millis: u64) {
        self.store.data_mut().now_ns += millis * 1_000_000;
        self.tick();
    }

    /// Advances the clock while the filter's timer fires ten times a second.
    pub fn advance_in_ticks(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.advance(100);
        }
    }

    /// Returns the value of a counter or gauge.
    #[must_use]
    pub fn counter(&self, name: &str) -> i64 {
        self.store.data().metrics.iter().find(|(this, _)| this == name).map_or(0, |(_, value)| *value)
    }

    /// Returns all lines that the filter logged.
    #[must_use]
    pub fn log(&self) -> &[String] {
        &self.store.data().log
    }

    /// Makes a host call fail from now on.
    pub fn fail(&mut self, call: &'static str, status: u32) {
        self.store.data_mut().traits.fault = Some((call, status));
    }

    /// Returns the number of signatures that the host verified.
    #[must_use]
    pub fn verifications(&self) -> usize {
        self.store.data().verifications
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> R {
        self.call_about(self.root, name, parameters)
    }

    /// Calls the filter about a context.
    fn call_about<P: WasmParams, R: WasmResults>(&mut self, context: u32, name: &str, parameters: P) -> R {
        self.store.data_mut().context = context;
        let function: TypedFunc<P, R> =
            self.instance.get_typed_func(&mut self.store, name).expect("an export");
        match function.call(&mut self.store, parameters) {
            Ok(result) => result,
            Err(trap) => panic!("the filter panicked in {name}: {trap:?}\n{}", self.log().join("\n")),
        }
    }
}

/// Returns the filter, compiled once for all tests of a process.
fn compiled() -> &'static (Engine, Module) {
    static COMPILED: OnceLock<(Engine, Module)> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let engine = Engine::default();
        let path = edgeward_stack::paths::filter_wasm();
        let module = Module::from_file(&engine, &path)
            .unwrap_or_else(|error| panic!("{} ({error}): run `cargo xtask test`", path.display()));
        (engine, module)
    })
}

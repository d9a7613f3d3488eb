//! A small, stateful proxy-wasm host (ABI 0.2.1) around the compiled filter: requests go in, and what came
//! out is looked at, never which host calls were made on the way. It is one worker of a proxy.

mod abi;
pub mod edge;
mod memory;
mod protobuf;
mod world;

use std::sync::{Arc, OnceLock};

use wasmtime::{Engine, Instance, Module, Store, TypedFunc, WasmParams, WasmResults};

pub use world::{Answer, Call, Header, Headers};
use world::{SharedData, Stream, World};

/// The root context of the first configuration; those of later ones follow on it downwards from the end.
const ROOT: u32 = 1;
/// What a filter returns to let a stream go on.
const CONTINUE: u32 = 0;

/// How the host differs from a plain Envoy.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Whether it has the foreign function `verify_signature`.
    pub verify_signature: bool,
    /// Its time at the start, in seconds since 1970.
    pub now: u64,
    /// A host call, by name, that does nothing and has this status.
    pub fault: Option<(&'static str, u32)>,
}

/// Every host call that can be given a fault.
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

/// One worker with the filter in it.
pub struct Host {
    store: Store<World>,
    instance: Instance,
    root: u32,
    streams: u32,
}

/// What became of a request.
#[derive(Debug)]
pub struct Exchange {
    /// Its headers as the upstream gets them, where it went on.
    pub upstream: Option<Headers>,
    /// The filter's own answer, where it gave one.
    pub answer: Option<Answer>,
    /// What the filter left for the access log.
    pub properties: Vec<(String, String)>,
}

impl Host {
    /// Starts the filter with a plugin configuration; where it is refused, the lines of the log.
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

    /// Starts another plugin in the same worker, which the streams to come belong to. Gives the one before.
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

    /// Sends the head of a request through the filter, and leaves its stream open. Gives the stream.
    pub fn open(&mut self, headers: Headers) -> u32 {
        let id = self.create(headers);
        self.send_head(id);
        id
    }

    /// Makes a stream for a request whose head comes later. Gives the stream.
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
        self.stream(id).goes_on = action == CONTINUE;
    }

    /// Whether the filter keeps a stream waiting.
    pub fn is_held(&mut self, id: u32) -> bool {
        let stream = self.stream(id);
        !stream.goes_on && stream.answer.is_none()
    }

    /// Sends the head of the upstream's response through the filter: what the client gets.
    pub fn respond(&mut self, id: u32, headers: Headers) -> Headers {
        self.respond_with("via_upstream", id, headers)
    }

    /// Sends the head of a response of the host's own through the filter: what the client gets.
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

    /// Ends a stream, as a client does that goes away.
    pub fn end(&mut self, id: u32) -> Exchange {
        self.complete_reply(id);
        self.call_about::<u32, ()>(id, "proxy_on_delete", id);
        let stream = self.store.data_mut().streams.remove(&id).unwrap();
        let goes_on = stream.goes_on && stream.answer.is_none();
        Exchange {
            upstream: goes_on.then_some(stream.request),
            answer: stream.answer,
            properties: stream.properties,
        }
    }

    /// Sends the head of the filter's own reply through it, as Envoy does.
    fn complete_reply(&mut self, id: u32) {
        let Some(mut answer) = self.stream(id).answer.take() else { return };
        let status = (b":status".to_vec(), answer.status.to_string().into_bytes());
        let mut headers = answer.headers;
        headers.insert(0, status);
        let mut headers = self.respond_with(&answer.details, id, headers);
        let at = headers.iter().position(|(name, _)| name == b":status").unwrap();
        let (_, status) = headers.remove(at);
        answer.status = String::from_utf8(status).unwrap().parse().unwrap();
        answer.headers = headers;
        self.stream(id).answer = Some(answer);
    }

    /// Sends the trailers of a request through the filter: those that the upstream gets.
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

    /// Lets the filter's timer go off.
    pub fn tick(&mut self) {
        self.call::<u32, ()>("proxy_on_tick", self.root);
    }

    /// The calls to clusters since the last time this was asked.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.store.data_mut().calls)
    }

    /// Answers a call, with no status for a call that was reset or ran out of time.
    pub fn answer(&mut self, call: &Call, status: Option<u16>, body: &[u8]) {
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

    /// Lets time pass, and the filter's timer go off at the end of it.
    pub fn pass(&mut self, millis: u64) {
        self.store.data_mut().now_ns += millis * 1_000_000;
        self.tick();
    }

    /// Lets time pass while the filter's timer goes off ten times a second.
    pub fn pass_in_ticks(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.pass(100);
        }
    }

    /// A counter's or gauge's value.
    #[must_use]
    pub fn counter(&self, name: &str) -> i64 {
        self.store.data().metrics.iter().find(|(this, _)| this == name).map_or(0, |(_, value)| *value)
    }

    /// All lines that the filter logged.
    #[must_use]
    pub fn log(&self) -> &[String] {
        &self.store.data().log
    }

    /// From now on this call fails.
    pub fn fail(&mut self, call: &'static str, status: u32) {
        self.store.data_mut().traits.fault = Some((call, status));
    }

    /// How often the host was asked for a signature's verification.
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

/// The filter, compiled once for all tests of a process.
fn compiled() -> &'static (Engine, Module) {
    static COMPILED: OnceLock<(Engine, Module)> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let engine = Engine::default();
        let path = crate::stack::paths::filter_wasm();
        let module = Module::from_file(&engine, &path)
            .unwrap_or_else(|error| panic!("{} ({error}): run `cargo xtask test`", path.display()));
        (engine, module)
    })
}

//! Small, stateful proxy-wasm host (ABI 0.2.1) that runs the compiled filter as one worker of a proxy. Tests send requests
//! and check their outcomes, not the host calls on the way.

mod abi;
pub mod edge;
pub mod follower;
mod memory;
mod protobuf;
pub mod refresh;
mod stream;
mod world;

use std::sync::{Arc, OnceLock};

use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc, WasmParams, WasmResults};

pub use abi::CALLS;
pub use stream::Exchange;
pub use world::{Call, Header, Headers, LocalReply};
use world::{SharedData, World};

/// Root context of the first configuration. Those of later ones count down from the greatest number.
const ROOT: u32 = 1;
/// Fuel of a metered host: more than any test consumes.
const FUEL: u64 = u64::MAX;

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

/// Worker that runs the filter.
pub struct Host {
    store: Store<World>,
    instance: Instance,
    root: u32,
    streams: u32,
}

impl Host {
    /// Starts the filter with a plugin configuration; if the filter rejects it, the lines of the log.
    pub fn start(traits: Traits, configuration: &str) -> Result<Self, Vec<String>> {
        Self::start_in(compiled(), SharedData::default(), traits, traits.now * 1_000_000_000, configuration)
    }

    /// Starts the filter as [`Self::start`] does, in a host that counts the fuel that the filter consumes.
    pub fn start_metered(traits: Traits, configuration: &str) -> Result<Self, Vec<String>> {
        Self::start_in(metered(), SharedData::default(), traits, traits.now * 1_000_000_000, configuration)
    }

    /// Starts another worker of the same proxy, with the same or another configuration.
    pub fn start_beside(&self, configuration: &str) -> Result<Self, Vec<String>> {
        let world = self.store.data();
        Self::start_in(compiled(), Arc::clone(&world.shared_data), world.traits, world.now_ns, configuration)
    }

    fn start_in(
        (engine, module): &(Engine, Module),
        shared: SharedData,
        traits: Traits,
        now_ns: u64,
        configuration: &str,
    ) -> Result<Self, Vec<String>> {
        let mut store = Store::new(engine, World::new(traits, now_ns, configuration, shared));
        // An error without a metered engine, which needs no fuel.
        store.set_fuel(FUEL).ok();
        let linker = abi::linker(engine, module);
        let instance = linker.instantiate(&mut store, module).expect("the filter's imports are known");
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

    /// Fires the filter's timer.
    pub fn tick(&mut self) {
        self.tick_plugin(self.root);
    }

    /// Fires the timer of a plugin, which may be a former one.
    pub fn tick_plugin(&mut self, root: u32) {
        self.call_about::<u32, ()>(root, "proxy_on_tick", root);
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

    /// Sets the address and port of the client of all streams.
    pub fn set_client(&mut self, client: &str) {
        self.store.data_mut().client = Some(client.to_owned());
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

    /// Returns the names of all counters and gauges.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.store.data().metrics.iter().map(|(name, _)| name.as_str())
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

    /// Returns the fuel that the filter has consumed since its start: about one unit for each WebAssembly instruction.
    ///
    /// # Panics
    /// Unless the host was started by [`Self::start_metered`].
    #[must_use]
    pub fn fuel(&self) -> u64 {
        FUEL - self.store.get_fuel().expect("a metered host")
    }

    /// Returns the number of signatures that the host verified.
    #[must_use]
    pub fn verifications(&self) -> usize {
        self.store.data().verifications
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> R {
        self.call_about(self.root, name, parameters)
    }

    /// Calls an export with an effective context, and resets the streams that the filter closes meanwhile.
    fn call_about<P: WasmParams, R: WasmResults>(&mut self, context: u32, name: &str, parameters: P) -> R {
        let result = self.enter(context, name, parameters);
        while let Some(id) = self.store.data_mut().closing.pop_front() {
            self.enter::<u32, ()>(id, "proxy_on_delete", id);
            if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
                stream.closed = true;
            }
        }
        result
    }

    fn enter<P: WasmParams, R: WasmResults>(&mut self, context: u32, name: &str, parameters: P) -> R {
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
    COMPILED.get_or_init(|| compile(Engine::default()))
}

/// Returns the filter compiled with a count of its instructions, which makes it slower.
fn metered() -> &'static (Engine, Module) {
    static METERED: OnceLock<(Engine, Module)> = OnceLock::new();
    METERED.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        compile(Engine::new(&config).expect("a configuration that the host supports"))
    })
}

fn compile(engine: Engine) -> (Engine, Module) {
    let path = edgeward_stack::paths::filter_wasm();
    let module = Module::from_file(&engine, &path)
        .unwrap_or_else(|error| panic!("{} ({error}): run `cargo xtask test`", path.display()));
    (engine, module)
}

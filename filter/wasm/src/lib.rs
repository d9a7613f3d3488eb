//! The shell: the one place that knows a proxy-wasm host. It carries bytes in and decisions out, and
//! decides nothing itself.

#![cfg(target_arch = "wasm32")]

mod answer;
mod calls;
mod cors;
mod follow;
mod host;
mod metrics;
mod random;
mod refresh;
mod relay;
mod request;
mod root;
mod shared;
mod verify_signature;

use proxy_wasm::traits::RootContext;

use edgeward_filter::rs256;

proxy_wasm::main! {{
    rs256::install::<verify_signature::HostFirst>();
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> { Box::new(root::Root::new(id)) });
}}

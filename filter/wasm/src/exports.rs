//! Callbacks that the host calls. The build gives them the names of the ABI, in place of the SDK's: its dispatcher panics on
//! a context that it does not know, and looks every stream up in maps of its own. Root contexts stay with the SDK.

#![expect(
    unsafe_code,
    reason = "exports of the ABI have unmangled names, and those of the SDK are foreign functions"
)]

use edgeward_filter::rs256;
use proxy_wasm::traits::RootContext;
use proxy_wasm::types::Action;

use crate::root::Root;
use crate::verify_signature::HostFirst;
use crate::{calls, host, plugin, stream};

proxy_wasm::main! {{
    rs256::install::<HostFirst>();
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> { Box::new(Root(id)) });
}}

// The SDK's, for root contexts.
unsafe extern "C" {
    fn proxy_on_context_create(context: u32, parent: u32);
    fn proxy_on_delete(context: u32);
}

#[unsafe(export_name = "edgeward_on_memory_allocate")]
extern "C" fn on_memory_allocate(len: usize) -> *mut u8 {
    host::allocate(len)
}

#[unsafe(export_name = "edgeward_on_context_create")]
extern "C" fn on_context_create(context: u32, parent: u32) {
    if parent != 0 {
        plugin::add_stream(context, parent);
    } else if plugin::add_root(context) {
        // SAFETY: the arguments are numbers, and the SDK has not seen this context.
        unsafe { proxy_on_context_create(context, parent) };
    }
}

#[unsafe(export_name = "edgeward_on_request_headers")]
extern "C" fn on_request_headers(stream: u32, _fields: u32, end_of_stream: u32) -> Action {
    stream::on_request_headers(stream, end_of_stream != 0)
}

#[unsafe(export_name = "edgeward_on_request_trailers")]
extern "C" fn on_request_trailers(_stream: u32, _fields: u32) -> Action {
    stream::on_request_trailers()
}

#[unsafe(export_name = "edgeward_on_response_headers")]
extern "C" fn on_response_headers(stream: u32, _fields: u32, _end_of_stream: u32) -> Action {
    stream::on_response_headers(stream);
    Action::Continue
}

#[unsafe(export_name = "edgeward_on_delete")]
extern "C" fn on_delete(context: u32) {
    stream::on_delete(context);
    if plugin::remove_root(context) {
        // SAFETY: the argument is a number, and the SDK knows this context.
        unsafe { proxy_on_delete(context) };
    }
}

#[unsafe(export_name = "edgeward_on_http_call_response")]
extern "C" fn on_http_call_response(_root: u32, token: u32, _fields: u32, _body: u32, _trailers: u32) {
    calls::on_response(token);
}

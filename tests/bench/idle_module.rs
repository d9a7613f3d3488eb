//! Native module of Envoy that does nothing. `bare.rs` compiles it.

use std::ffi::c_void;

type Envoy = *mut c_void;
type Module = *const c_void;

/// Bytes of Envoy's.
#[repr(C)]
struct Buffer {
    data: *const u8,
    len: usize,
}

/// Address that Envoy takes for a configuration and for each stream: a null pointer would be a failure.
static SOMETHING: u8 = 0;

fn something() -> Module {
    (&raw const SOMETHING).cast()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> Module {
    c"v0.2.0".as_ptr().cast()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_new(_: Envoy, _: Buffer, _: Buffer) -> Module {
    something()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(_: Module, _: Envoy) -> Module {
    something()
}

/// Hooks that do nothing. Those that return a status let all pass.
macro_rules! hooks {
    ($($hook:ident($($argument:ty),*) $(-> $status:ty)?;)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $hook($(_: $argument),*) $(-> $status)? { $(<$status>::default())? }
    )* };
}

hooks! {
    envoy_dynamic_module_on_http_filter_config_destroy(Module);
    envoy_dynamic_module_on_http_filter_config_scheduled(Envoy, Module, u64);
    envoy_dynamic_module_on_http_filter_config_http_callout_done(Envoy, Module, u64, u32, Module, usize, Module, usize);
    envoy_dynamic_module_on_http_filter_destroy(Module);
    envoy_dynamic_module_on_http_filter_request_headers(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_request_body(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_request_trailers(Envoy, Module) -> u32;
    envoy_dynamic_module_on_http_filter_response_headers(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_body(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_trailers(Envoy, Module) -> u32;
    envoy_dynamic_module_on_http_filter_stream_complete(Envoy, Module);
    envoy_dynamic_module_on_http_filter_scheduled(Envoy, Module, u64);
    envoy_dynamic_module_on_http_filter_http_callout_done(Envoy, Module, u64, u32, Module, usize, Module, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(Envoy, Module, u64, Module, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(Envoy, Module, u64, Module, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(Envoy, Module, u64, Module, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(Envoy, Module, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(Envoy, Module, u64, u32);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(Envoy, Module);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(Envoy, Module);
}

//! One GPU device for all tests, with the WebGPU default limits forced.

use std::sync::OnceLock;

use maquette::gpu::context::{Context, LimitsRequest};

/// The shared device. Without an adapter the tests fail, unless `SKIP_GPU_TESTS=1` says that this machine cannot have one.
#[allow(clippy::print_stderr, reason = "the closing summary of scripts/test gathers these lines")]
pub(crate) fn device() -> Option<Context> {
    static DEVICE: OnceLock<Option<Context>> = OnceLock::new();
    let shared = DEVICE.get_or_init(|| {
        if std::env::var_os("SKIP_GPU_TESTS").is_some_and(|value| value == "1") {
            eprintln!("SKIPPED: GPU tests: SKIP_GPU_TESTS=1");
            return None;
        }
        let context = Context::headless(LimitsRequest::Defaults).expect("a Vulkan driver (or SKIP_GPU_TESTS=1)");
        eprintln!("ADAPTER: {} ({:?}), default limits", context.info.name, context.info.device_type);
        Some(context)
    });
    shared.clone()
}

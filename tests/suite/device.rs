//! The device that all GPU tests run on.

use crate::support::device::device;

#[test]
fn the_test_device_has_no_more_than_the_default_limits() {
    let Some(context) = device() else { return };
    let (has, defaults) = (context.device.limits(), wgpu::Limits::default());
    assert_eq!(has.max_texture_dimension_3d, defaults.max_texture_dimension_3d);
    assert_eq!(has.max_storage_buffer_binding_size, defaults.max_storage_buffer_binding_size);
    assert_eq!(context.device.features() & wgpu::Features::all_webgpu_mask(), context.device.features());
    assert!(!context.is_lost());
}

#[test]
fn a_lost_device_is_noticed() {
    if device().is_none() {
        return;
    }
    let context =
        maquette::gpu::context::Context::headless(maquette::gpu::context::LimitsRequest::Defaults).expect("a device");
    context.device.destroy();
    context.wait();
    assert!(context.is_lost());
}

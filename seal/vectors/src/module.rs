//! What makes the crate a wasm module that a node's engine can run: an exported function and the host's allocator. It is
//! what a Substrate runtime has too; a browser's side is 20 lines (`tests/clients/vectors.mjs`).
#![allow(unsafe_code, reason = "an allocator, a panic handler and an export cannot be written without")]

use alloc::string::String;
use core::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "env")]
extern "C" {
    /// Gives memory, aligned to 8 bytes.
    fn ext_allocator_malloc_version_1(bytes: u32) -> *mut u8;
    /// Takes it back.
    fn ext_allocator_free_version_1(at: *mut u8);
}

struct HostAllocator;

// Nothing here is aligned to more than 8 bytes, which is what the host gives.
unsafe impl GlobalAlloc for HostAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match layout.align() <= 8 {
            true => ext_allocator_malloc_version_1(layout.size() as u32),
            false => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, _: Layout) {
        ext_allocator_free_version_1(at);
    }
}

#[global_allocator]
static ALLOCATOR: HostAllocator = HostAllocator;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Runs [`crate::check`]; takes the arguments that an engine gives to every function of a runtime and ignores them.
#[no_mangle]
pub extern "C" fn check(_input: *const u8, _bytes: usize) -> u64 {
    let text = crate::check().unwrap_or_else(|problem| String::from("error: ") + &problem);
    let text: &'static str = text.leak();
    (text.len() as u64) << 32 | text.as_ptr() as u64
}

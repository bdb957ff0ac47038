//! The binary.

use zeroizing_alloc::ZeroAlloc;

/// Every freed block is wiped: what serde, hyper and rustls copy on the way of a secret is gone with the buffer.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    claviger_server::cli::main()
}

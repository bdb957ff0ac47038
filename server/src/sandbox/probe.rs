//! Attempts that succeed only in a broken sandbox. The only unsafe code of the sandbox.

use std::{io, ptr};

/// Whether the kernel would look at a program to run.
///
/// The path is a null pointer: the filter refuses before it is looked at, and without a filter the kernel finds it
/// faulty, so that nothing is run in either case.
#[expect(unsafe_code, reason = "execve has no safe form that leaves the process alone if it is permitted")]
pub(super) fn can_exec() -> bool {
    // SAFETY: the kernel checks the pointers itself and answers EFAULT for null; nothing is dereferenced here.
    let result = unsafe { libc::syscall(libc::SYS_execve, ptr::null::<u8>(), ptr::null::<u8>(), ptr::null::<u8>()) };
    !was_refused(result)
}

/// Whether the parent could be made the tracer of this process, which is the harmless end of `ptrace`.
#[expect(unsafe_code, reason = "ptrace has no safe form")]
pub(super) fn can_be_traced() -> bool {
    // SAFETY: PTRACE_TRACEME takes no arguments, and touches no memory of this process.
    let result = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    !was_refused(result)
}

fn was_refused(result: libc::c_long) -> bool {
    result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

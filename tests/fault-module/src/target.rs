//! The module that does the work.
#![expect(unsafe_code, reason = "dlopen, and calling what it finds")]

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::OnceLock;

use cryptoki_sys::{CK_C_GetFunctionList, CK_FUNCTION_LIST, CKR_OK};

use crate::log;

/// The target's function list, loaded at the first call and never unloaded.
pub(crate) fn target() -> Option<&'static CK_FUNCTION_LIST> {
    static TARGET: OnceLock<Option<&'static CK_FUNCTION_LIST>> = OnceLock::new();
    *TARGET.get_or_init(load)
}

fn load() -> Option<&'static CK_FUNCTION_LIST> {
    const SYMBOL: &CStr = c"C_GetFunctionList";
    let Some(path) = std::env::var_os("CLAVIGER_FAULT_TARGET") else {
        log::tell("CLAVIGER_FAULT_TARGET does not name a module");
        return None;
    };
    let path = CString::new(path.as_bytes()).ok()?;
    // SAFETY: a NUL-terminated path. Loading runs the constructors of a module the test chose.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() {
        log::tell("the module named by CLAVIGER_FAULT_TARGET does not load");
        return None;
    }
    // SAFETY: a handle from dlopen, and a NUL-terminated name.
    let symbol = unsafe { libc::dlsym(library, SYMBOL.as_ptr()) };
    // SAFETY: null becomes `None`; otherwise it is the function of that name and type in every PKCS#11 module.
    let get_list = unsafe { std::mem::transmute::<*mut libc::c_void, CK_C_GetFunctionList>(symbol) }?;
    let mut list = std::ptr::null_mut();
    // SAFETY: `list` is a place for one pointer.
    if unsafe { get_list(&raw mut list) } != CKR_OK {
        return None;
    }
    // SAFETY: after CKR_OK it points to the module's list, which lives as long as the module: it is never unloaded.
    unsafe { list.as_ref() }
}

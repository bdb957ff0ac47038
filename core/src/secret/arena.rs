//! One region of locked memory, cut into slots.
//!
//! The region is `memfd_secret(2)` where the kernel has it (not even root reads such pages through `/proc`), else
//! anonymous memory that is locked and left out of core dumps. It is mapped once and never given back.
#![expect(unsafe_code, reason = "mapping memory and handing out slices of it has no safe interface")]

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};

use zeroize::Zeroize;

use super::SecretError;

/// The size of one slot: the longest secret, a PEM-encoded RSA-4096 key, takes 3.3 KiB.
pub const SLOT_BYTES: usize = 8192;

const SLOTS: usize = 128;
const REGION_BYTES: usize = SLOT_BYTES * SLOTS;

/// What the kernel gave us to keep secrets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// `memfd_secret`: outside the kernel's own mapping, unreadable through `/proc`.
    Secret,
    /// Locked memory, never swapped and not in core dumps.
    Locked,
    /// Memory that could not be locked (`RLIMIT_MEMLOCK`): it may be swapped.
    Unlocked,
}

struct Arena {
    base: NonNull<u8>,
    backing: Backing,
    free: Mutex<Vec<usize>>,
}

// SAFETY: `base` is only turned into slices by `Slot`, and a slot's index is in exactly one hand at a time.
unsafe impl Send for Arena {}
// SAFETY: as above; the list of free slots is behind a mutex.
unsafe impl Sync for Arena {}

static ARENA: OnceLock<Option<Arena>> = OnceLock::new();

fn arena() -> Option<&'static Arena> {
    ARENA.get_or_init(Arena::map).as_ref()
}

/// What secrets are kept in, or `None` when no memory could be mapped at all.
pub fn backing() -> Option<Backing> {
    arena().map(|a| a.backing)
}

impl Arena {
    fn map() -> Option<Self> {
        let (base, backing) = map_secret().map(|b| (b, Backing::Secret)).or_else(map_anonymous)?;
        Some(Self { base, backing, free: Mutex::new((0..SLOTS).collect()) })
    }
}

fn map_secret() -> Option<NonNull<u8>> {
    // SAFETY: a system call that takes flags and returns a descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    let len = i64::try_from(REGION_BYTES).ok()?;
    // SAFETY: `fd` was just opened and is ours; the mapping is checked below; the descriptor is not needed afterwards.
    let at = unsafe {
        let at = if libc::ftruncate(fd, len) == 0 {
            libc::mmap(std::ptr::null_mut(), REGION_BYTES, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0)
        } else {
            libc::MAP_FAILED
        };
        libc::close(fd);
        at
    };
    if at == libc::MAP_FAILED { None } else { NonNull::new(at.cast()) }
}

fn map_anonymous() -> Option<(NonNull<u8>, Backing)> {
    // SAFETY: an anonymous private mapping at an address of the kernel's choosing, checked before use.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            REGION_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: both calls concern exactly the region mapped above.
    let locked = unsafe {
        libc::madvise(at, REGION_BYTES, libc::MADV_DONTDUMP);
        libc::mlock(at, REGION_BYTES) == 0
    };
    Some((NonNull::new(at.cast())?, if locked { Backing::Locked } else { Backing::Unlocked }))
}

/// One slot in use. Not Clone: the index it holds is in no other hand.
pub(super) struct Slot {
    arena: &'static Arena,
    index: usize,
    len: usize,
}

impl Slot {
    pub(super) fn take(len: usize) -> Result<Self, SecretError> {
        if len > SLOT_BYTES {
            return Err(SecretError::TooLong);
        }
        let arena = arena().ok_or(SecretError::NoRoom)?;
        let index = arena.free.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or(SecretError::NoRoom)?;
        Ok(Self { arena, index, len })
    }

    fn start(&self) -> *mut u8 {
        // SAFETY: `index` came from the free list, so the slot lies inside the region.
        unsafe { self.arena.base.as_ptr().add(self.index.wrapping_mul(SLOT_BYTES)) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the slot is ours alone, `len` is at most SLOT_BYTES, and the region is mapped and initialised (zero
        // at first, wiped by every drop) for the life of the process.
        unsafe { std::slice::from_raw_parts(self.start(), self.len) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes this the only slice.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.len) }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len {
            if let Some(rest) = self.bytes_mut().get_mut(len..) {
                rest.zeroize();
            }
            self.len = len;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        self.arena.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.index);
    }
}

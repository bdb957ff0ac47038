//! System calls: seccomp.
//!
//! A deny-list: what the process needs is decided by libraries that change, what it must never need is not.

use std::{collections::BTreeMap, env::consts::ARCH};

use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::{Network, SandboxError};

/// The errno for what is refused.
const REFUSED: c_int = libc::EPERM;

/// Refused to everybody.
const NEVER: &[c_long] = &[
    // running programs
    libc::SYS_execve,
    libc::SYS_execveat,
    // other processes' memory and descriptors
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // ways around filters, and wide kernel interfaces
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    libc::SYS_personality,
    // namespaces and mounts
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_mknodat,
    // kernel keyrings
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // the machine
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// Refused besides on x86-64, which has calls that newer machines do without.
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[c_long] = &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_mknod];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[c_long] = &[];

const LISTENING: &[c_long] = &[libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4];
const CONNECTING: &[c_long] = &[libc::SYS_socket, libc::SYS_connect];

/// The kinds of socket that names, listeners and connections need.
const FAMILIES: &[c_int] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// What makes `clone` begin a new namespace.
const NAMESPACES: &[c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Refuses system calls from here on.
pub(super) fn restrict(network: &Network) -> Result<(), SandboxError> {
    install(network).map_err(SandboxError::Seccomp)
}

fn install(network: &Network) -> Result<(), Error> {
    // The flags of `clone3` lie in memory, where no filter sees them; libc falls back to `clone`.
    let unseen = Table::from([(libc::SYS_clone3, Vec::new())]);
    let programs = [program(refusals(network)?, REFUSED)?, program(unseen, libc::ENOSYS)?];
    programs.iter().try_for_each(|program| apply_filter(program))
}

/// Under which conditions a call is refused; without any, always.
type Table = BTreeMap<c_long, Vec<SeccompRule>>;

fn refusals(network: &Network) -> Result<Table, BackendError> {
    let mut table: Table = NEVER.iter().chain(NEVER_HERE).map(|call| (*call, Vec::new())).collect();
    let namespaces: Result<_, _> = NAMESPACES.iter().map(|flag| when_argument_has(*flag)).collect();
    table.insert(libc::SYS_clone, namespaces?);
    let refused_sockets = match network {
        Network::Open => &[],
        Network::Connect(_) => LISTENING,
        Network::Closed => &[LISTENING, CONNECTING].concat(),
    };
    table.insert(libc::SYS_socket, vec![unless_argument_is_one_of(FAMILIES)?]);
    table.extend(refused_sockets.iter().map(|call| (*call, Vec::new())));
    add_x32(&mut table);
    Ok(table)
}

/// The kernel may know every call by a second number (x32), some by a third.
#[cfg(target_arch = "x86_64")]
fn add_x32(table: &mut Table) {
    const X32: c_long = 0x4000_0000;
    let renumbered = [
        (libc::SYS_execve, 520),
        (libc::SYS_ptrace, 521),
        (libc::SYS_kexec_load, 528),
        (libc::SYS_process_vm_readv, 539),
        (libc::SYS_process_vm_writev, 540),
        (libc::SYS_execveat, 545),
    ];
    let by_third_number = renumbered.iter().map(|(_, number)| (number | X32, Vec::new()));
    let by_second_number: Vec<_> = table.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
    table.extend(by_third_number.chain(by_second_number));
}

#[cfg(not(target_arch = "x86_64"))]
fn add_x32(_table: &mut Table) {}

fn when_argument_has(flag: c_int) -> Result<SeccompRule, BackendError> {
    let flag = u64::from(flag.unsigned_abs());
    SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?])
}

fn unless_argument_is_one_of(values: &[c_int]) -> Result<SeccompRule, BackendError> {
    let differs = |value: &c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(value.unsigned_abs()))
    };
    SeccompRule::new(values.iter().map(differs).collect::<Result<_, _>>()?)
}

fn program(table: Table, errno: c_int) -> Result<BpfProgram, BackendError> {
    let arch = TargetArch::try_from(ARCH)?;
    SeccompFilter::new(table, SeccompAction::Allow, SeccompAction::Errno(errno.unsigned_abs()), arch)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_a_program_that_the_kernel_would_take() {
        for network in [Network::Open, Network::Connect(vec![1792]), Network::Closed] {
            let program = program(refusals(&network).unwrap(), REFUSED).unwrap();
            assert!((100..4096).contains(&program.len()), "{network:?}: {}", program.len());
        }
    }

    #[test]
    fn only_a_keeper_without_network_has_no_sockets_at_all() {
        let always_refused = |network: &Network, call| refusals(network).unwrap().get(&call).is_some_and(Vec::is_empty);

        assert!(always_refused(&Network::Closed, libc::SYS_socket));
        assert!(!always_refused(&Network::Connect(Vec::new()), libc::SYS_socket));
        assert!(always_refused(&Network::Connect(Vec::new()), libc::SYS_listen));
        assert!(!always_refused(&Network::Open, libc::SYS_listen));
    }
}

//! A sandbox cannot be taken off again, so each case runs in a process of its own: this executable once more, with the
//! same test, which is told where its files are.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
};

use claviger_server::sandbox::{
    Breach, Missing, Network, Rules, harden_common, lock_down, module_paths, resolver_paths, self_test_front,
    self_test_keeper,
};
use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit};

/// Runs `body` in a child of its own, which is this test again, with the files that all cases share.
fn in_child(test: &str, body: fn(&Home)) {
    if let Some(home) = std::env::var_os(HOME) {
        body(&Home(home.into()));
        return;
    }
    let home = Home::of(test, std::process::id());
    home.furnish();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--test-threads=1", &format!("sandbox::{test}")])
        .env(HOME, &home.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("1 passed"), "the child did not run {test}: {said}");
}

/// Tells a child where its files are.
const HOME: &str = "CLAVIGER_TEST_SANDBOX_HOME";

/// The files of one case.
struct Home(PathBuf);

impl Home {
    fn of(case: &str, parent: u32) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sandbox-{case}-{parent}")))
    }

    fn furnish(&self) {
        let _ = fs::remove_dir_all(&self.0);
        for dir in ["audit", "tls", "token"] {
            fs::create_dir_all(self.path(dir)).unwrap();
        }
        for file in ["claviger.redb", "tls/server.pem", "token/object", "pin", "foreign"] {
            fs::write(self.path(file), "content").unwrap();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn front(&self) -> Rules {
        Rules {
            read: [vec![self.path("tls")], resolver_paths()].concat(),
            write: vec![self.path("claviger.redb")],
            create: vec![self.path("audit")],
            network: Network::Open,
        }
    }

    fn keeper(&self, network: Network) -> Rules {
        Rules {
            read: module_paths(Path::new("/nowhere/module.so")),
            write: Vec::new(),
            create: vec![self.path("token")],
            network,
        }
    }
}

fn refused<T>(result: io::Result<T>) {
    let kind = result.err().map(|error| error.kind());
    assert_eq!(kind, Some(ErrorKind::PermissionDenied));
}

/// Locks down, and says whether the kernel guards files.
fn lock(rules: &Rules) -> bool {
    let missing = lock_down(rules).unwrap();
    for what in &missing {
        eprintln!("not tried: {what}");
    }
    !missing.contains(&Missing::Landlock)
}

#[test]
fn the_front_keeps_what_it_needs_and_loses_the_rest() {
    in_child("the_front_keeps_what_it_needs_and_loses_the_rest", front);
}

fn front(home: &Home) {
    harden_common().unwrap();
    let guards_files = lock(&home.front());

    assert_hardened();
    let program = Command::new("/bin/true").status();
    refused(program);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(("localhost", 443).to_socket_addrs().unwrap().next().is_some());
    assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
    if !guards_files {
        return;
    }

    self_test_front(&home.path("token"), &home.path("pin")).unwrap();
    assert_eq!(fs::read(home.path("tls/server.pem")).unwrap(), b"content");
    refused(OpenOptions::new().write(true).open(home.path("tls/server.pem")));
    refused(File::create(home.path("tls/new")));

    OpenOptions::new().read(true).write(true).truncate(true).open(home.path("claviger.redb")).unwrap();
    refused(fs::remove_file(home.path("claviger.redb")));

    File::create(home.path("audit/new")).unwrap().write_all(b"entry").unwrap();
    fs::rename(home.path("audit/new"), home.path("audit/entry")).unwrap();
    fs::create_dir(home.path("audit/segment")).unwrap();
    fs::remove_dir(home.path("audit/segment")).unwrap();
    fs::remove_file(home.path("audit/entry")).unwrap();

    refused(File::open(home.path("foreign")));
    refused(fs::read_dir(home.path("token")));
    refused(fs::read_dir(&home.0));
    refused(fs::read_dir("/etc"));
    refused(fs::read_dir("/proc/self"));
    refused(fs::rename(home.path("foreign"), home.path("audit/foreign")));
}

#[test]
fn a_front_does_not_signal_its_supervisor() {
    in_child("a_front_does_not_signal_its_supervisor", signals);
}

fn signals(home: &Home) {
    let parent = Pid::from_raw(i32::try_from(std::os::unix::process::parent_id()).unwrap()).unwrap();
    rustix::process::test_kill_process(parent).unwrap();

    if lock_down(&home.front()).unwrap().is_empty() {
        assert_eq!(rustix::process::test_kill_process(parent), Err(rustix::io::Errno::PERM));
    }
}

#[test]
fn a_keeper_has_its_token_and_no_network() {
    in_child("a_keeper_has_its_token_and_no_network", keeper);
}

fn keeper(home: &Home) {
    let rules = home.keeper(Network::Closed);
    harden_common().unwrap();
    let guards_files = lock(&rules);

    assert_hardened();
    refused(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    refused(TcpStream::connect((Ipv4Addr::LOCALHOST, 1)));
    refused(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
    refused(UnixDatagram::unbound());
    if !guards_files {
        return;
    }

    self_test_keeper(&rules, &home.path("foreign")).unwrap();
    assert_eq!(fs::read(home.path("token/object")).unwrap(), b"content");
    fs::write(home.path("token/other"), "new").unwrap();
    fs::remove_file(home.path("token/object")).unwrap();
    refused(File::open(home.path("claviger.redb")));
    File::open("/dev/urandom").unwrap();
}

#[test]
fn a_keeper_of_a_network_hsm_reaches_its_port_only() {
    in_child("a_keeper_of_a_network_hsm_reaches_its_port_only", network_hsm);
}

fn network_hsm(home: &Home) {
    let (hsm, other) = (listen(), listen());
    let rules = home.keeper(Network::Connect(vec![port(&hsm)]));
    let missing = lock_down(&rules).unwrap();

    TcpStream::connect((Ipv4Addr::LOCALHOST, port(&hsm))).unwrap();
    refused(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    refused(hsm.accept());
    if missing.is_empty() {
        refused(TcpStream::connect((Ipv4Addr::LOCALHOST, port(&other))));
        self_test_keeper(&rules, &home.path("foreign")).unwrap();
    }
}

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

#[test]
fn a_self_test_names_what_is_open() {
    in_child("a_self_test_names_what_is_open", breaches);
}

fn breaches(home: &Home) {
    assert_eq!(self_test_front(&home.path("token"), &home.path("pin")), Err(Breach::Exec));

    let mut too_wide = home.front();
    too_wide.read.extend([home.path("pin"), home.path("foreign")]);
    lock_down(&too_wide).unwrap();

    let pin = self_test_front(&home.path("no token"), &home.path("pin"));
    assert_eq!(pin, Err(Breach::File(home.path("pin"))));
    let foreign = self_test_keeper(&too_wide, &home.path("foreign"));
    assert_eq!(foreign, Err(Breach::File(home.path("foreign"))));
    let socket = self_test_keeper(&home.keeper(Network::Closed), &home.path("absent"));
    assert_eq!(socket, Err(Breach::Socket));
}

#[test]
fn a_path_that_is_not_there_is_named() {
    in_child("a_path_that_is_not_there_is_named", absent);
}

fn absent(home: &Home) {
    let mut rules = home.front();
    rules.write.push(home.path("absent"));

    let error = lock_down(&rules).unwrap_err().to_string();

    assert!(error.contains("/absent"), "{error}");
}

fn assert_hardened() {
    assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let core = rustix::process::getrlimit(Resource::Core);
    assert_eq!(core, Rlimit { current: Some(0), maximum: Some(0) });
    assert!(rustix::thread::no_new_privs().unwrap());
    assert_eq!(rustix::process::umask(rustix::fs::Mode::RWXO).bits(), 0o077);
}

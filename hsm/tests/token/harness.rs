//! A test in a process of its own, with a token directory of its own.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::Pkcs11;
use cryptoki::session::Session;

use claviger_hsm::{Hsm, HsmSession, Module, OpenError, Pin, SlotSelector, provision};

pub(crate) const LABEL: &str = "claviger-test";
pub(crate) const PIN: &str = "471147";
const SO_PIN: &str = "08150815";

/// Tells the child that it is one, and where its files are.
const HOME: &str = "CLAVIGER_TEST_HOME";

/// Tells the child which of a test's processes it is.
const PHASE: &str = "CLAVIGER_TEST_PHASE";

/// The directory of one test.
#[derive(Debug)]
pub(crate) struct Home(PathBuf);

/// How a process of a test is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    /// By `abort`, as a crash of the module ends it.
    Abort,
}

/// Runs `body` in a child process whose token is not initialised yet; panics if the child does.
///
/// The test's name comes from the closure's type, so `body` has to be written inside the test function.
pub(crate) fn in_child<F: FnOnce(&Home)>(body: F) {
    run::<F>(&[End::Well], |home, _| body(home));
}

/// Runs `body` in one child process after the other, on the same token directory; it is told which one it is.
pub(crate) fn in_children<F: FnOnce(&Home, usize)>(ends: &[End], body: F) {
    run::<F>(ends, body);
}

fn run<F>(ends: &[End], body: impl FnOnce(&Home, usize)) {
    if let Some(home) = std::env::var_os(HOME) {
        let phase = std::env::var_os(PHASE).expect("a phase").into_string().expect("digits");
        return body(&Home(home.into()), phase.parse().expect("digits"));
    }
    let name = test_name::<F>();
    let home = Home::new(&name);
    for (phase, end) in ends.iter().enumerate() {
        let output = Command::new(std::env::current_exe().expect("own path"))
            .args(["--exact", &name, "--nocapture", "--include-ignored"])
            .env("SOFTHSM2_CONF", home.path("softhsm2.conf"))
            .env("KRYOPTIC_CONF", home.path("kryoptic.conf"))
            .env("CLAVIGER_FAULT_TARGET", token_module())
            .env("CLAVIGER_FAULT_RULES", home.path("fault.rules"))
            .env("CLAVIGER_FAULT_LOG", home.path("fault.log"))
            .env(HOME, &home.0)
            .env(PHASE, phase.to_string())
            .output()
            .expect("the test binary starts");
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let ended = match end {
            End::Well => output.status.success() && told.contains("1 passed"),
            End::Abort => output.status.signal() == Some(SIGABRT),
        };
        assert!(ended, "{name}, process {phase}: {}, not {end:?}\n{told}", output.status);
    }
}

const SIGABRT: i32 = 6;

impl Home {
    fn new(name: &str) -> Self {
        let unique = format!("{}-{}", name.replace("::", "-"), std::process::id());
        let home = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique));
        let tokens = home.path("tokens");
        fs::create_dir_all(&tokens).expect("a token directory");
        let template = include_str!("../../../softhsm-config/softhsm2.conf.in");
        let conf = template.replace("@TOKENDIR@", tokens.to_str().expect("a UTF-8 path"));
        fs::write(home.path("softhsm2.conf"), conf).expect("a configuration");
        let slots = [0, 1].map(|slot| {
            let file = tokens.join(format!("{slot}.sql"));
            format!("[[slots]]\nslot = {slot}\ndbtype = \"sqlite\"\ndbargs = {file:?}\n")
        });
        fs::write(home.path("kryoptic.conf"), slots.concat()).expect("a configuration");
        home
    }

    /// A file of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Sets the rules of the fault module; they hold from the next call on, and count from zero.
    pub(crate) fn rules(&self, rules: &str) {
        let new = self.path("fault.rules.new");
        fs::write(&new, rules).expect("rules");
        fs::rename(new, self.path("fault.rules")).expect("rules");
    }

    /// Takes all rules away.
    pub(crate) fn well(&self) {
        self.rules("");
    }

    /// Empties the log of calls.
    pub(crate) fn forget_calls(&self) {
        fs::File::create(self.path("fault.log")).expect("the log");
    }

    /// Calls of one function since the log was emptied, with what the log says of each.
    pub(crate) fn calls(&self, function: &str) -> Vec<String> {
        let log = fs::read_to_string(self.path("fault.log")).unwrap_or_default();
        log.lines().filter(|line| line.split(' ').nth(1) == Some(function)).map(str::to_owned).collect()
    }
}

/// The parent cleans up, whether or not the child got that far.
impl Drop for Home {
    fn drop(&mut self) {
        if std::env::var_os(HOME).is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

pub(crate) fn selector() -> SlotSelector {
    SlotSelector::Label(LABEL.into())
}

pub(crate) fn pin() -> Pin {
    Pin::from(PIN.to_owned())
}

/// Loads a module and makes a token with all keys on it.
pub(crate) fn provisioned(module: &Path) -> Module {
    let module = Module::load(module).expect("the module loads");
    provision::init_token(&module, LABEL, &Pin::from(SO_PIN.to_owned()), &pin()).expect("a token");
    provision::create_keys(&module, &selector(), &pin()).expect("keys");
    module
}

/// A session past this crate, in the same library and under the same login: what another program with the PIN can do.
pub(crate) fn raw_session() -> Session {
    let context = Pkcs11::new(token_module()).expect("the module is loaded already");
    let slot = context
        .get_slots_with_initialized_token()
        .expect("slots")
        .into_iter()
        .find(|slot| context.get_token_info(*slot).is_ok_and(|token| token.label() == LABEL))
        .expect("the token");
    context.open_rw_session(slot).expect("a session")
}

/// A provisioned token, opened, and a session of it.
pub(crate) fn opened(module: &Path) -> (Hsm, HsmSession) {
    let hsm = open(&provisioned(module)).expect("the token opens");
    let session = hsm.session().expect("a session");
    (hsm, session)
}

pub(crate) fn open(module: &Module) -> Result<Hsm, OpenError> {
    module.open(&selector(), pin())
}

/// `SoftHSM`: where `CLAVIGER_SOFTHSM` says, else where distributions put it. Or the module that is tested in its
/// stead, which `CLAVIGER_TEST_MODULE` names.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where the module was unpacked")]
pub(crate) fn token_module() -> PathBuf {
    for told in ["CLAVIGER_TEST_MODULE", "CLAVIGER_SOFTHSM"] {
        if let Ok(module) = std::env::var(told) {
            return module.into();
        }
    }
    ["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"]
        .iter()
        .map(|folder| Path::new(folder).join("libsofthsm2.so"))
        .find(|path| path.exists())
        .expect("these tests need SoftHSM: install the package softhsm2")
}

/// The fault module, which cargo builds beside this binary because it is a dev-dependency.
///
/// A cdylib has no hash in its name: as a dependency it is in `deps/`, built by itself one level up.
pub(crate) fn fault_module() -> PathBuf {
    let this = std::env::current_exe().expect("own path");
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("libclaviger_fault_module.so"))
        .find(|path| path.exists())
        .expect("libclaviger_fault_module.so lies beside the tests, or one folder up")
}

fn test_name<F>() -> String {
    let closure = std::any::type_name::<F>();
    let function = closure.split("::{{closure}}").next().expect("a first part");
    function.split_once("::").expect("the crate's name in front").1.to_owned()
}

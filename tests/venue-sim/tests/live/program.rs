//! The program itself: its ready file, its authority, its end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::fresh_dir;

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn it_says_where_it_is_and_ends_on_sigterm() {
    let dir = fresh_dir();
    let (mut child, ready) = start(&dir);
    assert_eq!(ready["pid"], child.id());
    assert!(ready["url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    let authority = fs::read(ready["ca_file"].as_str().unwrap()).unwrap();
    end(&mut child);

    let (mut again, ready) = start(&dir);
    assert_eq!(fs::read(ready["ca_file"].as_str().unwrap()).unwrap(), authority, "the authority is reused");
    end(&mut again);
    fs::remove_dir_all(dir).unwrap();
}

fn start(dir: &Path) -> (Child, Value) {
    let ready_file = dir.join("ready.json");
    let _absent = fs::remove_file(&ready_file);
    let child = Command::new(env!("CARGO_BIN_EXE_claviger-venue-sim"))
        .args(["--listen", "127.0.0.1:0", "--tls-dir"])
        .arg(dir.join("tls"))
        .arg("--ready-file")
        .arg(&ready_file)
        .spawn()
        .unwrap();
    let ready = wait_for(|| fs::read(&ready_file).ok());
    (child, serde_json::from_slice(&ready).unwrap())
}

fn end(child: &mut Child) {
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::TERM).unwrap();
    let status = wait_for(|| child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "nothing after {DEADLINE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

//! Whichever process is killed, and whenever: what was acknowledged stays, and nothing is half done.

mod desk;
mod held;
mod plain;
mod storm;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Result;
use claviger_e2e::{Home, Operator, Scratch, Sim};

/// What all desks share, and the storm disturbs.
struct Scene {
    operator: Operator,
    sim: Sim,
    home: Home,
    scratch: Scratch,
    /// Requests that were begun: the storm's clock.
    begun: AtomicU64,
    /// Requests that were not acknowledged: each of them is what the storm is for.
    lost: AtomicU64,
    over: AtomicBool,
    receipts: RwLock<Vec<String>>,
}

impl Scene {
    fn new(operator: Operator, sim: Sim, home: Home, scratch: Scratch) -> Arc<Self> {
        Arc::new(Self {
            operator,
            sim,
            home,
            scratch,
            begun: AtomicU64::default(),
            lost: AtomicU64::default(),
            over: AtomicBool::default(),
            receipts: RwLock::default(),
        })
    }

    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn keep_receipt(&self, receipt: String) {
        self.receipts.write().unwrap_or_else(PoisonError::into_inner).push(receipt);
    }

    /// Has the exported log verified against a checkpoint from before the storm, those of the witness file, and every
    /// receipt that was handed out.
    async fn log_verifies(&self, earlier: &std::path::Path) -> Result<String> {
        // Taken before the export: the service writes entries of its own accord, while it looks for lost orders.
        let witness = std::fs::read_to_string(self.home.file("audit/checkpoints"))?;
        let (export, key) = self.operator.export().await?;
        let folder = self.scratch.path().join("evidence");
        std::fs::create_dir_all(&folder)?;
        let write = |name: &str, text: &str| -> Result<std::path::PathBuf> {
            let file = folder.join(name);
            std::fs::write(&file, text)?;
            Ok(file)
        };
        let witness = write("checkpoints", &witness)?;
        let (export, key) = (write("export.ndjson", &export)?, write("key.txt", &key)?);
        let mut verify = self.home.claviger(["audit", "verify"])?.args([&export]).args(["--key"]).args([&key]);
        verify = verify.args(["--checkpoint"]).args([earlier]).args(["--checkpoint"]).args([&witness]);
        let receipts = self.receipts.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (number, receipt) in receipts.iter().enumerate() {
            verify = verify.args(["--receipt"]).args([write(&format!("receipt-{number}.json"), receipt)?]);
        }
        Ok(verify.output().await?.ok()?.stdout)
    }
}

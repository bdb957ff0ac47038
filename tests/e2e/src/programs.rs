//! The programs and modules under test, as cargo left them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Where the distributions put `SoftHSM`.
const SOFTHSM_FOLDERS: &[&str] =
    &["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"];

/// The folder of one cargo profile, such as `target/debug`.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds the folder from the path of the running program, which is a test or a program in it.
    ///
    /// # Errors
    /// When the running program is in no such folder.
    pub fn find() -> Result<Self> {
        let this = std::env::current_exe().context("the path of this program")?;
        let folder = this.parent().context("this program lies in no folder")?;
        let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
        Ok(Self { folder: folder.to_owned() })
    }

    /// The target folder.
    pub fn target(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// The server.
    ///
    /// # Errors
    /// When it was not built.
    pub fn claviger(&self) -> Result<PathBuf> {
        self.built("claviger", "claviger-server")
    }

    /// The venue simulator.
    ///
    /// # Errors
    /// When it was not built.
    pub fn venue_sim(&self) -> Result<PathBuf> {
        self.built("claviger-venue-sim", "claviger-venue-sim")
    }

    /// The PKCS#11 module that fails as told.
    ///
    /// # Errors
    /// When it was not built.
    pub fn fault_module(&self) -> Result<PathBuf> {
        self.built("libclaviger_fault_module.so", "claviger-fault-module")
    }

    /// `SoftHSM`, where the distribution or `CLAVIGER_SOFTHSM` has it.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn softhsm(&self) -> Result<PathBuf> {
        if let Some(unpacked) = std::env::var_os("CLAVIGER_SOFTHSM") {
            return Ok(unpacked.into());
        }
        let mut places = SOFTHSM_FOLDERS.iter().map(|folder| Path::new(folder).join("libsofthsm2.so"));
        places.find(|path| path.exists()).context("SoftHSM is missing: apt install softhsm2")
    }

    fn built(&self, name: &str, package: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(path);
        }
        bail!("{} is missing: cargo build -p {package}", path.display())
    }
}

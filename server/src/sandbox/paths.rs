//! Files that others need on our behalf: the resolver, and PKCS#11 modules.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where libraries lie that are loaded at run time: modules of the name service and of PKCS#11, and what they need.
const LIBRARIES: &[&str] = &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"];

const RESOLVER: &[&str] =
    &["/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"];

/// What crypto libraries read when they are loaded, and devices that are the same for everybody.
const CRYPTO: &[&str] = &["/etc/ssl/openssl.cnf", "/dev/urandom", "/dev/random"];

/// What the system's resolver reads to look up a name: as many of these as exist.
///
/// A `resolv.conf` that another service keeps elsewhere is replaced there again and again, so its whole directory is
/// included.
pub fn resolver_paths() -> Vec<PathBuf> {
    let kept_elsewhere = fs::canonicalize("/etc/resolv.conf")
        .ok()
        .and_then(|target| target.parent().map(Path::to_owned))
        .filter(|dir| !Path::new("/etc").starts_with(dir));
    existing(RESOLVER.iter().chain(LIBRARIES)).chain(kept_elsewhere).collect()
}

/// What loading the PKCS#11 `module` reads: as many of these as exist. Its own configuration and token come on top.
pub fn module_paths(module: &Path) -> Vec<PathBuf> {
    let own = fs::canonicalize(module).ok().and_then(|file| file.parent().map(Path::to_owned));
    existing(CRYPTO.iter().chain(LIBRARIES)).chain(own).collect()
}

fn existing<'a>(paths: impl Iterator<Item = &'a &'a str>) -> impl Iterator<Item = PathBuf> {
    paths.map(PathBuf::from).filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exists_is_named_and_never_a_whole_system() {
        for path in resolver_paths().into_iter().chain(module_paths(Path::new("/nowhere/libnone.so"))) {
            assert!(path.exists() && path.components().count() > 1, "{}", path.display());
            assert_ne!(path, Path::new("/etc"));
        }
    }
}

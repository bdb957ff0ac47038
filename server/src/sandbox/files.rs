//! Files, TCP ports and scopes: landlock.

use std::{io, path::PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
    make_bitflags,
};

use super::{Missing, Network, Rules, SandboxError};

/// The newest rights that this code knows and was tried with. Older kernels enforce what they have of them.
const KNOWN: ABI = ABI::V6;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate});
const CREATE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir
});

/// Leaves only what `rules` name in reach, and says what this kernel cannot hold back.
pub(super) fn restrict(rules: &Rules) -> Result<Vec<Missing>, SandboxError> {
    let mut ruleset = handle_everything(&rules.network).map_err(SandboxError::Landlock)?;
    for (paths, access) in [(&rules.read, READ), (&rules.write, WRITE), (&rules.create, CREATE)] {
        for path in paths {
            ruleset = permit(ruleset, path, access)?;
        }
    }
    if let Network::Connect(ports) = &rules.network {
        for port in ports {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp)).map_err(SandboxError::Landlock)?;
        }
    }
    let status = ruleset.restrict_self().map_err(SandboxError::Landlock)?;
    Ok(missing(status.landlock, &rules.network))
}

fn handle_everything(network: &Network) -> Result<RulesetCreated, RulesetError> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    match network {
        Network::Open => ruleset.create(),
        Network::Connect(_) | Network::Closed => ruleset.handle_access(AccessNet::from_all(KNOWN))?.create(),
    }
}

/// A file has no use for the rights of directories, and landlock refuses them there.
fn permit(ruleset: RulesetCreated, path: &PathBuf, access: BitFlags<AccessFs>) -> Result<RulesetCreated, SandboxError> {
    let unopened = |source| SandboxError::Path(path.clone(), source);
    let is_dir = std::fs::metadata(path).map_err(unopened)?.is_dir();
    let access = if is_dir { access } else { access & AccessFs::from_file(KNOWN) };
    let handle = PathFd::new(path).map_err(|error| unopened(io::Error::other(error)))?;
    ruleset.add_rule(PathBeneath::new(handle, access)).map_err(SandboxError::Landlock)
}

fn missing(status: LandlockStatus, network: &Network) -> Vec<Missing> {
    let LandlockStatus::Available { effective_abi, .. } = status else {
        return vec![Missing::Landlock];
    };
    let limits_ports = matches!(network, Network::Connect(_));
    [
        (effective_abi < ABI::V3, Missing::Truncate),
        (effective_abi < ABI::V4 && limits_ports, Missing::TcpPorts),
        (effective_abi < ABI::V6, Missing::Scopes),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_lacks_is_named() {
        let check = |effective_abi, network: &Network, expected: &[Missing]| {
            let status = LandlockStatus::Available { effective_abi, kernel_abi: None };
            assert_eq!(missing(status, network), expected, "{effective_abi:?} {network:?}");
        };
        let by_port = Network::Connect(vec![1792]);

        assert_eq!(missing(LandlockStatus::NotEnabled, &Network::Closed), [Missing::Landlock]);
        assert_eq!(missing(LandlockStatus::NotImplemented, &Network::Open), [Missing::Landlock]);
        check(ABI::V1, &by_port, &[Missing::Truncate, Missing::TcpPorts, Missing::Scopes]);
        check(ABI::V3, &by_port, &[Missing::TcpPorts, Missing::Scopes]);
        check(ABI::V3, &Network::Closed, &[Missing::Scopes]);
        check(ABI::V4, &by_port, &[Missing::Scopes]);
        check(ABI::V6, &by_port, &[]);
    }
}

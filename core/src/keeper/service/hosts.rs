//! Where the venues are, for whoever builds a request.

use std::collections::HashMap;

use claviger_venues::{Host, HostRole, VenueId};

/// Where each venue is.
#[derive(Debug, Default)]
pub struct Hosts(HashMap<VenueId, VenueHosts>);

#[derive(Debug)]
struct VenueHosts {
    all: Option<Host>,
    defaults: Vec<(HostRole, Host)>,
}

impl Hosts {
    /// Adds a venue; `base` replaces all of its hosts.
    pub fn add(&mut self, venue: VenueId, base: Option<Host>) {
        let defaults = [HostRole::Main, HostRole::Probe]
            .into_iter()
            .filter_map(|role| Some((role, Host::parse(claviger_venues::default_host(venue, role)).ok()?)))
            .collect();
        self.0.insert(venue, VenueHosts { all: base, defaults });
    }

    /// The host for a role, if the venue is configured.
    pub fn host(&self, venue: VenueId, role: HostRole) -> Option<&Host> {
        let hosts = self.0.get(&venue)?;
        hosts.all.as_ref().or_else(|| hosts.defaults.iter().find(|(r, _)| *r == role).map(|(_, host)| host))
    }
}

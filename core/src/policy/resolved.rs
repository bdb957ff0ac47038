//! What a request names: an operation of the catalogue, and how it reads.

use claviger_venues::{Operation, Order, Params, Reading, VenueId};

use crate::store::Effect;

/// An operation of the catalogue with parameters that fit it, and how it reads.
#[derive(Clone, Debug)]
pub struct Resolved {
    operation: &'static Operation,
    params: Params,
    reading: Reading,
    weight: u32,
}

/// Why a request names nothing that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such operation in the venue's catalogue.
    #[error("{venue} has no operation of this name in Claviger's catalogue")]
    Uncatalogued {
        /// The venue.
        venue: VenueId,
    },
    /// The parameters do not fit.
    #[error("{0}")]
    Parameters(String),
}

impl Resolved {
    /// Looks an operation up and checks its parameters.
    ///
    /// # Errors
    /// [`ResolveError`]; no text in it repeats a value.
    pub fn new(venue: VenueId, operation: &str, params: Params) -> Result<Self, ResolveError> {
        let operation = claviger_venues::operation(venue, operation).ok_or(ResolveError::Uncatalogued { venue })?;
        let call = claviger_venues::check(operation, &params).map_err(|e| ResolveError::Parameters(e.to_string()))?;
        let reading = claviger_venues::read(&call).map_err(|e| ResolveError::Parameters(e.to_string()))?;
        let weight = claviger_venues::weight(&call);
        Ok(Self { operation, params, reading, weight })
    }

    /// The catalogue's entry.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The parameters, in the caller's order.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// How much it counts where the venue counts weight.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// How it reads.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What it does to open risk.
    pub fn effect(&self) -> Effect {
        match &self.reading {
            Reading::Orders(orders) if orders.iter().all(|order| order.dry_run) => Effect::Reads,
            Reading::Orders(orders) if orders.iter().all(|order| order.reduce_only) => Effect::Reduces,
            Reading::Orders(_) | Reading::Amends(_) | Reading::Setting(_) => Effect::Opens,
            Reading::Cancels(_) | Reading::CancelAll { .. } | Reading::Close { .. } => Effect::Reduces,
            Reading::None => Effect::Reads,
        }
    }

    /// The orders that it places.
    pub fn orders(&self) -> &[Order] {
        self.reading.orders()
    }
}

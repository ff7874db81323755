//! The made-up company every demonstration and test starts from: one organization, one account, one seed.

use jiff::Timestamp;

use crate::{
    amazon::{self, Amazon},
    netsuite::{self, NetSuite},
    salesforce::{self, Salesforce},
    seed::Catalogue,
    world::World,
};

/// Why a company could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The NetSuite simulator's SQL engine did not start.
    #[error("the NetSuite sandbox could not start: {0}")]
    NetSuite(String),
    /// The seed's data broke the Salesforce simulator's own rules.
    #[error("the Salesforce sandbox could not be stocked: {0}")]
    Salesforce(#[from] crate::EditError),
}

/// A world with both vendors stocked as of `now`: the selling side sells the catalogue's late items already,
/// the booking side does not know them yet.
///
/// # Errors
/// If a simulator cannot be set up from this seed.
pub fn world(
    seed: u64,
    salesforce: salesforce::Settings,
    netsuite: netsuite::Options,
    now: Timestamp,
) -> Result<World, SetUpError> {
    let catalogue = Catalogue::new(seed);
    let mut organization = Salesforce::new(seed, salesforce);
    organization.stock(&catalogue, now)?;
    let account = NetSuite::new(seed, &catalogue, netsuite, now)
        .map_err(|fault| SetUpError::NetSuite(fault.to_string()))?;
    Ok(World::new(seed).with(organization).with(account))
}

/// The same world with the seller's Amazon accounts, without orders. Whoever sells there stocks what the
/// catalogue of this seed sells.
pub fn with_amazon(world: World, seed: u64, settings: amazon::Settings) -> World {
    world.with(Amazon::new(seed, settings))
}

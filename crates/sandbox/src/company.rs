//! The made-up company every demonstration and test starts from: one organization, one account, one seed.

mod market;

use jiff::Timestamp;

pub use market::{Charge, customer_external_id};

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
    /// The seed's data broke a simulator's own rules.
    #[error("the sandbox could not be stocked: {0}")]
    Stock(#[from] crate::EditError),
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

/// The same world with the seller's Amazon accounts, without orders, and what the booking side needs for
/// them: the currencies of its marketplaces, a customer a marketplace, and an item for each sort of charge.
/// What is sold there is what the catalogue of this seed sells.
///
/// # Errors
/// If the account refuses what it is to hold.
pub fn with_amazon(
    mut world: World,
    seed: u64,
    settings: amazon::Settings,
    now: Timestamp,
) -> Result<World, SetUpError> {
    if let Some(account) = world.vendor_mut::<NetSuite>() {
        market::prepare(account, &settings.countries, now)?;
    }
    Ok(world.with(Amazon::new(seed, settings)))
}

//! Serves a stocked sandbox until interrupted: `cargo run -p sluice-sandbox --example serve -- [seed]`.
//! Prints the variables that make a client talk to it, the password of the SOAP login
//! and the admin port's address.

use std::error::Error;

use sandbox::{
    Server,
    amazon::{self, Amazon, Authority},
    company,
    environment::{self, Login, Secrets},
    salesforce::{PrivateKey, Salesforce, Settings},
    seed::Catalogue,
    server::Options,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let mut settings = Settings::new(seed);
    settings.credentials = settings
        .credentials
        .with_private_key(PrivateKey::generate(seed)?);
    let now = jiff::Timestamp::now();
    let world = company::world(seed, settings, Default::default(), now)?;
    let mut selling = amazon::Settings::new(seed);
    selling.authority = Some(Authority::generate(seed, now)?);
    let mut world = company::with_amazon(world, seed, selling, now)?;
    if let Some(amazon) = world.vendor_mut::<Amazon>() {
        amazon.stock(&Catalogue::new(seed), 120, now)?;
    }
    let running = Server::start(world, Options::default()).await?;
    let variables = running.handle().with(|world, _| {
        environment::variables(
            world,
            &running.vendor_urls,
            &Secrets::new(seed),
            Login::Secret,
        )
    });
    print!(
        "{}",
        environment::shell_lines(&environment::spin_variables(&variables))
    );
    let password = running.handle().with(|world, _| {
        let salesforce = world.vendor::<Salesforce>();
        salesforce.map(|org| org.settings().credentials.password.clone())
    });
    println!(
        "export SALESFORCE_PASSWORD='{}'",
        password.unwrap_or_default()
    );
    println!("export SANDBOX_ADMIN='{}'", running.admin_url);
    tokio::signal::ctrl_c().await?;
    running.shutdown().await;
    Ok(())
}

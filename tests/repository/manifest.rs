//! The manifest gives every flow what its connectors say they need, and no more.

use host::Manifest;
use host::manifest::AllowedHost;

/// What the manifest lets a component reach, as it stands there.
fn hosts_of(component: &str) -> Vec<String> {
    let text = std::fs::read_to_string(super::root().join("spin.toml")).unwrap();
    let section = text.split(&format!("[component.{component}]\n")).nth(1);
    let mut lines = section.unwrap().lines();
    let line = lines.find_map(|line| line.strip_prefix("allowed_outbound_hosts = "));
    serde_json::from_str(line.unwrap()).unwrap()
}

#[test]
fn amazon_orders_reaches_the_hosts_its_connectors_name_and_no_others() {
    // Whether it is understood at all.
    Manifest::read(&super::root().join("spin.toml")).unwrap();
    let variables = [
        "amazon_lwa_url",
        "amazon_url_na",
        "amazon_url_eu",
        "amazon_url_fe",
        "netsuite_url",
    ];
    let mut needed: Vec<String> = variables
        .iter()
        .map(|name| format!("{{{{ {name} }}}}"))
        .collect();
    needed.extend(amazon::HOSTS.map(str::to_owned));
    needed.sort();
    let mut allowed = hosts_of("amazon-orders");
    allowed.sort();
    assert_eq!(allowed, needed);
    for host in amazon::HOSTS {
        AllowedHost::parse(host).unwrap();
    }
}

//! The hosts that Amazon's answers and messages lead to. Pure.

use http::Uri;

/// What a component must be allowed to reach besides the login and its regions, which are variables: as an entry
/// of `allowed_outbound_hosts`, where a wildcard stands for the first labels.
pub const HOSTS: [&str; 3] = [STORE, DISTRIBUTION, AUTHORITY];

/// Reports' documents, in whichever bucket; SNS with its certificates and confirmations.
pub(crate) const STORE: &str = "https://*.amazonaws.com";
/// Reports' documents where Amazon distributes them.
pub(crate) const DISTRIBUTION: &str = "https://*.cloudfront.net";
/// The issuers of SNS's certificates. Over plain HTTP: their signatures protect them.
pub(crate) const AUTHORITY: &str = "http://*.amazontrust.com";

/// Whether an address is at such a host, on its usual port.
pub(crate) fn is_at(uri: &Uri, entry: &str) -> bool {
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().to_ascii_lowercase());
    let entry = entry.split_once("://*");
    entry
        .zip(authority)
        .is_some_and(|((scheme, domain), authority)| {
            uri.scheme_str() == Some(scheme) && authority.ends_with(domain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_at_a_host_by_its_scheme_and_its_domain() {
        let at = |url: &str| {
            let uri: Uri = url.parse().unwrap();
            HOSTS.iter().position(|host| is_at(&uri, host))
        };
        assert_eq!(at("https://sns.us-east-1.amazonaws.com/x.pem"), Some(0));
        assert_eq!(at("https://D34.CloudFront.net/x"), Some(1));
        assert_eq!(at("http://crt.r2m01.amazontrust.com/r2m01.cer"), Some(2));
        for url in [
            "http://sns.us-east-1.amazonaws.com/x.pem",
            "https://crt.r2m01.amazontrust.com/r2m01.cer",
            "https://amazonaws.com.evil.example/x",
            "https://evilamazonaws.com/x",
            "https://x.amazonaws.com:8443/x",
            "/x",
        ] {
            assert_eq!(at(url), None, "{url}");
        }
    }
}

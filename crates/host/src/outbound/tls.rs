//! `[[client_tls]]` of Spin's runtime configuration: roots and client certificates for some hosts.
//!
//! <https://spinframework.dev/v3/dynamic-configuration#client-tls-configuration>

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

/// The part of Spin's runtime configuration this host honours. Anything else in the file is refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    /// `[[client_tls]]`, the first that applies wins.
    #[serde(default)]
    pub client_tls: Vec<ClientTls>,
}

/// One `[[client_tls]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// Components it is for.
    pub component_ids: Vec<String>,
    /// Hosts it is for: names, or `*.` and a domain.
    pub hosts: Vec<String>,
    /// Trust the system's roots; by default only if no other roots are named.
    pub ca_use_platform_roots: Option<bool>,
    /// Trust the roots of the web.
    pub ca_use_webpki_roots: Option<bool>,
    /// A PEM file of further roots.
    pub ca_roots_file: Option<PathBuf>,
    /// A PEM file with the client's certificate chain.
    pub client_cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    pub client_private_key_file: Option<PathBuf>,
}

impl RuntimeConfig {
    /// Reads a file; the error says where and what in one line. Paths in it start at its folder.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            format!(
                "{}: can't read the runtime configuration: {error}",
                file.display()
            )
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            format!("{}:{line}: {}", file.display(), error.message())
        })?;
        let folder = file.parent().unwrap_or(Path::new("."));
        for tls in &mut config.client_tls {
            if tls.component_ids.is_empty() || tls.hosts.is_empty() {
                let reason = "[[client_tls]] needs component_ids and hosts";
                return Err(format!("{}: {reason}", file.display()));
            }
            for path in [
                &mut tls.ca_roots_file,
                &mut tls.client_cert_file,
                &mut tls.client_private_key_file,
            ] {
                *path = path.take().map(|path| folder.join(path));
            }
            tls.client_config()?;
        }
        Ok(config)
    }
}

impl ClientTls {
    /// Whether it is for requests of this component to this host.
    pub(super) fn applies(&self, component: &str, host: &str) -> bool {
        let covers = |own: &String| match own.strip_prefix('*') {
            Some(domain) => host
                .to_ascii_lowercase()
                .ends_with(&domain.to_ascii_lowercase()),
            None => own.eq_ignore_ascii_case(host),
        };
        self.component_ids.iter().any(|id| id == component) && self.hosts.iter().any(covers)
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, String> {
        let platform = self
            .ca_use_platform_roots
            .unwrap_or(self.ca_roots_file.is_none() && self.ca_use_webpki_roots.is_none());
        let mut roots = RootCertStore::empty();
        if platform {
            add_platform_roots(&mut roots);
        }
        if self.ca_use_webpki_roots == Some(true) {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(file) = &self.ca_roots_file {
            for certificate in certificates(file)? {
                roots
                    .add(certificate)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        let builder = builder()?.with_root_certificates(roots);
        match (&self.client_cert_file, &self.client_private_key_file) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(chain), Some(key_file)) => {
                let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| {
                    format!("{}: can't read the key: {error}", key_file.display())
                })?;
                builder
                    .with_client_auth_cert(certificates(chain)?, key)
                    .map_err(|error| format!("{}: {error}", chain.display()))
            }
            _ => Err(
                "[[client_tls]]: client_cert_file and client_private_key_file go together"
                    .to_owned(),
            ),
        }
    }
}

/// The system's roots, or those of the web on a system that has none.
pub(crate) fn default_tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    add_platform_roots(&mut roots);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        // Infallible: ring offers suites for both versions.
        .expect("ring supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

fn add_platform_roots(roots: &mut RootCertStore) {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("can't read some of the system's root certificates: {error}");
    }
    roots.add_parsable_certificates(found.certs);
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| format!("{}: can't read certificates: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RuntimeConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runtime-config.toml");
        std::fs::write(&file, text).unwrap();
        RuntimeConfig::read(&file)
    }

    #[test]
    fn applies_to_its_components_and_hosts() {
        let text = "[[client_tls]]\ncomponent_ids = [\"a\"]\nhosts = [\"x.test\", \"*.y.test\"]\n";
        let tls = &read(&format!("{text}ca_use_webpki_roots = true"))
            .unwrap()
            .client_tls[0];
        assert!(tls.applies("a", "X.test") && tls.applies("a", "b.y.test"));
        assert!(!tls.applies("b", "x.test") && !tls.applies("a", "y.test"));
        assert!(!tls.applies("a", "evily.test"));
    }

    #[test]
    fn refuses_what_it_does_not_honour() {
        let error = read("[client_tls_]\nx = 1").unwrap_err();
        assert!(error.contains(".toml:1: unknown field"), "{error}");
        let head = "[[client_tls]]\ncomponent_ids = [\"a\"]\nhosts = [\"x\"]\n";
        let error = read(&format!("{head}ca_roots_file = \"none.pem\"")).unwrap_err();
        assert!(error.contains("none.pem"), "{error}");
        let error = read(&format!("{head}client_cert_file = \"c.pem\"")).unwrap_err();
        assert!(error.contains("go together"), "{error}");
    }
}

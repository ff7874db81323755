//! A throw-away authority, and a server certificate of its making.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio_rustls::TlsAcceptor;

use super::StartError;

/// Where clients look for a server.
const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

pub(super) struct Authority {
    pub(super) acceptor: TlsAcceptor,
    pub(super) ca_path: PathBuf,
}

/// Makes an authority, writes its certificate to `ca.pem` in the folder, and keeps its key to itself.
pub(super) fn authority(dir: &Path) -> Result<Authority, StartError> {
    let fail = |what: &dyn std::fmt::Display| StartError::Tls(what.to_string());
    let made = make().map_err(|fault| fail(&fault))?;
    let ca_path = dir.join("ca.pem");
    fs::create_dir_all(dir).map_err(|fault| fail(&fault))?;
    fs::write(&ca_path, made.ca_pem).map_err(|fault| fail(&fault))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.server_key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![made.server_cert], key)
        })
        .map_err(|fault| fail(&fault))?;
    Ok(Authority {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_path,
    })
}

struct Made {
    ca_pem: String,
    server_cert: rustls::pki_types::CertificateDer<'static>,
    server_key: Vec<u8>,
}

fn make() -> Result<Made, rcgen::Error> {
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "Sandbox authority");
    let ca_key = KeyPair::generate()?;
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);

    let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    let server_key = KeyPair::generate()?;
    let server_cert = server.signed_by(&server_key, &issuer)?.der().clone();
    Ok(Made {
        ca_pem,
        server_cert,
        server_key: server_key.serialize_der(),
    })
}

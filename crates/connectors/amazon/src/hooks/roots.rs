//! The public roots that certificates of AWS's services lead to; those with RSA keys, as SNS's do.
//! <https://www.amazontrust.com/repository/>
//!
//! Only these, and here: the usual list of all roots is forty times as large as what it would be read for. A
//! test holds them against that list.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{Der, TrustAnchor};

/// A root's name and its public key, DER in base64.
struct Root {
    subject: &'static str,
    key: &'static str,
}

pub(super) fn amazon() -> Vec<TrustAnchor<'static>> {
    let der = |text: &str| Some(Der::from(STANDARD.decode(text).ok()?));
    let anchor = |root: &Root| {
        Some(TrustAnchor {
            subject: der(root.subject)?,
            subject_public_key_info: der(root.key)?,
            name_constraints: None,
        })
    };
    ROOTS.iter().filter_map(anchor).collect()
}

const ROOTS: [Root; 3] = [
    // Amazon Root CA 1
    Root {
        subject: "MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6b24gUm9vdCBDQSAx",
        key: concat!(
            "MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCyeIBxynjV43GvR4BQdH1u2NeIdvSZaPdYIWD5dIQB",
            "L6wCLYbToEN6TrKk0Da6Ab6N20jIBxc2TPTuiCPHPus39bUZ+ElosN7XuXY4HWGepP6CNqXlSlbkReH5",
            "/bQW+nTanJs1OS/6sCBQBmx60ICypvmv7EcZj1A4B9yihzlY+LrVqflIZzCW7pR4Xm+Jo1HAMIZmoUVm",
            "ulTro8OR+Ujc/9HoMC19LXRwNdeIJPeexFluu3OHF/IyRii4Q/q3HarKtPKfJA4tS/dxXF5p/+qVAss4",
            "iq5QOG/b+y1iG8XHHlThd+BnyA+chyPWP0AgfyCAxIBMPjskJo4ErmyayKoNAgMBAAE=",
        ),
    },
    // Amazon Root CA 2
    Root {
        subject: "MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6b24gUm9vdCBDQSAy",
        key: concat!(
            "MA0GCSqGSIb3DQEBAQUAA4ICDwAwggIKAoICAQCtlp8tnEpMSoF5UZnsistrYFETvE1tBvywCI3dGRBq",
            "xyYMNdjAbyCE6ZSxm4UDw1vbSujI+JB22VtP40zoBjZNzJqsPQyQK5LUBhlgrDdEeYWBgq1aN+ANzJ2m",
            "TFJ26kOdtwTRUPZV4NXSpkmF6Tfpyn6uXJVNSJo/riBabYiV2TS4UhpDkLC/bAW5tni36tDkOjwSU2L/",
            "SvJ7vjUFqRI04/NkdGIsPQBJWij+MkS7h91lJwJxO9pK9x/azfchVZBPD+yuguGfa9lF07vwX4ftPCw5",
            "hto/3uxyVet5o63b3XywuhzO/N5PNXbPD/h4H2o2UUYnYVvpns/wolV9fCWKby+0xc+ELiv9DVEQbPtf",
            "G7wbfsWuO5gBMZL/C1f0mrK5V+mr7w120fDu9M6Gp+Bu6bRpod9p9jPGaS6XE56lh7BXEIE3yVOzu3/2",
            "ktGc0Bj0km7ag0+mY5lMpfte7yFkeiBfbGSFFcs36WIMCyoW3AEuMto+S/WeOvYXQJTvnpEIhvq+Y6ha",
            "M+zLdEOV+WxpUjbHKW/8VQNcH/ufvUfr50lHlQtOiSIJSeD1YR7xvy6Kcm6AWf9XOvl1MqNOX+ztKGLZ",
            "TXPyzIEXYO3N69zbp8rFfgK98lQIVP20LQksF1RKmNFU4VFnCNLtbn5vP9ItgVkpZsuQOZURHnQn/t3r",
            "rwIDAQAB",
        ),
    },
    // Starfield Services Root Certificate Authority - G2
    Root {
        subject: concat!(
            "MQswCQYDVQQGEwJVUzEQMA4GA1UECBMHQXJpem9uYTETMBEGA1UEBxMKU2NvdHRzZGFsZTElMCMGA1UE",
            "ChMcU3RhcmZpZWxkIFRlY2hub2xvZ2llcywgSW5jLjE7MDkGA1UEAxMyU3RhcmZpZWxkIFNlcnZpY2Vz",
            "IFJvb3QgQ2VydGlmaWNhdGUgQXV0aG9yaXR5IC0gRzI=",
        ),
        key: concat!(
            "MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDVDDrEKvlO4vW+GZdfjohTsR8/y8+fIBNtKTrID308",
            "92t2OGPZNmCom15cAICyL1l/9of5JUOG52kbUpqQ4XHj2C0NTm/2yEnZtvMaVq4rtnQU68/7JuMauh2W",
            "Lmo7WJSJR1b/JaCTcFOD2oR0FMNnngRoOt+OQFodSk7PQ5E751bWAHDLUu57fa4657wx+UX2wmDPE1kC",
            "K4DMNEffud6QZW0CzyyRpqbn3oUYSXxmTqM6bam17jQuug0DuDPfR+uxa40l2ZvOgdFFRjKWcIfeAg5J",
            "Q4W2bHO7ZOphQazJ1FTfhy/HIrImzJ9ZVGif/L4qL8RVHHVAYBeFAlU5i38FAgMBAAE=",
        ),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_roots_that_browsers_trust() {
        let ours = amazon();
        assert_eq!(ours.len(), ROOTS.len());
        for root in ours {
            let known = webpki_roots::TLS_SERVER_ROOTS.iter().any(|known| {
                known.subject == root.subject
                    && known.subject_public_key_info == root.subject_public_key_info
                    && known.name_constraints.is_none()
            });
            assert!(known, "{:?}", String::from_utf8_lossy(&root.subject));
        }
    }
}

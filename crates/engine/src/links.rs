//! Links: the lasting pair "this source record is that target record", with what was last applied.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_core::{Fault, Kind, Ports, RecordId, Result, Version, code};

/// What is known of a source record's target. Shared by all flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The format of this value.
    v: u8,
    /// The target record's internal id.
    pub target: String,
    /// The fingerprint of the body last applied; `None` where none is known to stand as we sent it.
    pub applied: Option<String>,
    /// The source's version that was last brought in line.
    pub version: Option<Version>,
    /// What the source record must carry of its target.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub write_back: Map<String, Value>,
    /// The target was closed because the source left the scope or was deleted.
    #[serde(default)]
    pub closed: bool,
}

const FORMAT: u8 = 1;

impl Link {
    pub fn to(target: impl Into<String>) -> Self {
        Self {
            v: FORMAT,
            target: target.into(),
            applied: None,
            version: None,
            write_back: Map::new(),
            closed: false,
        }
    }

    /// Fault: `STORE_CORRUPT` (stop the flow) for a value this release can't read.
    pub async fn load(ports: &Ports, source: &RecordId, target: Kind) -> Result<Option<Self>> {
        let key = key(source, target);
        let Some(bytes) = ports.key_value.get(&key).await? else {
            return Ok(None);
        };
        let link = serde_json::from_slice::<Self>(&bytes).ok();
        link.filter(|link| link.v == FORMAT)
            .map(Some)
            .ok_or_else(|| {
                let message = format!("the link {key} is not in a form this release knows");
                Fault::stop_flow(code::STORE_CORRUPT, message)
            })
    }

    /// Writing the same link again changes nothing.
    pub async fn store(&self, ports: &Ports, source: &RecordId, target: Kind) -> Result<()> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Fault::stop_flow(code::STORE_FAILED, error.to_string()))?;
        ports.key_value.set(&key(source, target), &bytes).await
    }
}

/// Where a link is kept, and what an item that waits for it names.
pub fn key(source: &RecordId, target: Kind) -> String {
    format!("link:{source}:{target}")
}

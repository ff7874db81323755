//! Links: the lasting pair "this source record is that target record", with what was last applied.

use mapping::fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sluice_core::{Change, Fault, Kind, Ports, Record, RecordId, Result, Version, code};

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
    /// The fingerprint of the source's body at that version: changes within one tick of the source's clock
    /// bear the same version.
    #[serde(default)]
    pub seen: Option<String>,
    /// The state of the source (see [`crate::edit::state`]) in which a person's edit was applied instead of it:
    /// until the source leaves that state, what stands in the target is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<String>,
    /// The state of the source (see [`crate::edit::state`]) in which the target was adopted although it differs:
    /// until the source leaves that state, the target stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<String>,
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
            seen: None,
            edited: None,
            adopted: None,
            write_back: Map::new(),
            closed: false,
        }
    }

    /// Notes which state of the source was brought in line. True if another one was noted before.
    pub fn see(&mut self, record: &Record) -> bool {
        let (version, seen) = (Some(record.version), Some(fingerprint(&record.body)));
        let changed = self.version != version || self.seen != seen || self.edited.is_some();
        (self.version, self.seen, self.edited) = (version, seen, None);
        self.adopted = None;
        changed
    }

    /// Notes that not this state of the source but a person's edit of it was applied. True if that was not
    /// noted before.
    pub fn see_edited(&mut self, of: &str) -> bool {
        let changed = self.edited.as_deref() != Some(of);
        // Whatever was seen of the source, it is not what stands in the target.
        (self.version, self.seen, self.edited) = (None, None, Some(of.to_owned()));
        self.adopted = None;
        changed
    }

    /// Whether the target is right as it stands, for this state of the source.
    pub fn stands_for(&self, state: &str) -> bool {
        [&self.edited, &self.adopted].contains(&&Some(state.to_owned()))
    }

    /// Whether a listed change is the state that was brought in line, or an older one.
    pub fn has_seen(&self, change: &Change) -> bool {
        let (Some(version), Some(listed)) = (self.version, change.version) else {
            return false;
        };
        // The version alone does not tell states within one tick of the source's clock apart.
        let same = |record: &Record| self.seen.as_ref() == Some(&fingerprint(&record.body));
        version > listed || (version == listed && change.record.as_ref().is_some_and(same))
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

/// Notes whose target an adopted record is: nothing in the record itself may say so. Holds only as long as the
/// source's link says the same.
pub(crate) async fn claim(ports: &Ports, source: &RecordId, target: &RecordId) -> Result<()> {
    let id = source.id.as_bytes();
    ports
        .key_value
        .set(&claim_key(source.kind, target), id)
        .await
}

/// The id of the source record of this kind that adopted the target.
pub(crate) async fn claimed_by(
    ports: &Ports,
    source: Kind,
    target: &RecordId,
) -> Result<Option<String>> {
    let claimed = ports.key_value.get(&claim_key(source, target)).await?;
    let Some(id) = claimed.and_then(|id| String::from_utf8(id).ok()) else {
        return Ok(None);
    };
    let link = Link::load(ports, &source.id(&id), target.kind).await?;
    Ok(link.filter(|link| link.target == target.id).map(|_| id))
}

fn claim_key(source: Kind, target: &RecordId) -> String {
    format!("claim:{target}:{source}")
}

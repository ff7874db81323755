//! What an audit shows of both sides: `[order.audit]`.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use sluice_core::{BadField, Fault, Moment, Money, body::exact, code};

use crate::condition::{Condition, all_hold};
use crate::convert::{Table, text};
use crate::moment;
use crate::path::Path;
use crate::scope::Scope;
use crate::zone::Zone;

/// Which fields say how much and when, on each side, and which target records are the flow's.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    pub(crate) source: Side,
    pub(crate) target: Side,
    pub(crate) owned: Vec<Condition>,
}

/// The fields of one side.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub(crate) amount: Option<Path>,
    pub(crate) currency: Option<Path>,
    /// Read backwards: the value beside the text found is the currency.
    pub(crate) table: Option<Arc<Table>>,
    /// Of a moment, the day it is in this zone.
    pub(crate) date: Option<(Path, Zone)>,
}

/// What one record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// `None` where the mapping names no amount, or the record's is missing or can't be read.
    pub money: Option<Money>,
    pub date: Option<Date>,
}

impl Audit {
    pub fn source(&self, body: &Value) -> Figures {
        self.source.figures(body)
    }

    pub fn target(&self, body: &Value) -> Figures {
        self.target.figures(body)
    }

    /// Whether both sides say when.
    pub fn has_dates(&self) -> bool {
        self.source.date.is_some() && self.target.date.is_some()
    }

    /// Whether a target record of unknown origin is this flow's; `None` where the mapping does not say.
    ///
    /// Faults: `MAPPING_FIELDS` (dead letter) where a value can't be compared with the mapping's.
    pub fn owns(&self, body: &Value) -> Result<Option<bool>, Fault> {
        if self.owned.is_empty() {
            return Ok(None);
        }
        let holds = all_hold(&self.owned, &Scope::record(body));
        holds.map(Some).map_err(|reason| {
            let message = "whether a target record is the flow's can't be told";
            let field = BadField::new("owned", reason);
            Fault::dead_letter(code::MAPPING_FIELDS, message).with_fields(vec![field])
        })
    }
}

impl Side {
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let date = self.date.iter().map(|(path, _)| path);
        self.amount.iter().chain(&self.currency).chain(date)
    }

    fn figures(&self, body: &Value) -> Figures {
        Figures {
            money: self.money(body),
            date: self.date(body),
        }
    }

    fn money(&self, body: &Value) -> Option<Money> {
        let scope = Scope::record(body);
        let amount = exact(self.amount.as_ref()?.find(&scope).ok()??)?;
        let found = text(self.currency.as_ref()?.find(&scope).ok()??).ok()?;
        let currency = match &self.table {
            Some(table) => table.source_of(&found)?,
            None => &found,
        };
        let currency = currency.parse().ok()?;
        Some(Money { amount, currency })
    }

    fn date(&self, body: &Value) -> Option<Date> {
        let (path, zone) = self.date.as_ref()?;
        let found = path.find(&Scope::record(body)).ok()??.as_str()?;
        moment::day(Moment::parse(found)?, zone).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::MappingFile;

    const FILE: &str = r#"
        version = 1
        [settings]
        time_zone = "Europe/Berlin"
        [tables.currency]
        EUR = "5"
        [order.fields]
        total = { from = "Amount", as = "decimal" }
        [order.adopt]
        key = [{ target = "number", from = "Number" }, { target = "po", from = "Account.PO" }]
        [order.audit]
        source = { amount = "Amount", currency = "Currency", date = "Closed" }
        target = { amount = "total", currency = "currency.id", table = "currency", date = "day" }
        owned = { from = "channel", equals = "shop" }
    "#;

    #[test]
    fn both_sides_say_how_much_and_when() {
        let file = MappingFile::parse("mapping.toml", FILE).unwrap();
        let audit = file.section("order").unwrap().audit();
        let body: serde_json::Value = serde_json::from_str(
            r#"{"Amount": 0.10, "Currency": "EUR", "Closed": "2026-11-30",
                "total": 0.1, "currency": {"id": 5}, "day": "2026-11-30T23:30:00Z"}"#,
        )
        .unwrap();
        let (source, target) = (audit.source(&body), audit.target(&body));
        assert_eq!(source.money.unwrap().amount.to_string(), "0.10");
        assert_eq!(target.money.unwrap().currency.to_string(), "EUR");
        assert_eq!(source.date.unwrap().to_string(), "2026-11-30");
        assert_eq!(target.date.unwrap().to_string(), "2026-12-01");
        assert!(audit.has_dates());
        // What can't be read is no amount, never zero.
        let unknown =
            json!({ "total": 1, "currency": { "id": "6" }, "Amount": "x", "Currency": "EUR" });
        assert_eq!(audit.source(&unknown).money, None);
        assert_eq!(audit.target(&unknown).money, None);
    }

    #[test]
    fn what_is_owned_is_said_by_the_mapping_only() {
        let file = MappingFile::parse("mapping.toml", FILE).unwrap();
        let audit = file.section("order").unwrap().audit();
        assert_eq!(audit.owns(&json!({"channel": "shop"})), Ok(Some(true)));
        assert_eq!(audit.owns(&json!({})), Ok(Some(false)));
        assert!(audit.owns(&json!({"channel": 1})).is_err());
        let plain = "version = 1\n[order.fields]\na = { from = \"b\" }\n";
        let file = MappingFile::parse("mapping.toml", plain).unwrap();
        let audit = file.section("order").unwrap().audit();
        assert_eq!(audit.owns(&json!({"channel": 1})), Ok(None));
        let fault = file.adopt("order").unwrap_err();
        assert!(
            fault.message.starts_with("mapping.toml:2:"),
            "{}",
            fault.message
        );
    }

    #[test]
    fn natural_keys_are_read_in_their_order_and_selected() {
        let file = MappingFile::parse("mapping.toml", FILE).unwrap();
        let adopt = file.adopt("order").unwrap();
        let body = json!({ "Number": 7, "Account": { "PO": "" } });
        let keys: Vec<_> = adopt
            .keys()
            .iter()
            .map(|key| (key.target.as_str(), key.value(&body)))
            .collect();
        assert_eq!(keys, [("number", Some("7".into())), ("po", None)]);
        let fields = file.section("order").unwrap().selection().fields;
        for field in ["Number", "Account.PO", "Amount", "Currency", "Closed"] {
            assert!(fields.contains(field), "{field}");
        }
        // They are no inputs: a change of theirs alone does not undo a person's edit.
        let inputs = file.section("order").unwrap().inputs(&body);
        assert_eq!(inputs.as_object().unwrap().len(), 1);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (wrong, says) in [
            ("[order.adopt]", "says no `key`"),
            ("[order.adopt]\nkey = []", "is empty"),
            (
                "[order.adopt]\nkey = { target = \"a.b\", from = \"c\" }",
                "one field",
            ),
            ("[order.adopt]\nkey = { from = \"c\" }", "says no `target`"),
            (
                "[order.audit]\nsource = { amount = \"a\" }",
                "says no `currency`",
            ),
            (
                "[order.audit]\nsource = { amonut = \"a\" }",
                "did you mean `amount`?",
            ),
            ("[order.audit]\ntarget = { table = \"x\" }", "no table `x`"),
            ("[order.audit]\nsource = { date = \"a\" }", "needs a `zone`"),
            ("[order.audits]", "did you mean `audit`?"),
        ] {
            let text = format!("version = 1\n[order.fields]\na = {{ from = \"b\" }}\n{wrong}\n");
            let fault = MappingFile::parse("m", &text).unwrap_err();
            assert!(fault.to_string().contains(says), "{wrong}: {fault}");
            assert!(fault.message.starts_with("m:"), "{fault}");
        }
    }
}

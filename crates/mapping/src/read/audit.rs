//! Reads `[order.audit]`.

use super::keys::Keys;
use super::source::Place;
use super::{Context, condition, convert};
use crate::audit::{Audit, Side};

const KNOWN: &[&str] = &["source", "target", "owned"];
const SIDE_KEYS: &[&str] = &["amount", "currency", "table", "date", "zone"];

pub fn read(section: &Keys, context: &mut Context) -> Audit {
    let Some(table) = section.table("audit", &mut context.problems) else {
        return Audit::default();
    };
    let keys = Keys::new(table, section.key_span("audit"), "`audit`");
    keys.all_known(KNOWN, &mut context.problems);
    Audit {
        source: side(&keys, "source", Place::Record, context),
        target: side(&keys, "target", Place::WriteBack, context),
        owned: condition::under("owned", &keys, Place::WriteBack, context),
    }
}

fn side(audit: &Keys, name: &str, place: Place, context: &mut Context) -> Side {
    let Some(table) = audit.table(name, &mut context.problems) else {
        return Side::default();
    };
    let keys = Keys::new(table, audit.key_span(name), name);
    keys.all_known(SIDE_KEYS, &mut context.problems);
    for (one, other) in [("amount", "currency"), ("currency", "amount")] {
        if keys.has(one) && !keys.has(other) {
            let reason = format!("`{name}` says no `{other}`: an amount has a currency");
            context.problems.add(keys.key_span(one), reason);
        }
    }
    let table = keys
        .has("table")
        .then(|| convert::table("table", &keys, context));
    Side {
        amount: place.path(&keys, "amount", context),
        currency: place.path(&keys, "currency", context),
        table: table.flatten(),
        date: match place.path(&keys, "date", context) {
            Some(date) => convert::zone(&keys, context).map(|zone| (date, zone)),
            None => None,
        },
    }
}

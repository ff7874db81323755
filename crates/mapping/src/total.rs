//! Does what was mapped add up to what the source says: `[order.total]`.

use serde_json::Value;
use sluice_core::{BadField, Fault, code};

use crate::condition::{Condition, all_hold};
use crate::number::{self, Digits, Sign};
use crate::path::Path;
use crate::scope::{BadFields, Scope};

/// Two sums that must be equal, to the last digit.
#[derive(Clone, Debug)]
pub struct Total {
    /// Whether it is asked of a record.
    pub when: Vec<Condition>,
    pub source: Vec<Wanted>,
    pub target: Vec<Given>,
}

/// An amount of the source.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub from: Path,
    pub sign: Option<Sign>,
    /// Whether it may be absent; it adds nothing then.
    pub optional: bool,
}

/// An amount of the target: a field of the record, or of every element of a list.
#[derive(Clone, Debug)]
pub struct Given {
    pub list: Option<Path>,
    pub field: Path,
    pub optional: bool,
}

/// An exact sum, with as many digits after the point as its longest summand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    units: i128,
    scale: u64,
}

impl Total {
    /// What the source says; `None` where nothing is asked, or a bad field was noted.
    pub fn wanted(&self, scope: &Scope, bad: &mut BadFields) -> Option<Sum> {
        let sum = match all_hold(&self.when, scope) {
            Ok(true) => self.sum_of_source(scope),
            Ok(false) => return None,
            Err(reason) => Err(reason),
        };
        sum.map_err(|reason| bad.add("total".to_owned(), reason))
            .ok()
    }

    /// Compares with what was mapped; the bad field if it is not the same.
    ///
    /// `Err` names an element without an amount, or with one that is none.
    pub fn differs(&self, wanted: &Sum, mapped: &Value) -> Result<Option<BadField>, BadField> {
        let given = self.sum_of_target(mapped)?;
        let Some(off) = given.minus(wanted) else {
            return Err(BadField::new("total", TOO_LONG));
        };
        if off.units == 0 {
            return Ok(None);
        }
        let reason = format!(
            "adds up to {}, but {} is {}; the difference is {}",
            given.text(off.scale),
            join(self.source.iter().map(|term| term.from.inner())),
            wanted.text(off.scale),
            off.text(off.scale),
        );
        let path = join(self.target.iter().map(Given::path));
        Ok(Some(BadField::new(path, reason)))
    }

    /// Every source path it reads.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let asked = self.when.iter().flat_map(Condition::paths);
        asked.chain(self.source.iter().map(|term| &term.from))
    }

    fn sum_of_source(&self, scope: &Scope) -> Result<Sum, String> {
        let mut sum = Sum::default();
        for term in &self.source {
            let place = || term.from.inner();
            match term.from.find(scope)? {
                Some(value) => sum
                    .add(value, term.sign)
                    .map_err(|reason| format!("{} {reason}", place()))?,
                None if term.optional => {}
                None => return Err(format!("{} is missing", place())),
            }
        }
        Ok(sum)
    }

    fn sum_of_target(&self, mapped: &Value) -> Result<Sum, BadField> {
        let mut sum = Sum::default();
        for term in &self.target {
            let Some(list) = &term.list else {
                term.add(mapped, &mut sum)
                    .map_err(|reason| BadField::new(term.path(), reason))?;
                continue;
            };
            let elements = list.find(&Scope::record(mapped)).ok().flatten();
            let elements = elements.and_then(Value::as_array).into_iter().flatten();
            for (position, element) in elements.enumerate() {
                term.add(element, &mut sum).map_err(|reason| {
                    let path = format!("{}[{position}].{}", list.inner(), term.field.inner());
                    BadField::new(path, reason)
                })?;
            }
        }
        Ok(sum)
    }
}

const TOO_LONG: &str = "has too many digits to be added up exactly";

impl Given {
    fn path(&self) -> String {
        let field = self.field.inner();
        match &self.list {
            Some(list) => format!("{}.{field}", list.inner()),
            None => field,
        }
    }

    fn add(&self, object: &Value, sum: &mut Sum) -> Result<(), String> {
        match self.field.find(&Scope::record(object))? {
            Some(value) => sum.add(value, None),
            None if self.optional => Ok(()),
            None => Err("is absent, but is part of a total".to_owned()),
        }
    }
}

impl Sum {
    fn add(&mut self, value: &Value, sign: Option<Sign>) -> Result<(), String> {
        let mut amount = number::decimal(value, None)?;
        if let Some(sign) = sign {
            amount = sign.of(amount);
        }
        let digits = Digits::parse(amount.as_str()).ok_or("is not a number")?;
        let scale = self.scale.max(digits.scale());
        self.units = digits
            .units(scale)
            .and_then(|units| units.checked_add(self.at(scale)?))
            .ok_or(TOO_LONG)?;
        self.scale = scale;
        Ok(())
    }

    /// The difference; `None` if it has too many digits.
    fn minus(&self, other: &Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.at(scale)?.checked_sub(other.at(scale)?)?;
        Some(Self { units, scale })
    }

    /// Its units, were it of this scale, which is at least its own.
    fn at(&self, scale: u64) -> Option<i128> {
        let zeros = u32::try_from(scale - self.scale).ok()?;
        match self.units {
            0 => Some(0),
            units => units.checked_mul(10_i128.checked_pow(zeros)?),
        }
    }

    /// With this many digits after the point, or more.
    fn text(&self, scale: u64) -> String {
        let (units, scale) = match self.at(scale.max(self.scale)) {
            Some(units) => (units, scale.max(self.scale) as usize),
            None => (self.units, self.scale as usize),
        };
        let sign = if units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        format!("{sign}{whole}{point}{fraction}")
    }
}

/// One fault for all totals that differ, or were not to be told.
pub fn fault(section: &str, bad: Vec<BadField>, differ: Vec<BadField>) -> Result<(), Fault> {
    if !bad.is_empty() {
        let mut fields = BadFields::default();
        bad.into_iter()
            .for_each(|field| fields.add(field.path, field.reason));
        return fields.into_result(section);
    }
    let Some(first) = differ.first() else {
        return Ok(());
    };
    let message = format!("section `{section}`: {} {}", first.path, first.reason);
    Err(Fault::dead_letter(code::TOTAL_DIFFERS, message).with_fields(differ))
}

fn join(paths: impl Iterator<Item = String>) -> String {
    paths.collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sum(amounts: &[&str]) -> Result<Sum, String> {
        let mut sum = Sum::default();
        for amount in amounts {
            sum.add(&json!(amount), None)?;
        }
        Ok(sum)
    }

    #[test]
    fn sums_are_exact() {
        for (amounts, wanted) in [
            (&[][..], "0"),
            (&["0.1", "0.2"], "0.3"),
            (&["100.00", "-0.01"], "99.99"),
            (&["-5", "4.5"], "-0.5"),
            (&["12.50", "-12.5"], "0.0"),
            (
                &["1000000000000000000.01", "0.001"],
                "1000000000000000000.011",
            ),
        ] {
            let sum = sum(amounts).unwrap();
            assert_eq!(sum.text(0), wanted, "{amounts:?}");
        }
        assert_eq!(sum(&["100"]).unwrap().text(2), "100.00");
        let off = sum(&["99.99"]).unwrap().minus(&sum(&["100"]).unwrap());
        assert_eq!(off.unwrap().text(0), "-0.01");
    }

    #[test]
    fn what_can_not_be_added_exactly_is_refused() {
        let large = "1000000000000000000000000000";
        let small = "0.0000000000000000000000000001";
        assert_eq!(sum(&[large, small]), Err(TOO_LONG.to_owned()));
        let most = "9999999999999999999999999999";
        assert_eq!(
            sum(&[most, most]).unwrap().text(0),
            "19999999999999999999999999998"
        );
        let (large, small) = (sum(&[large]).unwrap(), sum(&[small]).unwrap());
        assert_eq!(large.minus(&small), None);
        assert!(sum(&["1,5"]).is_err());
    }
}

//! Settings that come from outside: variables of the host.
//!
//! A connector reads what may be set ([`values`]), then checks it as a whole ([`Wrong`]), so that one look at
//! the fault suffices to set everything right.

use crate::{BadField, Fault, Result, code, ports::Variables};

/// A variable a component reads: its name in lower snake case, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// Completes the sentence "`name` is …": `the consumer key of the connected app`.
    pub purpose: &'static str,
    pub required: bool,
}

/// One that must always be set.
pub const fn required(name: &'static str, purpose: &'static str) -> Variable {
    Variable {
        name,
        purpose,
        required: true,
    }
}

/// One that other settings decide about: whether it must be set, and what it is if it isn't.
pub const fn by_mode(name: &'static str, purpose: &'static str) -> Variable {
    Variable {
        name,
        purpose,
        required: false,
    }
}

impl Variable {
    /// The fault of this one alone. `why` is a predicate: `is not a readable key`.
    ///
    /// Fault: `VARIABLE_INVALID` (stop the flow).
    pub fn fault(self, why: &str) -> Fault {
        let mut wrong = Wrong::default();
        wrong.add(self, why);
        wrong.fault()
    }
}

/// Reads `variables` in order; an empty value counts as absent. What must be there is for [`Wrong`] to say.
///
/// Faults: those of the port.
pub fn values<const N: usize>(
    from: &dyn Variables,
    variables: [Variable; N],
) -> Result<[Option<String>; N]> {
    let mut values = [const { None }; N];
    for (value, variable) in values.iter_mut().zip(variables) {
        *value = from.get(variable.name)?.filter(|text| !text.is_empty());
    }
    Ok(values)
}

/// As [`values`], where each must be set that is required.
///
/// Fault: `VARIABLE_MISSING` (stop the flow), naming every missing required variable and its purpose.
pub fn read_all<const N: usize>(
    from: &dyn Variables,
    variables: [Variable; N],
) -> Result<[Option<String>; N]> {
    let values = values(from, variables)?;
    let mut wrong = Wrong::default();
    for (value, variable) in values.iter().zip(variables) {
        if value.is_none() && variable.required {
            wrong.misses(variable);
        }
    }
    wrong.or(Some(values))
}

/// All that is missing or wrong, for one fault.
#[derive(Debug, Default)]
pub struct Wrong {
    fields: Vec<BadField>,
    missing: bool,
}

impl Wrong {
    /// The value, or a note that it is missing.
    pub fn needs(&mut self, variable: Variable, value: Option<String>) -> Option<String> {
        if value.is_none() {
            self.misses(variable);
        }
        value
    }

    /// The value, or a note of what is wrong with it: a predicate, without the value itself, which may be a
    /// secret.
    pub fn valid<T>(&mut self, variable: Variable, value: Result<T, &'static str>) -> Option<T> {
        value.map_err(|why| self.add(variable, why)).ok()
    }

    /// The settings, if nothing was noted.
    ///
    /// Faults: `VARIABLE_MISSING`, `VARIABLE_INVALID` (stop the flow), naming every variable that is missing or
    /// wrong and what it is for.
    pub fn or<T>(self, settings: Option<T>) -> Result<T> {
        match settings {
            Some(settings) if self.fields.is_empty() => Ok(settings),
            _ => Err(self.fault()),
        }
    }

    fn misses(&mut self, variable: Variable) {
        self.missing = true;
        self.add(variable, "is not set");
    }

    fn add(&mut self, variable: Variable, why: &str) {
        let reason = format!("{why}; it is {}", variable.purpose);
        self.fields.push(BadField::new(variable.name, reason));
    }

    fn fault(self) -> Fault {
        let (code, message) = if self.missing {
            (code::VARIABLE_MISSING, "variables are missing")
        } else {
            (code::VARIABLE_INVALID, "variables are wrong")
        };
        Fault::stop_flow(code, message).with_fields(self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: Variable = required("url", "the address");
    const KEY: Variable = by_mode("key", "the private key");

    struct Set(&'static [(&'static str, &'static str)]);

    impl Variables for Set {
        fn get(&self, name: &str) -> Result<Option<String>> {
            let found = self.0.iter().find(|(known, _)| *known == name);
            Ok(found.map(|(_, value)| (*value).to_owned()))
        }
    }

    #[test]
    fn an_empty_value_counts_as_absent() {
        let set = Set(&[("url", ""), ("key", "k")]);
        assert_eq!(
            values(&set, [URL, KEY]).unwrap(),
            [None, Some("k".to_owned())]
        );
        let fault = read_all(&set, [URL, KEY]).unwrap_err();
        assert_eq!(fault.code, code::VARIABLE_MISSING);
        assert_eq!(
            fault.fields,
            [BadField::new("url", "is not set; it is the address")]
        );
        assert!(read_all(&Set(&[("url", "x")]), [URL, KEY]).is_ok());
    }

    #[test]
    fn what_is_missing_and_what_is_wrong_are_told_together() {
        let mut wrong = Wrong::default();
        assert_eq!(wrong.needs(URL, Some("x".to_owned())).as_deref(), Some("x"));
        assert_eq!(wrong.valid::<()>(KEY, Err("is not a readable key")), None);
        assert_eq!(wrong.needs(URL, None), None);
        let fault = wrong.or(Some(())).unwrap_err();
        assert_eq!(fault.code, code::VARIABLE_MISSING);
        assert_eq!(fault.fields.len(), 2);

        let fault = KEY.fault("is not a readable key");
        assert_eq!(fault.code, code::VARIABLE_INVALID);
        assert_eq!(
            fault.fields,
            [BadField::new(
                "key",
                "is not a readable key; it is the private key"
            )]
        );
        assert!(Wrong::default().or(Some(())).is_ok());
    }
}

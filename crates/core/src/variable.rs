//! Settings that come from outside: variables of the host.

use crate::{BadField, Fault, Result, code, ports::Variables};

/// A variable a component reads: its name in lower snake case, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// Completes the sentence "`name` is …": `the consumer key of the connected app`.
    pub purpose: &'static str,
    pub required: bool,
}

/// Reads `variables` in order; an empty value counts as absent.
///
/// Fault: `VARIABLE_MISSING` (stop the flow), naming every missing required variable and its purpose.
pub fn read_all<const N: usize>(
    from: &dyn Variables,
    variables: [Variable; N],
) -> Result<[Option<String>; N]> {
    let mut values = [const { None }; N];
    let mut missing = Vec::new();
    for (value, variable) in values.iter_mut().zip(variables) {
        *value = from.get(variable.name)?.filter(|text| !text.is_empty());
        if value.is_none() && variable.required {
            missing.push(BadField::new(
                variable.name,
                format!("is not set; it is {}", variable.purpose),
            ));
        }
    }
    if missing.is_empty() {
        return Ok(values);
    }
    Err(Fault::stop_flow(code::VARIABLE_MISSING, "variables are missing").with_fields(missing))
}

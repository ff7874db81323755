//! What was measured, for people and for machines.

use std::fmt;

use serde_json::{Value, json};

/// The figures of one benchmark.
pub struct Report {
    pub name: &'static str,
    pub figures: Vec<Figure>,
}

/// One number.
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    aim: Option<Aim>,
}

/// What we aim for.
#[derive(Clone, Copy)]
enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            aim: None,
        }
    }

    pub fn at_least(mut self, aim: f64) -> Self {
        self.aim = Some(Aim::AtLeast(aim));
        self
    }

    pub fn at_most(mut self, aim: f64) -> Self {
        self.aim = Some(Aim::AtMost(aim));
        self
    }

    fn is_reached(&self) -> Option<bool> {
        self.aim.map(|aim| match aim {
            Aim::AtLeast(least) => self.value >= least,
            Aim::AtMost(most) => self.value <= most,
        })
    }
}

impl Report {
    pub fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let mut entry =
                json!({ "name": figure.name, "value": figure.value, "unit": figure.unit });
            match figure.aim {
                Some(Aim::AtLeast(least)) => entry["at_least"] = json!(least),
                Some(Aim::AtMost(most)) => entry["at_most"] = json!(most),
                None => {}
            }
            if let Some(reached) = figure.is_reached() {
                entry["reached"] = json!(reached);
            }
            entry
        });
        json!({ "benchmark": self.name, "figures": figures.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for figure in &self.figures {
            let value = short(figure.value);
            write!(f, "  {:34} {value:>10} {:4}", figure.name, figure.unit)?;
            let said = match figure.aim {
                Some(Aim::AtLeast(least)) => format!("at least {}", short(least)),
                Some(Aim::AtMost(most)) => format!("at most {}", short(most)),
                None => String::new(),
            };
            match figure.is_reached() {
                Some(true) => writeln!(f, "  aim {said}: reached")?,
                Some(false) => writeln!(f, "  aim {said}: NOT reached")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn short(value: f64) -> String {
    match value {
        large if large.abs() >= 1000.0 => format!("{large:.0}"),
        small => format!("{small:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aims_are_judged() {
        let reached = |figure: Figure| figure.is_reached();
        assert_eq!(reached(Figure::new("a", 2.0, "s").at_most(2.0)), Some(true));
        assert_eq!(
            reached(Figure::new("a", 2.1, "s").at_most(2.0)),
            Some(false)
        );
        assert_eq!(
            reached(Figure::new("a", 1.9, "1/s").at_least(2.0)),
            Some(false)
        );
        assert_eq!(reached(Figure::new("a", 1.9, "1/s")), None);
    }
}

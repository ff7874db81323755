//! Syntax checked against the schema: every name found, every literal of its field's type.

use std::sync::Arc;

use super::{
    error_at,
    operand::{Operand, is_id, is_text, type_name},
    syntax::{Condition, Name, Operator, Path, Query, Select},
};
use crate::salesforce::{
    error::Error,
    schema::{Child, Kind, Object, object},
};

/// Longest chain of parents.
const HOP_COUNT_MAX: usize = 5;
/// Most rows `OFFSET` may skip.
const OFFSET_MAX: usize = 2000;

/// A query ready to run.
#[derive(Debug)]
pub(in crate::salesforce) struct Plan {
    pub(in crate::salesforce) object: &'static Object,
    pub(super) columns: Vec<Column>,
    pub(in crate::salesforce) count: Option<Count>,
    pub(in crate::salesforce) filter: Option<Filter>,
    pub(in crate::salesforce) semi_joins: Vec<(Plan, Reach)>,
    pub(super) order: Vec<(Reach, bool, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) all_rows: bool,
}

/// What is counted instead of listed.
#[derive(Debug)]
pub(in crate::salesforce) enum Count {
    Rows,
    NotNull(Reach),
}

/// One thing a row shows.
#[derive(Debug)]
pub(super) enum Column {
    Field(usize),
    Parent {
        field: usize,
        name: &'static str,
        object: &'static Object,
        columns: Vec<Column>,
    },
    Children {
        child: &'static Child,
        field: usize,
        plan: Arc<Plan>,
    },
}

/// A field of the row or of one of its parents.
#[derive(Clone, Debug)]
pub(in crate::salesforce) struct Reach {
    pub(super) hops: Vec<(usize, &'static Object)>,
    pub(super) object: &'static Object,
    pub(super) field: usize,
}

/// A condition on a row.
#[derive(Debug)]
pub(in crate::salesforce) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        reach: Reach,
        operator: Operator,
        operand: Operand,
    },
    In {
        reach: Reach,
        negated: bool,
        operands: Vec<Operand>,
    },
    InRows {
        reach: Reach,
        negated: bool,
        semi_join: usize,
    },
}

/// Checks a query.
pub(super) fn plan(text: &str, query: &Query) -> Result<Plan, Error> {
    let object = object(&query.from.text).ok_or_else(|| {
        let message = format!(
            "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to \
             append the '__c' after the entity name. Please reference your WSDL or the describe call for \
             the appropriate names.",
            query.from.text
        );
        error_at("INVALID_TYPE", text, query.from.at, &message)
    })?;
    plan_on(text, query, object, true)
}

fn plan_on(
    text: &str,
    query: &Query,
    object: &'static Object,
    is_outer: bool,
) -> Result<Plan, Error> {
    let mut planner = Planner {
        text,
        object,
        query,
        semi_joins: Vec::new(),
        is_outer,
    };
    let mut columns = Vec::new();
    let mut count = None;
    for select in &query.select {
        match select {
            Select::Path(path) => planner.select(&mut columns, path)?,
            Select::Count(of) if query.select.len() == 1 => {
                count = Some(match of {
                    None => Count::Rows,
                    Some(path) => Count::NotNull(planner.reach(path)?),
                });
            }
            Select::Count(_) => {
                let message = "COUNT stands alone: the sandbox does not group rows";
                return Err(planner.error("MALFORMED_QUERY", &query.from, message));
            }
            Select::Fields(which) => planner.select_fields(&mut columns, which)?,
            Select::Children(inner) => columns.push(planner.children(inner)?),
        }
    }
    let filter = query
        .condition
        .as_ref()
        .map(|c| planner.filter(c))
        .transpose()?;
    let mut order = Vec::new();
    for item in &query.order {
        let reach = planner.reach(&item.path)?;
        planner.check_usable(&item.path, &reach, "sorted")?;
        order.push((reach, item.descending, item.nulls_last));
    }
    if query.offset > OFFSET_MAX {
        return Err(Error::bad(
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ));
    }
    Ok(Plan {
        object,
        columns,
        count,
        filter,
        semi_joins: planner.semi_joins,
        order,
        limit: query.limit,
        offset: query.offset,
        all_rows: query.all_rows,
    })
}

pub(super) struct Planner<'a> {
    text: &'a str,
    object: &'static Object,
    query: &'a Query,
    semi_joins: Vec<(Plan, Reach)>,
    is_outer: bool,
}

impl Planner<'_> {
    /// Adds a column; fields of one parent share one object.
    fn select(&self, columns: &mut Vec<Column>, path: &Path) -> Result<(), Error> {
        let reach = self.reach(path)?;
        let mut columns = columns;
        let mut from = self.object;
        for &(field, object) in &reach.hops {
            let found = columns
                .iter()
                .position(|c| matches!(c, Column::Parent { field: known, .. } if *known == field));
            let place = match found {
                Some(place) => place,
                None => {
                    let Kind::Reference {
                        relationship: name, ..
                    } = from.fields[field].kind
                    else {
                        return Ok(());
                    };
                    columns.push(Column::Parent {
                        field,
                        name,
                        object,
                        columns: Vec::new(),
                    });
                    columns.len() - 1
                }
            };
            let Column::Parent { columns: inner, .. } = &mut columns[place] else {
                return Ok(());
            };
            columns = inner;
            from = object;
        }
        if columns
            .iter()
            .any(|c| matches!(c, Column::Field(known) if *known == reach.field))
        {
            let message = format!(
                "duplicate field selected: {}",
                from.fields[reach.field].name
            );
            return Err(Error::bad("INVALID_FIELD", message));
        }
        columns.push(Column::Field(reach.field));
        Ok(())
    }

    fn select_fields(&self, columns: &mut Vec<Column>, which: &Name) -> Result<(), Error> {
        let keep: fn(&str) -> bool = match which.text.to_ascii_uppercase().as_str() {
            "ALL" => |_| true,
            "STANDARD" => |name| !name.ends_with("__c"),
            "CUSTOM" => |name| name.ends_with("__c"),
            _ => {
                let message = format!("unexpected token: '{}'", which.text);
                return Err(self.error("MALFORMED_QUERY", which, &message));
            }
        };
        let is_bounded = self.query.limit.is_some_and(|limit| limit <= 200);
        if !which.text.eq_ignore_ascii_case("STANDARD") && !is_bounded {
            let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
            return Err(self.error("MALFORMED_QUERY", which, message));
        }
        let fields = self.object.fields.iter().enumerate();
        columns.extend(
            fields
                .filter(|(_, f)| keep(f.name))
                .map(|(i, _)| Column::Field(i)),
        );
        Ok(())
    }

    fn children(&self, inner: &Query) -> Result<Column, Error> {
        if !self.is_outer {
            let message = "the sandbox runs subqueries of one level";
            return Err(self.error("MALFORMED_QUERY", &inner.from, message));
        }
        let child = self.object.child(&inner.from.text);
        let found = child.and_then(|child| {
            let kind = object(child.object)?;
            Some((child, kind, kind.field(child.field)?))
        });
        let Some((child, kind, field)) = found else {
            let message = format!(
                "Didn't understand relationship '{}' in FROM part of query call. If you are attempting to \
                 use a custom relationship, be sure to append the '__r' after the custom relationship \
                 name. Please reference your WSDL or the describe call for the appropriate names.",
                inner.from.text
            );
            return Err(self.error("INVALID_TYPE", &inner.from, &message));
        };
        let plan = Arc::new(plan_on(self.text, inner, kind, false)?);
        Ok(Column::Children { child, field, plan })
    }

    fn reach(&self, path: &Path) -> Result<Reach, Error> {
        let own = |name: &Name| {
            self.query
                .alias
                .as_ref()
                .is_some_and(|alias| alias.eq_ignore_ascii_case(&name.text))
                || name.text.eq_ignore_ascii_case(self.object.name)
        };
        let path = match path.split_first() {
            Some((first, rest))
                if !rest.is_empty() && own(first) && self.object.parent(&first.text).is_none() =>
            {
                rest
            }
            _ => path,
        };
        let Some((last, parents)) = path.split_last() else {
            return Err(self.error("MALFORMED_QUERY", &self.query.from, "a field is missing"));
        };
        if parents.len() > HOP_COUNT_MAX {
            let message = "SOQL relationships may reach up at most 5 levels";
            return Err(self.error("MALFORMED_QUERY", last, message));
        }
        let mut object = self.object;
        let mut hops = Vec::new();
        for parent in parents {
            let Some((field, target)) = object.parent(&parent.text) else {
                let message = format!(
                    "Didn't understand relationship '{}' in field path. If you are attempting to use a \
                     custom relationship, be sure to append the '__r' after the custom relationship name. \
                     Please reference your WSDL or the describe call for the appropriate names.",
                    parent.text
                );
                return Err(self.error("INVALID_FIELD", parent, &message));
            };
            hops.push((field, target));
            object = target;
        }
        let Some(field) = object.field(&last.text) else {
            let message = format!(
                "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure \
                 to append the '__c' after the custom field name. Please reference your WSDL or the \
                 describe call for the appropriate names.",
                last.text, object.name
            );
            return Err(self.error("INVALID_FIELD", last, &message));
        };
        Ok(Reach {
            hops,
            object,
            field,
        })
    }

    fn filter(&mut self, condition: &Condition) -> Result<Filter, Error> {
        Ok(match condition {
            Condition::And(terms) => Filter::And(self.filters(terms)?),
            Condition::Or(terms) => Filter::Or(self.filters(terms)?),
            Condition::Not(term) => Filter::Not(Box::new(self.filter(term)?)),
            Condition::Compare {
                path,
                operator,
                literal,
            } => {
                let reach = self.reach(path)?;
                self.check_usable(path, &reach, "filtered")?;
                if *operator == Operator::Like && !is_text(reach.kind()) {
                    let message = format!("invalid operator on {} field", type_name(reach.kind()));
                    return Err(self.at_path("INVALID_QUERY_FILTER_OPERATOR", path, &message));
                }
                let operand = self.operand(path, &reach, literal)?;
                Filter::Compare {
                    reach,
                    operator: *operator,
                    operand,
                }
            }
            Condition::In {
                path,
                negated,
                literals,
            } => {
                let reach = self.reach(path)?;
                self.check_usable(path, &reach, "filtered")?;
                let operands: Result<Vec<Operand>, Error> = literals
                    .iter()
                    .map(|literal| self.operand(path, &reach, literal))
                    .collect();
                Filter::In {
                    reach,
                    negated: *negated,
                    operands: operands?,
                }
            }
            Condition::InRows {
                path,
                negated,
                query,
            } => {
                let reach = self.reach(path)?;
                let semi_join = self.semi_join(path, query)?;
                Filter::InRows {
                    reach,
                    negated: *negated,
                    semi_join,
                }
            }
        })
    }

    fn filters(&mut self, terms: &[Condition]) -> Result<Vec<Filter>, Error> {
        terms.iter().map(|term| self.filter(term)).collect()
    }

    fn semi_join(&mut self, path: &Path, query: &Query) -> Result<usize, Error> {
        let [Select::Path(selected)] = query.select.as_slice() else {
            let message = "The inner select query must select one field";
            return Err(self.at_path("MALFORMED_QUERY", path, message));
        };
        if !self.is_outer || self.semi_joins.len() == 2 {
            let message = "at most 2 semi join sub-selects are allowed, and none inside another";
            return Err(self.at_path("MALFORMED_QUERY", path, message));
        }
        let inner_object = object(&query.from.text).ok_or_else(|| {
            self.error("INVALID_TYPE", &query.from, "sObject type is not supported")
        })?;
        let plan = plan_on(self.text, query, inner_object, false)?;
        let inner = Planner {
            text: self.text,
            object: inner_object,
            query,
            semi_joins: Vec::new(),
            is_outer: false,
        };
        let reach = inner.reach(selected)?;
        if !is_id(reach.kind()) {
            let message = "The inner select field must be an id or a reference";
            return Err(self.at_path("MALFORMED_QUERY", path, message));
        }
        self.semi_joins.push((plan, reach));
        Ok(self.semi_joins.len() - 1)
    }

    fn check_usable(&self, path: &Path, reach: &Reach, what: &str) -> Result<(), Error> {
        if !matches!(reach.kind(), Kind::LongText(_)) {
            return Ok(());
        }
        let name = reach.object.fields[reach.field].name;
        let message = format!("field '{name}' can not be {what} in a query call");
        Err(self.at_path("INVALID_FIELD", path, &message))
    }

    pub(super) fn at_path(&self, code: &'static str, path: &Path, message: &str) -> Error {
        self.error(code, path.last().unwrap_or(&self.query.from), message)
    }

    fn error(&self, code: &'static str, name: &Name, message: &str) -> Error {
        error_at(code, self.text, name.at, message)
    }
}

impl Reach {
    pub(super) fn kind(&self) -> Kind {
        self.object.fields[self.field].kind
    }
}

//! Plans over the store: which rows, in which order.

use std::{cmp::Ordering, collections::BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    operand::Operand,
    plan::{Count, Filter, Plan, Reach},
    syntax::Operator,
};
use crate::salesforce::{
    id::Id,
    schema::{Kind, audit},
    store::{Store, Table},
    value::Value,
};

/// What a query runs over.
pub(in crate::salesforce) struct Scope<'a> {
    pub(in crate::salesforce) store: &'a Store,
    /// Whether deleted records are seen.
    pub(in crate::salesforce) all_rows: bool,
    pub(in crate::salesforce) now: Timestamp,
}

impl Scope<'_> {
    fn today(&self) -> Date {
        self.now.to_zoned(TimeZone::UTC).date()
    }
}

/// The rows a plan selects, in its order.
pub(in crate::salesforce) fn rows(plan: &Plan, scope: &Scope<'_>) -> Vec<usize> {
    let table = scope.store.table(plan.object);
    let found = candidates(plan, table);
    select(plan, scope, found)
}

/// The rows of a child plan under one parent.
pub(super) fn child_rows(plan: &Plan, scope: &Scope<'_>, field: usize, parent: Id) -> Vec<usize> {
    let table = scope.store.table(plan.object);
    select(plan, scope, table.referring(field, parent).collect())
}

/// How many rows a counting plan counts.
pub(in crate::salesforce) fn count(plan: &Plan, scope: &Scope<'_>) -> usize {
    let rows = rows(plan, scope);
    match &plan.count {
        Some(Count::NotNull(reach)) => rows
            .iter()
            .filter(|&&row| {
                !reach
                    .read(scope.store, scope.store.table(plan.object), row)
                    .is_null()
            })
            .count(),
        _ => rows.len(),
    }
}

/// Whether a row meets a condition that holds no subquery.
pub(in crate::salesforce) fn matches(
    filter: &Filter,
    scope: &Scope<'_>,
    table: &Table,
    row: usize,
) -> bool {
    holds(filter, scope, table, row, &[])
}

fn select(plan: &Plan, scope: &Scope<'_>, found: Vec<usize>) -> Vec<usize> {
    let table = scope.store.table(plan.object);
    let all_rows = scope.all_rows || plan.all_rows;
    let joined: Vec<BTreeSet<Id>> = plan
        .semi_joins
        .iter()
        .map(|(inner, reach)| {
            let inner_table = scope.store.table(inner.object);
            let found = rows(inner, scope);
            found
                .iter()
                .filter_map(|&row| reach.read(scope.store, inner_table, row).id())
                .collect()
        })
        .collect();
    let mut found: Vec<usize> = found
        .into_iter()
        .filter(|&row| all_rows || !table.is_deleted(row))
        .filter(|&row| {
            plan.filter
                .as_ref()
                .is_none_or(|filter| holds(filter, scope, table, row, &joined))
        })
        .collect();
    if !plan.order.is_empty() {
        found.sort_by(|&left, &right| order(plan, scope, table, left, right));
    }
    let end = plan
        .limit
        .map_or(found.len(), |limit| plan.offset.saturating_add(limit));
    found.truncate(end);
    found.drain(..plan.offset.min(found.len()));
    found
}

fn order(plan: &Plan, scope: &Scope<'_>, table: &Table, left: usize, right: usize) -> Ordering {
    for (reach, descending, nulls_last) in &plan.order {
        let a = reach.read(scope.store, table, left);
        let b = reach.read(scope.store, table, right);
        let ordering = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if *nulls_last => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, true) if *nulls_last => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) if *descending => b.order(a),
            (false, false) => a.order(b),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    Ordering::Equal
}

/// The rows worth looking at: by an index where the condition allows, in the order they were made.
fn candidates(plan: &Plan, table: &Table) -> Vec<usize> {
    let terms = match &plan.filter {
        Some(Filter::And(terms)) => terms.as_slice(),
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    let indexed = terms
        .iter()
        .filter_map(|term| by_index(term, table))
        .min_by_key(Vec::len);
    match indexed {
        Some(mut rows) => {
            rows.sort_unstable();
            rows.dedup();
            rows
        }
        None => table.rows().collect(),
    }
}

fn by_index(term: &Filter, table: &Table) -> Option<Vec<usize>> {
    let (reach, operator, operands) = match term {
        Filter::Compare {
            reach,
            operator,
            operand,
        } => (reach, *operator, std::slice::from_ref(operand)),
        Filter::In {
            reach,
            negated: false,
            operands,
        } => (reach, Operator::Equal, operands.as_slice()),
        _ => return None,
    };
    if !reach.hops.is_empty() {
        return None;
    }
    let kind = reach.kind();
    let each = |operand: &Operand| -> Option<Vec<usize>> {
        match (operand, operator) {
            (Operand::Value(Value::Id(id)), Operator::Equal) if kind == Kind::Id => {
                Some(table.row(*id).into_iter().collect())
            }
            (Operand::Value(Value::Id(id)), Operator::Equal) => {
                Some(table.referring(reach.field, *id).collect())
            }
            (Operand::Value(Value::Text(key)), Operator::Equal)
                if table.object.fields[reach.field].external_id =>
            {
                Some(table.keyed(reach.field, key).collect())
            }
            (
                Operand::Value(Value::DateTime(time)),
                Operator::Greater | Operator::GreaterOrEqual,
            ) if reach.field == audit::SYSTEM_MODSTAMP => Some(table.touched(*time..).collect()),
            _ => None,
        }
    };
    let found: Option<Vec<Vec<usize>>> = operands.iter().map(each).collect();
    Some(found?.concat())
}

fn holds(
    filter: &Filter,
    scope: &Scope<'_>,
    table: &Table,
    row: usize,
    joined: &[BTreeSet<Id>],
) -> bool {
    match filter {
        Filter::And(terms) => terms
            .iter()
            .all(|term| holds(term, scope, table, row, joined)),
        Filter::Or(terms) => terms
            .iter()
            .any(|term| holds(term, scope, table, row, joined)),
        Filter::Not(term) => !holds(term, scope, table, row, joined),
        Filter::Compare {
            reach,
            operator,
            operand,
        } => {
            let value = reach.read(scope.store, table, row);
            compare(value, *operator, operand, reach.kind(), scope)
        }
        Filter::In {
            reach,
            negated,
            operands,
        } => {
            let value = reach.read(scope.store, table, row);
            let kind = reach.kind();
            let found = operands
                .iter()
                .any(|o| compare(value, Operator::Equal, o, kind, scope));
            found != *negated
        }
        Filter::InRows {
            reach,
            negated,
            semi_join,
        } => {
            let id = reach.read(scope.store, table, row).id();
            let found =
                id.is_some_and(|id| joined.get(*semi_join).is_some_and(|s| s.contains(&id)));
            found != *negated
        }
    }
}

/// Null equals null only; `!=` holds for null against anything else.
fn compare(
    value: &Value,
    operator: Operator,
    operand: &Operand,
    kind: Kind,
    scope: &Scope<'_>,
) -> bool {
    if operator == Operator::Like {
        return match (value, operand) {
            (Value::Text(text), Operand::Value(Value::Text(pattern))) => like(text, pattern),
            _ => false,
        };
    }
    let (first, last) = match operand {
        Operand::Value(value) => (value, value),
        Operand::Days(..) => {
            let (first, last) = operand.bounds(kind, scope.today());
            return within(value, operator, &first, &last);
        }
    };
    within(value, operator, first, last)
}

fn within(value: &Value, operator: Operator, first: &Value, last: &Value) -> bool {
    if value.is_null() || first.is_null() {
        let equal = value.is_null() && first.is_null();
        return match operator {
            Operator::Equal => equal,
            Operator::NotEqual => !equal,
            _ => false,
        };
    }
    let inside = value.order(first).is_ge() && value.order(last).is_le();
    match operator {
        Operator::Equal => inside,
        Operator::NotEqual => !inside,
        Operator::Less => value.order(first).is_lt(),
        Operator::LessOrEqual => value.order(last).is_le(),
        Operator::Greater => value.order(last).is_gt(),
        Operator::GreaterOrEqual => value.order(first).is_ge(),
        Operator::Like => false,
    }
}

/// `%` is any text, `_` any character, a backslash takes either's meaning away; case does not count.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut tokens: Vec<Option<char>> = Vec::new();
    let mut stars: Vec<bool> = Vec::new();
    let mut chars = pattern.chars().flat_map(char::to_lowercase);
    while let Some(c) = chars.next() {
        let (token, star) = match c {
            '%' => (None, true),
            '_' => (None, false),
            '\\' => (chars.next(), false),
            other => (Some(other), false),
        };
        tokens.push(token);
        stars.push(star);
    }
    // Greedy with one place to come back to: never worse than text times pattern.
    let (mut at, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        if p < tokens.len() && stars[p] {
            back = Some((p, at));
            p += 1;
        } else if p < tokens.len() && tokens[p].is_none_or(|c| c == text[at]) {
            p += 1;
            at += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            p = star + 1;
            at = from + 1;
        } else {
            return false;
        }
    }
    stars[p..].iter().all(|star| *star)
}

impl Reach {
    /// The value as seen from a row; null where a parent is missing.
    pub(super) fn read<'a>(&self, store: &'a Store, table: &'a Table, row: usize) -> &'a Value {
        let (mut table, mut row) = (table, row);
        for &(field, object) in &self.hops {
            let parent = store.table(object);
            match table.get(row, field).id().and_then(|id| parent.row(id)) {
                Some(found) => (table, row) = (parent, found),
                None => return &Value::Null,
            }
        }
        table.get(row, self.field)
    }
}

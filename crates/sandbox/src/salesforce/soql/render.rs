//! Rows as REST shows them.

use std::sync::Arc;

use super::{
    plan::{Column, Plan},
    run::{Scope, child_rows},
};
use crate::salesforce::{schema::Object, value::write_json_text};

/// How long a page is, and the cursors that showing rows has opened.
pub(in crate::salesforce) struct Pages {
    /// `v66.0`.
    pub(in crate::salesforce) version: String,
    pub(in crate::salesforce) row_count_max: usize,
    /// Rows of subqueries that did not fit, with the name a follow-up request gives.
    pub(in crate::salesforce) opened: Vec<(Arc<Plan>, Vec<usize>)>,
    /// Names the `n`th of `opened`.
    pub(in crate::salesforce) name: Box<dyn Fn(usize) -> String>,
}

/// Appends one row.
pub(in crate::salesforce) fn render(
    plan: &Plan,
    scope: &Scope<'_>,
    row: usize,
    pages: &mut Pages,
    out: &mut String,
) {
    show(plan.object, &plan.columns, scope, row, pages, out);
}

fn show(
    kind: &'static Object,
    columns: &[Column],
    scope: &Scope<'_>,
    row: usize,
    pages: &mut Pages,
    out: &mut String,
) {
    let table = scope.store.table(kind);
    let id = table.id(row);
    out.push_str("{\"attributes\":{\"type\":\"");
    out.push_str(kind.name);
    out.push_str("\",\"url\":\"/services/data/");
    out.push_str(&pages.version);
    out.push_str("/sobjects/");
    out.push_str(kind.name);
    out.push('/');
    if let Some(id) = id {
        out.push_str(&id.to_string());
    }
    out.push_str("\"}");
    for column in columns {
        out.push(',');
        match column {
            Column::Field(field) => {
                write_json_text(kind.fields[*field].name, out);
                out.push(':');
                table.get(row, *field).write_json(out);
            }
            Column::Parent {
                field,
                name,
                object: parent,
                columns,
            } => {
                write_json_text(name, out);
                out.push(':');
                let parent_row = table
                    .get(row, *field)
                    .id()
                    .and_then(|id| scope.store.table(parent).row(id));
                match parent_row {
                    Some(found) => show(parent, columns, scope, found, pages, out),
                    None => out.push_str("null"),
                }
            }
            Column::Children { child, field, plan } => {
                write_json_text(child.relationship, out);
                out.push(':');
                match id {
                    Some(id) => {
                        children(plan, scope, child_rows(plan, scope, *field, id), pages, out)
                    }
                    None => out.push_str("null"),
                }
            }
        }
    }
    out.push('}');
}

/// A subquery without rows is null, not an empty list.
fn children(
    plan: &Arc<Plan>,
    scope: &Scope<'_>,
    mut rows: Vec<usize>,
    pages: &mut Pages,
    out: &mut String,
) {
    if rows.is_empty() {
        out.push_str("null");
        return;
    }
    let total = rows.len();
    let rest = if total > pages.row_count_max {
        rows.split_off(pages.row_count_max)
    } else {
        Vec::new()
    };
    out.push_str(&format!(
        "{{\"totalSize\":{total},\"done\":{}",
        rest.is_empty()
    ));
    if !rest.is_empty() {
        let name = (pages.name)(pages.opened.len());
        let url = format!(
            "/services/data/{}/query/{name}-{}",
            pages.version,
            rows.len()
        );
        out.push_str(",\"nextRecordsUrl\":");
        write_json_text(&url, out);
        let mut whole = rows.clone();
        whole.extend(rest);
        pages.opened.push((Arc::clone(plan), whole));
    }
    out.push_str(",\"records\":[");
    for (index, row) in rows.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        render(plan, scope, row, pages, out);
    }
    out.push_str("]}");
}

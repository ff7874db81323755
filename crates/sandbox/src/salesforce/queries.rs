//! Queries page by page, with cursors that end.

use std::{collections::BTreeMap, sync::Arc};

use http::{Method, StatusCode};
use jiff::Timestamp;

use super::{
    Salesforce,
    error::{Error, json_answer},
    id::Id,
    rest::{Call, Outcome},
    soql::{self, Pages, Plan, Scope},
    value::write_json_text,
};

/// Smallest page a client may ask for; fewer is taken as this.
const PAGE_ROW_COUNT_MIN: usize = 200;

/// Query results that did not fit one page.
#[derive(Default)]
pub(super) struct Cursors {
    open: BTreeMap<Id, Cursor>,
}

struct Cursor {
    plan: Arc<Plan>,
    rows: Vec<usize>,
    all_rows: bool,
    opened: Timestamp,
    page_row_count: usize,
}

impl Salesforce {
    /// `GET /query?q=` and `/queryAll?q=`.
    pub(super) fn query(&mut self, call: &Call<'_>, all_rows: bool) -> Outcome {
        if call.method != Method::GET {
            return call.refuse_method("GET,HEAD");
        }
        let text = call.parameter("q").unwrap_or_default();
        let plan = Arc::new(soql::plan(text)?);
        let scope = Scope {
            store: &self.store,
            all_rows,
            now: call.now,
        };
        if plan.count.is_some() {
            let count = soql::count(&plan, &scope);
            let body = format!("{{\"totalSize\":{count},\"done\":true,\"records\":[]}}");
            return Ok(json_answer(StatusCode::OK, body));
        }
        let rows = soql::rows(&plan, &scope);
        let page_row_count = self.page_row_count(call);
        let cursor = Cursor {
            plan,
            rows,
            all_rows,
            opened: call.now,
            page_row_count,
        };
        let body = self.page(call, None, &cursor, 0);
        // A name is taken only if a second page is wanted.
        Ok(json_answer(StatusCode::OK, body))
    }

    /// `GET /query/<cursor>-<row>`.
    pub(super) fn next_page(&mut self, call: &Call<'_>, locator: &str) -> Outcome {
        let bad = || Error::bad("INVALID_QUERY_LOCATOR", "invalid query locator");
        if call.method != Method::GET {
            return call.refuse_method("GET,HEAD");
        }
        let (name, from) = locator.rsplit_once('-').ok_or_else(bad)?;
        let id = Id::parse(name).ok_or_else(bad)?;
        let from: usize = from.parse().map_err(|_| bad())?;
        let cursor = self.cursors.open.remove(&id).ok_or_else(bad)?;
        let age = call.now.duration_since(cursor.opened);
        if age.unsigned_abs() > self.settings.cursor_lifetime || from > cursor.rows.len() {
            return Err(bad());
        }
        let body = self.page(call, Some(id), &cursor, from);
        // Any page may be asked for again until the cursor ends.
        self.cursors.open.insert(id, cursor);
        Ok(json_answer(StatusCode::OK, body))
    }

    /// One page from a row on, naming the next; opens a cursor if it needs one and has none.
    fn page(&mut self, call: &Call<'_>, id: Option<Id>, cursor: &Cursor, from: usize) -> String {
        let end = (from + cursor.page_row_count).min(cursor.rows.len());
        let done = end == cursor.rows.len();
        let mut numbers = self.numbers.clone();
        let mut next_name = || numbers.next("01g");
        let id = if done {
            id
        } else {
            Some(id.unwrap_or_else(&mut next_name))
        };
        let first_inner = numbers.clone();
        let mut pages = Pages {
            version: call.version.clone(),
            row_count_max: cursor.page_row_count,
            opened: Vec::new(),
            name: Box::new(move |index| {
                let mut numbers = first_inner.clone();
                let mut name = numbers.next("01g");
                for _ in 0..index {
                    name = numbers.next("01g");
                }
                name.to_string()
            }),
        };
        let mut out = format!("{{\"totalSize\":{},\"done\":{done}", cursor.rows.len());
        if let Some(id) = id.filter(|_| !done) {
            out.push_str(",\"nextRecordsUrl\":");
            write_json_text(
                &format!("/services/data/{}/query/{id}-{end}", call.version),
                &mut out,
            );
        }
        out.push_str(",\"records\":[");
        let scope = Scope {
            store: &self.store,
            all_rows: cursor.all_rows,
            now: call.now,
        };
        for (index, &row) in cursor.rows[from..end].iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            soql::render(&cursor.plan, &scope, row, &mut pages, &mut out);
        }
        out.push_str("]}");
        let opened = std::mem::take(&mut pages.opened);
        drop(pages);
        self.keep(call, id.filter(|_| !done), cursor, opened, numbers);
        out
    }

    fn keep(
        &mut self,
        call: &Call<'_>,
        id: Option<Id>,
        cursor: &Cursor,
        inner: Vec<(Arc<Plan>, Vec<usize>)>,
        numbers: super::id::Numbers,
    ) {
        let cursor_of = |plan: &Arc<Plan>, rows: Vec<usize>| Cursor {
            plan: Arc::clone(plan),
            rows,
            all_rows: cursor.all_rows,
            opened: call.now,
            page_row_count: cursor.page_row_count,
        };
        self.numbers = numbers;
        for (plan, rows) in inner {
            let name = self.numbers.next("01g");
            self.cursors.open.insert(name, cursor_of(&plan, rows));
        }
        if let Some(id) = id {
            self.cursors
                .open
                .insert(id, cursor_of(&cursor.plan, cursor.rows.clone()));
        }
        while self.cursors.open.len() > self.settings.cursor_count_max {
            // Names rise, so the first is the oldest.
            self.cursors.open.pop_first();
        }
    }

    /// What the client asks for within bounds, and never more than the organization's own maximum.
    fn page_row_count(&self, call: &Call<'_>) -> usize {
        let options = call.request.headers().get("Sforce-Query-Options");
        let asked = options
            .and_then(|value| value.to_str().ok())
            .into_iter()
            .flat_map(|value| value.split(','))
            .filter_map(|option| option.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("batchSize"))
            .and_then(|(_, size)| size.trim().parse::<usize>().ok());
        let asked = asked.map_or(2000, |size| size.clamp(PAGE_ROW_COUNT_MIN, 2000));
        asked.min(self.settings.page_row_count_max).max(1)
    }
}

//! Answers as text for people: aligned, cut to the terminal, and harmless to it.

use std::io::Write;

use console::{Style, Term};
use serde_json::Value as Json;

/// Where the lines go to no terminal.
const WIDTH_MAX: usize = 200;

/// How something is to be looked at. Plain where the lines go to no terminal, and with `NO_COLOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::commands) enum Paint {
    #[default]
    Plain,
    Title,
    Good,
    Attention,
    Bad,
    Faint,
}

/// Rows under a head, each column as wide as it needs; the last one is cut at the terminal's edge.
pub(in crate::commands) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<(Paint, String)>>,
}

impl Table {
    pub(in crate::commands) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(in crate::commands) fn row(&mut self, cells: impl IntoIterator<Item = (Paint, String)>) {
        let cells = cells.into_iter();
        self.rows
            .push(cells.map(|(paint, text)| (paint, plain(&text))).collect());
    }

    pub(in crate::commands) fn print(&self) {
        for line in self.lines(width()) {
            print(&line);
        }
    }

    fn lines(&self, width: usize) -> Vec<String> {
        let head = self.head.iter();
        let head: Vec<_> = head
            .map(|name| (Paint::Faint, (*name).to_owned()))
            .collect();
        let rows: Vec<_> = std::iter::once(&head).chain(&self.rows).collect();
        let wide = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|(_, text)| console::measure_text_width(text))
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(wide).collect();
        let line = |row: &&Vec<(Paint, String)>| {
            let mut line = String::new();
            for (column, (paint, text)) in row.iter().enumerate() {
                let last = column + 1 == row.len();
                let fill = widths.get(column).map_or(0, |width| {
                    width.saturating_sub(console::measure_text_width(text))
                });
                line += &paint.style().apply_to(text).to_string();
                if !last {
                    line += &" ".repeat(fill + 2);
                }
            }
            console::truncate_str(line.trim_end(), width, "…").into_owned()
        };
        rows.iter().map(line).collect()
    }
}

/// Names and values, the values under one another.
pub(in crate::commands) fn pairs(pairs: &[(&str, String)]) {
    let wide = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let name = Paint::Faint.style().apply_to(format!("{name:<wide$}"));
        print(&format!("{name}  {}", plain(value)));
    }
}

/// A line. Nobody may be reading any more.
pub(in crate::commands) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

pub(in crate::commands) fn print_json(value: &Json) {
    print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A time as people read it, to the second: `2026-11-22 19:53:21Z`. Anything else as it is.
pub(in crate::commands) fn time(value: &Json) -> String {
    let text = value.as_str().unwrap_or_default();
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// What others wrote, without what would make a terminal do things.
pub(in crate::commands) fn plain(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    text.chars().filter(|letter| !letter.is_control()).collect()
}

impl Paint {
    pub(in crate::commands) fn style(self) -> Style {
        let style = Style::new().for_stdout();
        match self {
            Self::Plain => style,
            Self::Title => style.bold(),
            Self::Good => style.green(),
            Self::Attention => style.yellow(),
            Self::Bad => style.red(),
            Self::Faint => style.dim(),
        }
    }
}

fn width() -> usize {
    let term = Term::stdout();
    let width = term.size_checked().map(|(_, columns)| usize::from(columns));
    width.filter(|_| term.is_term()).unwrap_or(WIDTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_one_another_and_no_cell_moves_the_terminal() {
        let mut table = Table::new(&["code", "count"]);
        table.row([
            (Paint::Bad, "MAPPING_FIELDS".into()),
            (Paint::Plain, "3".into()),
        ]);
        table.row([
            (Paint::Bad, "Ü\u{1b}[2J\nX".into()),
            (Paint::Plain, "12".into()),
        ]);
        let lines: Vec<String> = table
            .lines(18)
            .iter()
            .map(|line| console::strip_ansi_codes(line).into_owned())
            .collect();
        assert_eq!(
            lines,
            [
                "code            c…",
                "MAPPING_FIELDS  3",
                "Ü[2J X          12"
            ]
        );
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(
            time(&"2026-11-22T19:53:21.5Z".into()),
            "2026-11-22 19:53:21Z"
        );
        assert_eq!(time(&Json::Null), "");
    }
}

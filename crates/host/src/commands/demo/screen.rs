//! What people see: a line for each thing that happens, a bar for the day, and the summary.

use std::io::Write;

use console::{Style, Term};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::clock::Moment;
use super::summary::Summary;

/// Narrower terminals wrap.
const SUBJECT_WIDTH: usize = 26;
const WIDTH_MAX: usize = 200;

/// The screen. With `--json`, standard output is left to the summary and all else goes to standard error.
pub(super) struct Screen {
    json: bool,
    bar: ProgressBar,
}

/// One thing that happened.
pub(super) struct Line {
    /// A word or two.
    pub what: &'static str,
    pub subject: String,
    pub detail: String,
    pub colour: Colour,
}

/// Whose doing it is, or how bad.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Source,
    Target,
    Attention,
    Bad,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        // Until the day begins there is nothing to show.
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{bar:24.cyan/blue} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { json, bar }
    }

    /// A step of the whole.
    pub(super) fn title(&self, text: &str) {
        self.print(&self.style().bold().apply_to(text).to_string());
    }

    /// A remark.
    pub(super) fn note(&self, text: &str) {
        self.print(text);
    }

    /// What to look at while it runs and after.
    pub(super) fn addresses(&self, addresses: &[(&str, String)]) {
        for (name, address) in addresses {
            self.print(&format!("  {name:<14} {address}"));
        }
        self.print("");
    }

    /// Something that happened at this time of the day.
    pub(super) fn line(&self, moment: Moment, line: &Line) {
        let style = match line.colour {
            Colour::Source => self.style().cyan(),
            Colour::Target => self.style().green(),
            Colour::Attention => self.style().yellow(),
            Colour::Bad => self.style().red(),
        };
        let what = style.apply_to(format!("{:<11}", line.what));
        let subject = match line.detail.is_empty() {
            true => line.subject.clone(),
            false => fit(&line.subject, SUBJECT_WIDTH),
        };
        let text = format!("{moment}  {what}  {subject}  {}", line.detail);
        self.print(&console::truncate_str(text.trim_end(), self.width(), "…"));
    }

    /// How far the day, or the wait after it, is: parts of it done, and what else is worth knowing.
    pub(super) fn progress(&self, done: usize, total: usize, moment: Moment, message: &str) {
        if self.bar.length().is_none() {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("{moment}  {message}"));
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The end of the day.
    pub(super) fn summary(&self, summary: &Summary) {
        if self.json {
            let text = serde_json::to_string_pretty(summary).unwrap_or_default();
            // Nobody may be reading any more.
            let _ = writeln!(std::io::stdout(), "{text}");
            return;
        }
        self.print("");
        let (bad, good) = (self.style().red().bold(), self.style().green().bold());
        for line in summary.lines() {
            self.print(&line);
        }
        self.print("");
        for difference in &summary.differences {
            self.print(&format!("  {} {difference}", bad.apply_to("differs:")));
        }
        match summary.differences.len() {
            0 => self.print(
                &good
                    .apply_to("Salesforce, Amazon and NetSuite agree, to the cent.")
                    .to_string(),
            ),
            count => {
                let text = format!("The systems differ in {count} places.");
                self.print(&bad.apply_to(text).to_string());
            }
        }
    }

    fn print(&self, text: &str) {
        self.bar.suspend(|| {
            // Nobody may be reading any more.
            let _ = match self.json {
                true => writeln!(std::io::stderr(), "{text}"),
                false => writeln!(std::io::stdout(), "{text}"),
            };
        });
    }

    /// Plain where the lines go to no terminal, and with `NO_COLOR`.
    fn style(&self) -> Style {
        match self.json {
            true => Style::new().for_stderr(),
            false => Style::new().for_stdout(),
        }
    }

    fn width(&self) -> usize {
        let term = match self.json {
            true => Term::stderr(),
            false => Term::stdout(),
        };
        let width = term.size_checked().map(|(_, columns)| usize::from(columns));
        width.filter(|_| term.is_term()).unwrap_or(WIDTH_MAX)
    }
}

/// Cut or filled to the width, as the terminal counts it.
fn fit(text: &str, width: usize) -> String {
    console::pad_str(text, width, console::Alignment::Left, Some("…")).into_owned()
}

//! Mappings as their readers see them: a file, a body, and what comes out.

mod alternatives;
mod amazon;
mod cases;
mod check;
mod choices;
mod conditions;
mod conversions;
mod files;
mod flow;
mod hostile;
mod lines;
mod lists;
mod picks;
mod references;
mod times;
mod totals;

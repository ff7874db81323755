//! Mappings as their readers see them: a file, a body, and what comes out.

mod cases;
mod check;
mod conditions;
mod conversions;
mod files;
mod flow;
mod hostile;
mod lines;
mod lists;
mod references;
mod times;

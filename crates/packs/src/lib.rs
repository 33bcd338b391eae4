//! Content files: items, procedures, decision tables and their worked examples.

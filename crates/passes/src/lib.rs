//! The pass code: codes, colour rules, scans and visits.

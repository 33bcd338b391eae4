//! Ids, codes, working days, legal clocks, time and actors: pure, no I/O.

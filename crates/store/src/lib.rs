//! The ledger: transactions, dialect, migrations, jobs, outbox, audit and blobs.

//! E-licences: types, issue, presentation, verification and revocation.

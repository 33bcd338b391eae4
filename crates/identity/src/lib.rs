//! People, organisations, posts, sign-in, sessions, delegations and authorisation.

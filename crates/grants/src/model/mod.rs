//! What a grant is: its terms, its states, the grant itself. Pure.

pub mod grant;
pub mod state;
pub mod terms;

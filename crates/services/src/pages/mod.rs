//! Pages of the one-stop service.

mod catalogue;

pub(crate) use catalogue::{check_page, check_post, guide_page, home, items_page, search_page};

//! Pure types: what is asked, what was answered, what follows from it.

pub(crate) mod address;
mod answers;
pub(crate) mod input;
mod materials;
mod names;
mod run;
mod slots;

pub use answers::{Answers, AttachedFile, Own, Prefilled};
pub use input::Asked;
pub use materials::{MaterialState, Met, Supplied, materials_of};
pub use names::{NameError, TradeName};
pub use run::{FieldState, PageState, Run};
pub use slots::{SlotPlan, slot_plan};

//! A case: what is fixed when it opens, what happened to it, and what it has become.
//!
//! Events are the only truth. [`Case`] is folded from them; every transition is a method of it that answers
//! with the events to append, or with the reason why the law or the procedure does not allow it.

mod case;
mod clocks;
mod end;
mod error;
mod event;
mod intake;
pub mod national;
mod payload;
mod rating;
mod steps;
mod terms;
mod work;

pub use case::{
    Answered, Assignee, Case, Child, Correction, Decision, Delivered, OpenPause, Stage, Status, StepDone,
};
pub use clocks::{Agenda, ClockReading, Clocks, Watch, clock_event, clock_events};
pub use end::Outcome;
pub use error::CaseError;
pub(crate) use event::EVENT_VERSION;
pub use event::{
    Automatic, CaseEvent, CaseEventKind, ChildReason, ClockName, EventActor, Opened, Parent, Point, Reason,
};
pub use packs::model::Words;
pub use payload::{Material, MetBy, Payload, Row, Section, Source, Text};
pub use rating::{Grade, Moment, Rating};
pub use steps::WorkStep;
pub use terms::{ExtensionTerm, Terms, TermsError};
pub(crate) use work::required_text;

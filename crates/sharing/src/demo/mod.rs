//! The data of the demonstration: a made-up Dali (大理白族自治州).
//!
//! Nobody in it lives and no firm in it trades. The codes are valid: divisions are the real ones, citizen numbers and
//! credit codes have their check characters, credit codes come from a range that nobody issues, and telephone numbers
//! begin as those of no network do. What refers to somebody refers to somebody who is there, so the resources join. The
//! people who sign in to the demonstration ([`identity::demo`]) are among them.
//!
//! The same rows come on every machine, and any amount of them in the memory of one part ([`Scale`]). Errors are planted
//! among them, and [`planted`] lists each.

mod draw;
mod files;
mod firms;
mod model;
mod names;
mod people;
mod places;
mod planted;
mod registers;
mod round;

use jiff::civil::{Date, date};
use lake::{Batch, LakeError, Schema};

pub use files::{Reject, RejectReason, faulty_permits, write_csv};
pub use model::{Bilingual, Cell, DemoColumn, Grade, Row, UpdateCycle};
pub use planted::{ErrorKind, Planted};
pub use registers::{DemoResource, resources};

use round::Round;

/// The day of the data.
pub const AS_OF: Date = date(2026, 10, 31);

/// The most that can be made: about a gigabyte.
pub const MOST: u32 = 1_000;

/// How much is made, in megabytes of CSV over all resources, about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u32);

impl Scale {
    /// So many megabytes, from 1 to [`MOST`].
    #[must_use]
    pub fn megabytes(megabytes: u32) -> Option<Self> {
        (1..=MOST).contains(&megabytes).then_some(Self(megabytes))
    }

    fn rounds(self) -> u64 {
        u64::from(self.0)
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self(1)
    }
}

/// Why the data of the demonstration could not be made: a fault of the code, which its tests look for.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A citizen number.
    #[error("a citizen number could not be made")]
    CitizenId(#[from] kernel::citizen_id::CitizenIdError),
    /// A credit code.
    #[error("a credit code could not be made")]
    Uscc(#[from] kernel::uscc::UsccError),
    /// A division.
    #[error("a division is unknown")]
    Division(#[from] kernel::division::DivisionCodeError),
    /// The people who sign in.
    #[error("the people who sign in could not be made")]
    People(#[from] identity::demo::SeedError),
    /// The lake refused the rows or the columns.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// No row fits an error that is to be planted.
    #[error("no row of `{0}` fits an error that is to be planted")]
    NowhereToPlant(&'static str),
    /// A row does not have the cells that its columns ask for.
    #[error("a row of `{0}` does not fit its columns")]
    Row(&'static str),
    /// The file could not be written.
    #[error("the file could not be written")]
    Write(#[from] std::io::Error),
}

impl DemoResource {
    /// Its columns as the lake has them.
    pub fn schema(&self) -> Result<Schema, DemoError> {
        Ok(Schema::new(self.columns.iter().map(|column| column.column.clone()).collect())?)
    }

    /// Its rows, part by part; each part is made when it is asked for.
    pub fn rows(&self, scale: Scale) -> impl Iterator<Item = Result<Vec<Row>, DemoError>> {
        (0..scale.rounds()).map(move |number| Ok(self.part(number, scale)?.0))
    }

    /// Its rows as the lake takes them, part by part; each part is made when it is asked for.
    pub fn batches(&self, scale: Scale) -> Result<impl Iterator<Item = Result<Batch, DemoError>>, DemoError> {
        let schema = self.schema()?;
        Ok(self.rows(scale).map(move |rows| {
            let columns = model::columns(&self.columns, rows?).ok_or(DemoError::Row(self.id))?;
            Ok(Batch::new(&schema, columns)?)
        }))
    }

    fn part(&self, number: u64, scale: Scale) -> Result<(Vec<Row>, Vec<Planted>), DemoError> {
        let round = Round::make(number, scale)?;
        let mut rows = (self.make)(&round);
        let planted = match number {
            0 => planted::plant(self, &round, &mut rows)?,
            _ => Vec::new(),
        };
        Ok((rows, planted))
    }
}

/// Every error that is in the data on purpose; the same at any scale but for samples of water, whose times depend on it.
pub fn planted(scale: Scale) -> Result<Vec<Planted>, DemoError> {
    let mut all = Vec::new();
    for resource in resources() {
        all.extend(resource.part(0, scale)?.1);
    }
    Ok(all)
}

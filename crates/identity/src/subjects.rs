//! A person or a firm, as others are shown them.

use kernel::ids::SubjectId;
use store::{Reads, StoreError};

use crate::people::masked_name;
use crate::{firms, people};

/// How a subject is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectDisplay {
    /// The full name.
    pub name: String,
    /// The name with most of it hidden.
    pub masked_name: String,
    /// Citizen number or credit code.
    pub code: String,
    /// The number with its middle hidden.
    pub masked_code: String,
    /// What it is.
    pub kind: SubjectKind,
}

/// A person or a firm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// 自然人.
    Person,
    /// 经营主体.
    Firm,
}

/// How `subject` is shown; none when there is no such person or firm.
pub async fn display(db: &impl Reads, subject: SubjectId) -> Result<Option<SubjectDisplay>, StoreError> {
    if let Some(person) = people::get(db, subject).await? {
        return Ok(Some(SubjectDisplay {
            masked_name: person.masked_name(),
            masked_code: masked_code(&person.record.citizen_id, 6, 4),
            name: person.record.name,
            code: person.record.citizen_id,
            kind: SubjectKind::Person,
        }));
    }
    Ok(firms::get(db, subject).await?.map(|firm| SubjectDisplay {
        masked_name: masked_name(&firm.record.name),
        masked_code: masked_code(&firm.record.uscc, 8, 4),
        name: firm.record.name,
        code: firm.record.uscc,
        kind: SubjectKind::Firm,
    }))
}

/// Keeps the first `head` and the last `tail` characters.
pub fn masked_code(code: &str, head: usize, tail: usize) -> String {
    let length = code.chars().count();
    code.chars()
        .enumerate()
        .map(|(at, letter)| if at < head || at + tail >= length { letter } else { '*' })
        .collect()
}

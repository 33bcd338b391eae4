//! People as the registers know them: one encrypted record each, found by a blind index of their number.

use std::collections::BTreeSet;

use crypto::field::{FieldCipher, FieldContext};
use kernel::citizen_id::{CitizenId, Sex};
use kernel::division::Divisions;
use kernel::ids::SubjectId;
use kernel::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Reads, StoreError, Tx, params};

/// Whether the marriage register knows a spouse: the answer, never the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaritalStatus {
    /// No spouse.
    Single,
    /// A spouse.
    Married,
    /// Was married.
    Divorced,
    /// The spouse died.
    Widowed,
}

/// What the registers say of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// 姓名.
    pub name: String,
    /// 公民身份号码.
    pub citizen_id: String,
    /// Real-name phone number.
    pub phone: String,
    /// 常住地址.
    pub address: String,
    /// 户籍地址.
    pub household_address: String,
    /// 户籍地区划, such as `532901`.
    pub household_division: String,
    /// Whether the population register counts them among the living.
    pub alive: bool,
    /// What the marriage register says, if it was asked.
    pub marital_status: Option<MaritalStatus>,
    /// 社保卡银行账号, if there is one.
    pub bank_account: Option<String>,
    /// When each source was last asked, by its id in the share catalogue.
    pub as_of: Vec<(String, Timestamp)>,
}

impl PersonRecord {
    /// Somebody of whom no register was asked yet.
    pub fn known_by_number(name: &str, citizen_id: &str) -> Self {
        Self {
            name: name.to_owned(),
            citizen_id: citizen_id.to_owned(),
            phone: String::new(),
            address: String::new(),
            household_address: String::new(),
            household_division: String::new(),
            alive: true,
            marital_status: None,
            bank_account: None,
            as_of: Vec::new(),
        }
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub subject: SubjectId,
    /// What the registers say.
    pub record: PersonRecord,
    /// Date of birth, read off the number.
    pub birth: Date,
    /// Sex, read off the number.
    pub sex: Sex,
    /// Whether this is a made-up person of a demonstration.
    pub synthetic: bool,
}

impl Person {
    /// 姓名.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The name with everything but the surname hidden: 段××.
    pub fn masked_name(&self) -> String {
        masked_name(&self.record.name)
    }

    /// Age in full years on a day in China.
    pub fn age_on(&self, day: Date) -> u32 {
        let years = i32::from(day.year()) - i32::from(self.birth.year());
        let had_birthday = (day.month(), day.day()) >= (self.birth.month(), self.birth.day());
        u32::try_from(years - i32::from(!had_birthday)).unwrap_or(0)
    }

    /// When `source` of the share catalogue was last asked.
    pub fn as_of(&self, source: &str) -> Option<Timestamp> {
        self.record.as_of.iter().find(|(id, _)| id == source).map(|(_, at)| *at)
    }
}

/// A name with everything but its first letter hidden.
pub fn masked_name(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(String::from).unwrap_or_default();
    first + &letters.map(|_| '×').collect::<String>()
}

/// Why a person was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The number is wrong.
    #[error("the citizen number is not valid")]
    CitizenId(#[from] kernel::citizen_id::CitizenIdError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

store::row! {
    struct PersonRow { subject_id: SubjectId, record: Vec<u8>, synthetic: bool }
}

/// Takes a person in. A number that is known already is `StoreError::Taken`.
pub async fn create(tx: &Tx, record: PersonRecord, synthetic: bool) -> Result<SubjectId, PersonError> {
    let store = tx.store();
    let env = store.env();
    let number = CitizenId::parse(&record.citizen_id, env.now().china_date(), Divisions::embedded())?;
    let record = PersonRecord { citizen_id: number.as_str().to_owned(), ..record };
    let subject = SubjectId::generate(&*env.clock, &*env.entropy);
    tx.execute(
        "INSERT INTO identity_person (subject_id, code_index, record, synthetic, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        params![subject, index_of(tx, number.as_str()), seal(tx, subject, &record)?, synthetic, env.now()],
    )
    .await?;
    Ok(subject)
}

/// Replaces what the registers say of a person, for instance after they were asked again.
pub async fn update(tx: &Tx, subject: SubjectId, record: &PersonRecord) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE identity_person SET record = $2, changed_at = $3 WHERE subject_id = $1",
        params![subject, seal(tx, subject, record)?, tx.store().env().now()],
    )
    .await?;
    Ok(())
}

/// The person, if there is one of this id. The caller leaves the audit entry: only it knows the purpose.
pub async fn get(db: &impl Reads, subject: SubjectId) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = db
        .optional(
            "SELECT subject_id, record, synthetic FROM identity_person WHERE subject_id = $1",
            params![subject],
        )
        .await?;
    row.map(|row| open(db, row)).transpose()
}

/// Finds a person by their number, in whatever way it is written.
pub async fn find_by_citizen_id(db: &impl Reads, number: &str) -> Result<Option<SubjectId>, StoreError> {
    let folded = number.trim().to_ascii_uppercase();
    let rows = db
        .rows("SELECT subject_id FROM identity_person WHERE code_index = $1", params![index_of(db, &folded)])
        .await?;
    rows.first().map(|row| row.get("subject_id")).transpose()
}

/// Finds the persons of these numbers; a number that nobody has finds nobody.
pub async fn find_all_by_citizen_id(
    db: &impl Reads,
    numbers: &BTreeSet<String>,
) -> Result<BTreeSet<SubjectId>, StoreError> {
    // Few enough for one statement on every database.
    const TOGETHER: usize = 200;
    let indexes: Vec<[u8; 16]> =
        numbers.iter().map(|number| index_of(db, &number.trim().to_ascii_uppercase())).collect();
    let mut found = BTreeSet::new();
    for part in indexes.chunks(TOGETHER) {
        let places: Vec<String> = (1..=part.len()).map(|place| format!("${place}")).collect();
        let sql =
            format!("SELECT subject_id FROM identity_person WHERE code_index IN ({})", places.join(", "));
        for row in db.rows(&sql, part.iter().map(|index| index.to_vec().into()).collect()).await? {
            found.insert(row.get("subject_id")?);
        }
    }
    Ok(found)
}

/// 姓名, or an empty text for an unknown subject.
pub async fn display_name(db: &impl Reads, subject: SubjectId) -> Result<String, StoreError> {
    Ok(get(db, subject).await?.map(|person| person.record.name).unwrap_or_default())
}

fn open(db: &impl Reads, row: PersonRow) -> Result<Person, StoreError> {
    let record = unseal(db.store().cipher(), row.subject_id, &row.record)?;
    let today = db.store().env().now().china_date();
    let number = CitizenId::parse(&record.citizen_id, today, Divisions::embedded())
        .map_err(|error| StoreError::Column { column: "record".to_owned(), reason: error.to_string() })?;
    Ok(Person {
        subject: row.subject_id,
        birth: number.birth(),
        sex: number.sex(),
        record,
        synthetic: row.synthetic,
    })
}

/// Opens a sealed record, for reads that join the table of people.
pub(crate) fn unseal(
    cipher: &FieldCipher,
    subject: SubjectId,
    sealed: &[u8],
) -> Result<PersonRecord, StoreError> {
    let plain = cipher
        .decrypt(&context(&subject.to_string()), sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(serde_json::from_slice(&plain)?)
}

fn seal(tx: &Tx, subject: SubjectId, record: &PersonRecord) -> Result<Vec<u8>, StoreError> {
    let owner = subject.to_string();
    let store = tx.store();
    Ok(store.cipher().encrypt(&context(&owner), &serde_json::to_vec(record)?, &*store.env().entropy))
}

fn index_of(db: &impl Reads, number: &str) -> [u8; 16] {
    db.store().cipher().blind_index("identity_person.citizen_id", number)
}

fn context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "identity_person", column: "record", subject: owner }
}

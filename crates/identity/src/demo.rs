//! The people of a demonstration: made up, marked so, with numbers that are valid and nobody's.

use kernel::citizen_id::CitizenId;
use kernel::division::Divisions;
use kernel::ids::{PostCode, SubjectId};
use kernel::time::{Date, Timestamp};
use packs::model::Words;
use store::{Reads, StoreError, Tx};
use web::App;

use crate::accounts::{self, AccountKind, NewAccount};
use crate::people::{self, MaritalStatus, PersonError, PersonRecord};
use crate::sign_in::{self, SignInError};
use crate::totp::TotpSecret;
use crate::{delegations, orgs};

/// Every made-up person signs in with this.
pub const PASSWORD: &str = "yiwang-demo-2026";

/// Somebody to sign in as.
#[derive(Clone, Debug)]
pub struct Persona {
    /// The login.
    pub login: &'static str,
    /// The password.
    pub password: &'static str,
    /// 姓名.
    pub name: &'static str,
    /// Whether a code of a second factor is asked for; the sign-in page of a demonstration shows it.
    pub totp: bool,
    /// As what they sign in.
    pub kind: AccountKind,
    /// What to try with them.
    pub what_to_try: Words,
}

/// Why the people could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A person was not taken in.
    #[error("a made-up person is not sound")]
    Person(#[from] PersonError),
    /// A number could not be put together.
    #[error("a made-up number is not sound")]
    Number(#[from] kernel::citizen_id::CitizenIdError),
    /// The password could not be hashed.
    #[error("the password of the demonstration could not be hashed")]
    Password(#[from] SignInError),
    /// The list below names something that is not.
    #[error("the demonstration names `{0}`, which is not")]
    Unknown(String),
}

struct Made {
    login: &'static str,
    name: &'static str,
    birth: (i16, i8, i8),
    sequence: u16,
    kind: AccountKind,
    posts: &'static [&'static str],
    marital: Option<MaritalStatus>,
    zh: &'static str,
    en: &'static str,
}

const PEOPLE: &[Made] = &[
    Made {
        login: "duan",
        name: "段晓苍",
        birth: (1990, 5, 1),
        sequence: 11,
        kind: AccountKind::Citizen,
        posts: &[],
        marital: Some(MaritalStatus::Single),
        zh: "市民:登记一家小店,看证照和数据足迹",
        en: "citizen: register a shop, see the licence and the data footprint",
    },
    Made {
        login: "yang",
        name: "杨月洱",
        birth: (1993, 9, 12),
        sequence: 22,
        kind: AccountKind::Citizen,
        posts: &[],
        marital: Some(MaritalStatus::Single),
        zh: "市民:和 duan 一起预约结婚登记",
        en: "citizen: book a marriage registration together with duan",
    },
    Made {
        login: "zhao",
        name: "赵长春",
        birth: (1943, 3, 8),
        sequence: 31,
        kind: AccountKind::Citizen,
        posts: &[],
        marital: Some(MaritalStatus::Widowed),
        zh: "83 岁老人:申领高龄津贴,当场决定",
        en: "aged 83: apply for the elderly allowance, decided at once",
    },
    Made {
        login: "li",
        name: "李银生",
        birth: (1985, 1, 20),
        sequence: 15,
        kind: AccountKind::Officer,
        posts: &["dali-market-registrar"],
        marital: None,
        zh: "大理市市场监督管理局登记员:补正、受理、审查",
        en: "registrar at market regulation: corrections, acceptance, examination",
    },
    Made {
        login: "he",
        name: "何文君",
        birth: (1980, 7, 3),
        sequence: 24,
        kind: AccountKind::Officer,
        posts: &["dali-market-approver"],
        marital: None,
        zh: "大理市市场监督管理局核准员:决定(不得与审查为同一人)",
        en: "approver at market regulation: decides, never a case they examined",
    },
    Made {
        login: "zhang",
        name: "张伟东",
        birth: (1975, 11, 2),
        sequence: 17,
        kind: AccountKind::Officer,
        posts: &["dali-market-deputy", "dali-market-reviewer"],
        marital: None,
        zh: "分管局长:延期、复核",
        en: "deputy director: extensions and reviews",
    },
    Made {
        login: "wang",
        name: "王淑芬",
        birth: (1988, 4, 18),
        sequence: 28,
        kind: AccountKind::Officer,
        posts: &["dali-civil-marriage-registrar", "dali-civil-benefit-examiner"],
        marital: None,
        zh: "大理市民政局:婚姻登记、津贴审核",
        en: "civil affairs: marriage registration, benefit examination",
    },
    Made {
        login: "chen",
        name: "陈志明",
        birth: (1978, 6, 30),
        sequence: 19,
        kind: AccountKind::Officer,
        posts: &["dali-civil-benefit-approver", "dali-civil-reviewer"],
        marital: None,
        zh: "大理市民政局:津贴核准、复核",
        en: "civil affairs: benefit approval and reviews",
    },
    Made {
        login: "su",
        name: "苏敏",
        birth: (1991, 2, 14),
        sequence: 26,
        kind: AccountKind::Officer,
        posts: &["dali-rating-verifier", "dali-rating-rectifier"],
        marital: None,
        zh: "好差评办公室:核实、整改",
        en: "rating office: verify and put right",
    },
    Made {
        login: "gao",
        name: "高慧",
        birth: (1987, 10, 9),
        sequence: 42,
        kind: AccountKind::Officer,
        posts: &["dali-rating-caller"],
        marital: None,
        zh: "好差评办公室:回访",
        en: "rating office: calls back",
    },
    Made {
        login: "auditor",
        name: "周正",
        birth: (1982, 12, 4),
        sequence: 33,
        kind: AccountKind::Auditor,
        posts: &[],
        marital: None,
        zh: "审计员:查看并验证审计日志",
        en: "auditor: read and verify the audit log",
    },
    Made {
        login: "admin",
        name: "马管理",
        birth: (1986, 8, 8),
        sequence: 35,
        kind: AccountKind::Administrator,
        posts: &[],
        marital: None,
        zh: "平台管理员:机构、岗位、接口令牌",
        en: "administrator: organisations, posts, tokens",
    },
];

/// Where the made-up people live.
const REGION: &str = "532901";

/// Makes the people on the first start and lists them on every start.
pub async fn seed(app: &App) -> Result<Vec<Persona>, SeedError> {
    let known = app
        .store
        .read()
        .count("SELECT COUNT(*) AS n FROM identity_person WHERE synthetic = 1", vec![])
        .await?;
    if known == 0 {
        // One hash for all: hashing is slow on purpose, and the password is no secret.
        let hash = sign_in::hash(app, PASSWORD.to_owned()).await?;
        let tx = app.store.begin().await?;
        let mut first = None;
        for made in PEOPLE {
            let subject = make(&tx, made, app.now(), &hash).await?;
            first = first.or(Some(subject));
        }
        if let Some(parent) = first {
            make_child(&tx, parent, app.now()).await?;
        }
        tx.commit().await?;
    }
    Ok(personas())
}

/// Everybody there is to sign in as.
pub fn personas() -> Vec<Persona> {
    PEOPLE
        .iter()
        .map(|made| Persona {
            login: made.login,
            password: PASSWORD,
            name: made.name,
            totp: made.kind.needs_second_factor(),
            kind: made.kind,
            what_to_try: Words { zh: made.zh.to_owned(), en: made.en.to_owned() },
        })
        .collect()
}

/// The person behind a login of the demonstration.
pub async fn subject_of(db: &impl Reads, login: &str) -> Result<Option<SubjectId>, StoreError> {
    Ok(accounts::find_by_login(db, login).await?.map(|account| account.subject))
}

/// The second factor of a made-up officer: known to everybody, so that the page can show the code.
fn second_factor(login: &str) -> Option<TotpSecret> {
    TotpSecret::from_bytes(crypto::hash::sm3(format!("yiwang demo {login}").as_bytes()).to_vec())
}

async fn make(tx: &Tx, made: &Made, now: Timestamp, hash: &str) -> Result<SubjectId, SeedError> {
    let (year, month, day) = made.birth;
    let birth = Date::new(year, month, day).map_err(|_| SeedError::Unknown(made.login.to_owned()))?;
    let record = record(made.name, birth, made.sequence, made.marital, now)?;
    let subject = people::create(tx, record, true).await?;
    let totp = if made.kind.needs_second_factor() { second_factor(made.login) } else { None };
    let account = NewAccount {
        subject,
        login: made.login.to_owned(),
        kind: made.kind,
        password_hash: Some(hash.to_owned()),
        totp,
    };
    accounts::create(tx, account).await?;
    for post in made.posts {
        let code = PostCode::new(*post).map_err(|_| SeedError::Unknown((*post).to_owned()))?;
        orgs::appoint(tx, subject, &code, now, orgs::open_end()).await?;
    }
    Ok(subject)
}

/// A child of six, for whom the first citizen is the guardian.
async fn make_child(tx: &Tx, guardian: SubjectId, now: Timestamp) -> Result<(), SeedError> {
    let birth = Date::new(2020, 6, 1).map_err(|_| SeedError::Unknown("child".to_owned()))?;
    let child = people::create(tx, record("段小洱", birth, 12, None, now)?, true).await?;
    if let Some(child) = people::get(tx, child).await? {
        delegations::set_guardian(tx, &child, guardian).await?;
    }
    Ok(())
}

fn record(
    name: &str,
    birth: Date,
    sequence: u16,
    marital_status: Option<MaritalStatus>,
    now: Timestamp,
) -> Result<PersonRecord, SeedError> {
    let region = REGION.parse().map_err(|_| SeedError::Unknown(REGION.to_owned()))?;
    let number = CitizenId::compose(region, birth, sequence, now.china_date(), Divisions::embedded())?;
    let sources = ["person", "address", "household", "marriage", "bank_account"];
    Ok(PersonRecord {
        name: name.to_owned(),
        citizen_id: number.as_str().to_owned(),
        // 170 01 … is a made-up range here: no such numbers are called.
        phone: format!("170010{sequence:05}"),
        address: format!("云南省大理市下关街道人民路{sequence}号(演示地址)"),
        household_address: format!("云南省大理市大理镇复兴路{sequence}号(演示地址)"),
        household_division: REGION.to_owned(),
        alive: true,
        marital_status,
        bank_account: Some(format!("6231000000000{sequence:06}")),
        as_of: sources.iter().map(|source| ((*source).to_owned(), now)).collect(),
    })
}

/// The code that a made-up officer would read off their device now.
pub(crate) fn code_now(login: &str, now: Timestamp, last_step: i64) -> Option<String> {
    second_factor(login)?.usable_code(now, last_step)
}

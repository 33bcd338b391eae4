//! The people of the demonstration: made up, with valid numbers, marked as synthetic.
//!
//! Their passwords are printed and the codes of their second factors shown on the sign-in page, so they
//! exist only where [`seed`] was called, which only `yiwang demo` does.

use crypto::hash::sm3;
use jiff::civil::date;
use kernel::citizen_id::CitizenId;
use kernel::division::{DivisionCode, Divisions};
use kernel::ids::{AccountId, PostCode, SubjectId};
use kernel::time::Date;
use packs::model::Words;
use store::{Reads, StoreError, Tx};
use web::App;

use crate::accounts::{self, AccountKind, NewAccount};
use crate::delegations::{self, DelegationKind, NewDelegation};
use crate::orgs;
use crate::people::{self, MaritalStatus, PersonError, PersonRecord};
use crate::sign_in::{self, SignInError};
use crate::totp::TotpSecret;

/// The password of everybody in the demonstration.
pub const PASSWORD: &str = "dali-demo-2026";

/// 大理市, where the people of the demonstration are registered.
const HOME: &str = "532901";

/// The login of the child's mother.
const MOTHER: &str = "duanxiaohui";

/// Somebody to sign in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
    /// Whether a code is asked as well; the sign-in page shows it.
    pub totp: bool,
    /// 姓名.
    pub name: String,
    /// As what.
    pub kind: AccountKind,
    /// Who they are, in a few words.
    pub role: Words,
    /// What to try as this person.
    pub what_to_try: Words,
}

/// Why the demonstration could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A person was refused.
    #[error("a person of the demonstration was refused")]
    Person(#[from] PersonError),
    /// A number could not be made.
    #[error("a citizen number could not be made")]
    Number(#[from] kernel::citizen_id::CitizenIdError),
    /// The division is unknown.
    #[error("the division of the demonstration is unknown")]
    Division(#[from] kernel::division::DivisionCodeError),
    /// A post has a bad code.
    #[error("a post of the demonstration has a bad code")]
    Post(#[from] kernel::ids::IdError),
    /// The password could not be hashed.
    #[error("the password of the demonstration could not be hashed")]
    Password(#[from] SignInError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Made {
    name: &'static str,
    birth: Date,
    /// The last of the three digits before the check digit tells the sex: odd for men.
    sequence: u16,
    address: &'static str,
    marital: MaritalStatus,
    bank_account: Option<&'static str>,
}

/// Everybody with an account: login, who, what to try, and the posts of an officer.
struct Role {
    login: &'static str,
    kind: AccountKind,
    made: Made,
    posts: &'static [&'static str],
    role: (&'static str, &'static str),
    what: (&'static str, &'static str),
}

const fn made(name: &'static str, birth: Date, sequence: u16, address: &'static str) -> Made {
    Made { name, birth, sequence, address, marital: MaritalStatus::Single, bank_account: None }
}

const OFFICE: &str = "云南省大理白族自治州大理市下关街道（演示地址）";

fn citizens() -> Vec<Role> {
    let citizen =
        |login, made, role, what| Role { login, kind: AccountKind::Citizen, made, posts: &[], role, what };
    vec![
        citizen(
            MOTHER,
            Made {
                marital: MaritalStatus::Married,
                ..made("段小慧", date(1990, 3, 7), 124, "云南省大理白族自治州大理市大理镇复兴路112号")
            },
            ("市民，想开一家扎染小店", "A citizen who wants to open a tie-dye shop"),
            (
                "搜索“开个小店”，办个体工商户设立登记；也可以切换为孩子段小宝或老人赵玉珍的代办人",
                "Search for 开个小店 and register a business; or act for the child or for the elder",
            ),
        ),
        citizen(
            "liyunshan",
            made("李云山", date(1996, 5, 18), 231, "云南省大理白族自治州大理市下关街道泰安路56号"),
            ("市民，准备结婚", "A citizen about to marry"),
            ("预约结婚登记，邀请王晓雨确认", "Book a marriage registration and invite the partner"),
        ),
        citizen(
            "wangxiaoyu",
            made("王晓雨", date(1998, 9, 2), 342, "云南省大理白族自治州大理市喜洲镇市上街18号"),
            ("市民，李云山的未婚妻", "A citizen, the partner"),
            ("确认李云山发来的结婚登记预约", "Confirm the invitation to the registration"),
        ),
        citizen(
            "zhaoyuzhen",
            Made {
                marital: MaritalStatus::Widowed,
                bank_account: Some("6217000000000083019"),
                ..made("赵玉珍", date(1943, 6, 12), 86, "云南省大理白族自治州大理市大理镇龙龛村27号")
            },
            ("83 岁老人", "An elder of 83"),
            (
                "申领高龄津贴，当场得到决定和理由；试试长者模式",
                "Apply for the allowance and get the decision at once",
            ),
        ),
    ]
}

fn officers() -> Vec<Role> {
    let officer = |login, name, birth, sequence, posts, role, what| Role {
        login,
        kind: AccountKind::Officer,
        made: made(name, birth, sequence, OFFICE),
        posts,
        role,
        what,
    };
    vec![
        officer(
            "market-registrar",
            "张丽",
            date(1988, 2, 14),
            408,
            &["dali-market-registrar", "dali-market-intake"],
            ("大理市市场监管局 登记员", "Registrar, market regulation"),
            (
                "在待办中找到办件，发补正告知，受理并审查",
                "Find the case, ask for a correction, accept and examine it",
            ),
        ),
        officer(
            "market-approver",
            "何俊",
            date(1979, 11, 3),
            517,
            &["dali-market-approver"],
            ("大理市市场监管局 核准员", "Approver, market regulation"),
            (
                "核准办件并发照；自己审查过的办件，系统不让自己核准",
                "Decide the case; the system refuses whoever examined it",
            ),
        ),
        officer(
            "market-deputy",
            "周敏",
            date(1975, 4, 21),
            602,
            &["dali-market-deputy"],
            ("大理市市场监管局 分管局长", "Deputy director, market regulation"),
            ("延长期限，对复核作出决定，吊销营业执照", "Extend a term, decide a review, revoke a licence"),
        ),
        officer(
            "market-reviewer",
            "尹洁",
            date(1984, 8, 9),
            726,
            &["dali-market-reviewer"],
            ("大理市市场监管局 复核员", "Reviewer, market regulation"),
            ("复核有异议的决定", "Look again at a disputed decision"),
        ),
        officer(
            "civil-marriage",
            "苏静",
            date(1986, 12, 1),
            834,
            &["dali-civil-marriage-registrar", "dali-civil-reviewer"],
            ("大理市民政局 婚姻登记员、复核员", "Marriage registrar and reviewer, civil affairs"),
            ("办理到场的结婚登记预约；复核津贴决定", "See to a booked registration; review an allowance"),
        ),
        officer(
            "civil-examiner",
            "李春华",
            date(1990, 1, 25),
            910,
            &["dali-civil-benefit-examiner"],
            ("大理市民政局 津贴审核员", "Benefit examiner, civil affairs"),
            ("审核不能当场决定的高龄津贴", "Examine an allowance that was not decided at once"),
        ),
        officer(
            "civil-approver",
            "杨文斌",
            date(1977, 7, 30),
            215,
            &["dali-civil-benefit-approver"],
            ("大理市民政局 津贴核准员", "Benefit approver, civil affairs"),
            ("核准高龄津贴", "Decide an allowance"),
        ),
        officer(
            "civil-deputy",
            "杜国强",
            date(1972, 10, 16),
            333,
            &["dali-civil-deputy"],
            ("大理市民政局 分管局长", "Deputy director, civil affairs"),
            ("对复核作出决定，延长期限", "Decide a review, extend a term"),
        ),
        officer(
            "rating-verifier",
            "董雪梅",
            date(1985, 3, 19),
            448,
            &["dali-rating-verifier", "dali-rating-caller"],
            ("大理州好差评办公室 核实员、回访员", "Verifier and caller-back, rating office"),
            (
                "核实差评，15 个工作日内办结并回访；查看督办",
                "Verify a bad review, call back, look at supervision",
            ),
        ),
        officer(
            "rating-rectifier",
            "马涛",
            date(1981, 6, 5),
            551,
            &["dali-rating-rectifier"],
            ("大理州好差评办公室 整改责任人", "Rectifier, rating office"),
            ("对差评整改", "Put right what a bad review is about"),
        ),
        officer(
            "data-steward",
            "寸玉兰",
            date(1987, 4, 8),
            862,
            &[
                "dali-data-steward",
                "dali-police-steward",
                "dali-social-steward",
                "dali-education-steward",
                "dali-medical-steward",
                "dali-market-data-steward",
                "dali-reform-steward",
                "dali-land-steward",
                "dali-ecology-steward",
                "dali-permits-steward",
            ],
            ("各单位数据管理员", "Data steward of the providing offices"),
            (
                "导入带错误的 CSV，看被拒的行；给别的部门发放数据授权",
                "Load a CSV with errors and see the rejected rows; grant data to another office",
            ),
        ),
        officer(
            "data-approver",
            "洪建平",
            date(1976, 2, 17),
            973,
            &["dali-data-approver"],
            ("大理州数据局 授权审批员", "Approver of data grants, data bureau"),
            ("审批数据授权，看谁用了什么数据", "Decide on data grants and see who used what"),
        ),
        officer(
            "data-analyst",
            "严晓峰",
            date(1992, 9, 28),
            397,
            &["dali-data-analyst"],
            ("大理州数据局 数据分析员", "Analyst, data bureau"),
            (
                "在查询台用 SQL 查询获授权的数据，画图，导出",
                "Query what is granted in the console, draw it, export it",
            ),
        ),
        Role {
            login: "auditor",
            kind: AccountKind::Auditor,
            made: made("施正明", date(1974, 5, 27), 655, OFFICE),
            posts: &["dali-audit-auditor"],
            role: ("大理州审计局 审计员", "Auditor"),
            what: (
                "浏览审计日志，核验整条日志没有被改动",
                "Browse the audit log and verify that nothing was changed",
            ),
        },
        Role {
            login: "admin",
            kind: AccountKind::Administrator,
            made: made("高宏", date(1983, 9, 13), 777, OFFICE),
            posts: &["dali-service-administrator"],
            role: ("大理州政务服务局 平台管理员", "Platform administrator"),
            what: ("任免岗位，发放接口令牌", "Appoint to posts, issue API tokens"),
        },
    ]
}

/// The child, who has no account: a guardian acts.
fn child() -> Made {
    made("段小宝", date(2018, 4, 11), 119, "云南省大理白族自治州大理市大理镇复兴路112号")
}

/// Makes the people on the first start and gives everybody to sign in as. Doing it again changes nothing.
pub async fn seed(app: &App) -> Result<Vec<Persona>, SeedError> {
    let roles: Vec<Role> = citizens().into_iter().chain(officers()).collect();
    let seeded = accounts::find_by_login(&app.store.read(), "admin").await?.is_some();
    if !seeded {
        // One hash for all: they share the password, and everybody may know it.
        let hash = sign_in::hash(app, PASSWORD.to_owned()).await?;
        let tx = app.store.begin().await?;
        orgs::seed(&tx, &app.pack).await?;
        for role in &roles {
            enter(&tx, role, &hash).await?;
        }
        family(&tx).await?;
        tx.commit().await?;
    }
    Ok(roles.iter().map(persona).collect())
}

/// Everybody of the demonstration who is really there, each with a code that is taken now: none where no
/// code is asked, or where both codes of this half-minute were used.
pub async fn personas_with_codes(app: &App) -> Result<Vec<(Persona, Option<String>)>, StoreError> {
    let db = app.store.read();
    let mut found = Vec::new();
    for role in citizens().iter().chain(officers().iter()) {
        let Some(known) = accounts::credentials_by_login(&db, role.login).await? else { continue };
        let code = known.totp.and_then(|secret| secret.usable_code(app.now(), known.totp_last_step));
        found.push((persona(role), code));
    }
    Ok(found)
}

/// The code of one account of the demonstration.
pub(crate) async fn code_of(app: &App, login: &str) -> Result<Option<String>, StoreError> {
    let known = accounts::credentials_by_login(&app.store.read(), login).await?;
    Ok(known.and_then(|known| known.totp?.usable_code(app.now(), known.totp_last_step)))
}

/// Who signs in with this login: for what other crates add to the demonstration.
pub async fn subject_of(db: &impl Reads, login: &str) -> Result<Option<SubjectId>, StoreError> {
    Ok(accounts::find_by_login(db, login).await?.map(|account| account.subject))
}

fn persona(role: &Role) -> Persona {
    let words = |(zh, en): (&str, &str)| Words { zh: zh.to_owned(), en: en.to_owned() };
    Persona {
        login: role.login.to_owned(),
        password: PASSWORD.to_owned(),
        totp: role.kind.needs_second_factor(),
        name: role.made.name.to_owned(),
        kind: role.kind,
        role: words(role.role),
        what_to_try: words(role.what),
    }
}

async fn enter(tx: &Tx, role: &Role, hash: &str) -> Result<AccountId, SeedError> {
    let subject = person(tx, &role.made).await?;
    let new = NewAccount {
        subject,
        login: role.login.to_owned(),
        kind: role.kind,
        password_hash: Some(hash.to_owned()),
        totp: role.kind.needs_second_factor().then(|| secret(role.login)).flatten(),
    };
    let now = tx.store().env().now();
    for post in role.posts {
        orgs::appoint(tx, subject, &PostCode::new(*post)?, now, orgs::open_end()).await?;
    }
    Ok(accounts::create(tx, new).await?)
}

/// The same secret on every machine, so that a code can be worked out by whoever reads this file.
pub fn secret(login: &str) -> Option<TotpSecret> {
    let digest = sm3(format!("yiwang demo second factor of {login}").as_bytes());
    TotpSecret::from_bytes(digest.into_iter().take(20).collect())
}

/// Somebody of the demonstration as the registers have them, for what other crates add to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// 姓名.
    pub name: String,
    /// 公民身份号码.
    pub citizen_id: CitizenId,
    /// Real-name phone number.
    pub phone: String,
    /// 常住地址, and the address of the household.
    pub address: String,
    /// 婚姻状况.
    pub marital_status: MaritalStatus,
    /// Whose household they live in, where it is not their own.
    pub lives_with: Option<CitizenId>,
}

/// Everybody of the demonstration, the child too.
pub fn registered(today: Date) -> Result<Vec<Registered>, SeedError> {
    let mut everybody = Vec::new();
    for role in citizens().into_iter().chain(officers()) {
        everybody.push(entered(&role.made, today)?);
    }
    let mother = citizens().into_iter().find(|role| role.login == MOTHER);
    let lives_with = mother.map(|mother| number(&mother.made, today)).transpose()?;
    everybody.push(Registered { lives_with, ..entered(&child(), today)? });
    Ok(everybody)
}

fn entered(made: &Made, today: Date) -> Result<Registered, SeedError> {
    Ok(Registered {
        name: made.name.to_owned(),
        citizen_id: number(made, today)?,
        phone: phone(made),
        address: made.address.to_owned(),
        marital_status: made.marital,
        lives_with: None,
    })
}

fn number(made: &Made, today: Date) -> Result<CitizenId, SeedError> {
    let division = DivisionCode::parse(HOME)?;
    Ok(CitizenId::compose(division, made.birth, made.sequence, today, Divisions::embedded())?)
}

fn phone(made: &Made) -> String {
    format!("1990872{:04}", made.sequence)
}

async fn person(tx: &Tx, made: &Made) -> Result<SubjectId, SeedError> {
    let now = tx.store().env().now();
    let number = number(made, now.china_date())?;
    let sources = ["person", "address", "household", "marriage", "bank_account"];
    let record = PersonRecord {
        name: made.name.to_owned(),
        citizen_id: number.as_str().to_owned(),
        phone: phone(made),
        address: made.address.to_owned(),
        household_address: made.address.to_owned(),
        household_division: HOME.to_owned(),
        alive: true,
        marital_status: Some(made.marital),
        bank_account: made.bank_account.map(str::to_owned),
        as_of: sources.iter().map(|source| ((*source).to_owned(), now)).collect(),
    };
    Ok(people::create(tx, record, true).await?)
}

/// The child with its guardian, and the elder with her proxy for one item.
async fn family(tx: &Tx) -> Result<(), SeedError> {
    let Some(mother) = subject_of(tx, MOTHER).await? else { return Ok(()) };
    let child = person(tx, &child()).await?;
    if let Some(child) = people::get(tx, child).await? {
        delegations::set_guardian(tx, &child, mother).await?;
    }
    if let Some(elder) = subject_of(tx, "zhaoyuzhen").await? {
        let new = NewDelegation {
            subject: elder,
            delegate: mother,
            kind: DelegationKind::Proxy,
            scope: vec!["elderly-allowance".to_owned()],
            valid_to: tx.store().env().now().plus(jiff::SignedDuration::from_hours(24 * 365)),
        };
        delegations::grant(tx, &new).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_shares_a_login_or_a_number() {
        let roles: Vec<Role> = citizens().into_iter().chain(officers()).collect();
        let logins: BTreeSet<&str> = roles.iter().map(|role| role.login).collect();
        assert_eq!(logins.len(), roles.len());
        let sequences: BTreeSet<u16> = roles.iter().map(|role| role.made.sequence).collect();
        assert_eq!(sequences.len(), roles.len(), "telephone numbers are made of them");
        assert!(roles.iter().all(|role| accounts::fold_login(role.login).as_deref() == Some(role.login)));
    }

    #[test]
    fn the_couple_may_marry_and_the_elder_is_eighty_three() {
        // 民法典, art. 1047: men from 22, women from 20.
        let day = date(2026, 11, 24);
        let age = |login: &str| {
            let role = citizens().into_iter().find(|role| role.login == login).unwrap();
            let number = CitizenId::compose(
                DivisionCode::parse(HOME).unwrap(),
                role.made.birth,
                role.made.sequence,
                day,
                Divisions::embedded(),
            )
            .unwrap();
            (number.age_on(day), number.sex())
        };
        use kernel::citizen_id::Sex;
        assert_eq!(age("liyunshan"), (30, Sex::Male));
        assert_eq!(age("wangxiaoyu"), (28, Sex::Female));
        assert_eq!(age("zhaoyuzhen"), (83, Sex::Female));
        assert_eq!(age("duanxiaohui"), (36, Sex::Female));
    }

    #[test]
    fn the_child_lives_with_the_mother_and_everybody_has_a_number() {
        let everybody = registered(date(2026, 11, 24)).unwrap();
        assert_eq!(everybody.len(), citizens().len() + officers().len() + 1);
        let mother = everybody.iter().find(|one| one.name == "段小慧").unwrap();
        let child = everybody.iter().find(|one| one.name == "段小宝").unwrap();
        assert_eq!(child.lives_with.as_ref(), Some(&mother.citizen_id));
        assert_eq!(child.address, mother.address);
        assert_eq!(everybody.iter().filter(|one| one.lives_with.is_some()).count(), 1);
    }

    #[test]
    fn every_demonstration_secret_is_its_own() {
        let secrets: BTreeSet<Vec<u8>> =
            officers().iter().map(|role| secret(role.login).unwrap().as_bytes().to_vec()).collect();
        assert_eq!(secrets.len(), officers().len());
    }
}

//! Organisations in six levels, their posts, and who holds them.

use kernel::actor::PostHolding;
use kernel::ids::{OrgCode, PostCode, SubjectId};
use kernel::time::Timestamp;
use packs::Pack;
use packs::model::Words;
use store::{Reads, StoreError, Tx, params};

/// The end of a holding or a right that has none.
pub fn open_end() -> Timestamp {
    Timestamp::from_micros(i64::MAX)
}

/// An organisation.
#[derive(Clone, Debug)]
pub struct Org {
    /// Its code.
    pub code: OrgCode,
    /// The organisation above.
    pub parent: Option<OrgCode>,
    /// `province` … `grid`.
    pub level: String,
    /// Its division.
    pub division: String,
    /// Its credit code.
    pub uscc: String,
    /// Its name.
    pub name: Words,
    /// Its posts.
    pub posts: Vec<Post>,
}

/// A post.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its code.
    pub code: PostCode,
    /// The organisation it belongs to.
    pub org: OrgCode,
    /// Roles of procedures that it may fill.
    pub roles: Vec<String>,
    /// Its name.
    pub name: Words,
}

store::row! {
    struct OrgRow {
        org_code: OrgCode, parent: Option<OrgCode>, level: String, division: String, uscc: String,
        name_zh: String, name_en: String,
    }
}
store::row! {
    struct PostRow { post_code: PostCode, org_code: OrgCode, roles: String, name_zh: String, name_en: String }
}

/// Brings the organisation of the packs into the ledger; what is there already is brought up to date.
pub async fn seed(tx: &Tx, pack: &Pack) -> Result<(), StoreError> {
    for org in &pack.orgs().orgs {
        let level = serde_json::to_value(org.level)?.as_str().unwrap_or_default().to_owned();
        tx.execute(
            "INSERT INTO identity_org (org_code, parent, level, division, uscc, name_zh, name_en)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (org_code) DO UPDATE
                SET parent = excluded.parent, level = excluded.level, division = excluded.division,
                    uscc = excluded.uscc, name_zh = excluded.name_zh, name_en = excluded.name_en",
            params![
                org.code.as_str(),
                org.parent.as_deref(),
                level,
                org.division.as_str(),
                org.uscc.as_str(),
                org.name.zh.as_str(),
                org.name.en.as_str()
            ],
        )
        .await?;
        for post in &org.posts {
            tx.execute(
                "INSERT INTO identity_post (post_code, org_code, roles, name_zh, name_en)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (post_code) DO UPDATE
                    SET org_code = excluded.org_code, roles = excluded.roles,
                        name_zh = excluded.name_zh, name_en = excluded.name_en",
                params![
                    post.code.as_str(),
                    org.code.as_str(),
                    post.roles.join(","),
                    post.name.zh.as_str(),
                    post.name.en.as_str()
                ],
            )
            .await?;
        }
    }
    Ok(())
}

/// Every organisation with its posts, by level and code.
pub async fn all(db: &impl Reads) -> Result<Vec<Org>, StoreError> {
    let rows: Vec<OrgRow> = db
        .query(
            "SELECT org_code, parent, level, division, uscc, name_zh, name_en
               FROM identity_org
              ORDER BY division, org_code",
            vec![],
        )
        .await?;
    let posts: Vec<PostRow> = db
        .query(
            "SELECT post_code, org_code, roles, name_zh, name_en FROM identity_post ORDER BY post_code",
            vec![],
        )
        .await?;
    let posts: Vec<Post> = posts.into_iter().map(post).collect();
    Ok(rows
        .into_iter()
        .map(|row| Org {
            posts: posts.iter().filter(|post| post.org == row.org_code).cloned().collect(),
            code: row.org_code,
            parent: row.parent,
            level: row.level,
            division: row.division,
            uscc: row.uscc,
            name: Words { zh: row.name_zh, en: row.name_en },
        })
        .collect())
}

/// The name of an organisation; its code where it is unknown.
pub async fn org_name(db: &impl Reads, org: &OrgCode) -> Result<Words, StoreError> {
    let rows = db.rows("SELECT name_zh, name_en FROM identity_org WHERE org_code = $1", params![org]).await?;
    match rows.first() {
        Some(row) => Ok(Words { zh: row.get("name_zh")?, en: row.get("name_en")? }),
        None => Ok(Words { zh: org.to_string(), en: org.to_string() }),
    }
}

/// Gives a post to a person from `from` until `to`.
pub async fn appoint(
    tx: &Tx,
    subject: SubjectId,
    post: &PostCode,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_holding (subject_id, post_code, valid_from, valid_to)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject_id, post_code, valid_from) DO UPDATE SET valid_to = excluded.valid_to",
        params![subject, post, from, to],
    )
    .await?;
    Ok(())
}

/// Ends every holding of a post by a person.
pub async fn dismiss(tx: &Tx, subject: SubjectId, post: &PostCode, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "UPDATE identity_holding SET valid_to = $3 WHERE subject_id = $1 AND post_code = $2 AND valid_to > $3",
        params![subject, post, at],
    )
    .await
}

/// The posts that a person holds at `now`: one holding for each role of each post.
pub async fn holdings(
    db: &impl Reads,
    subject: SubjectId,
    now: Timestamp,
) -> Result<Vec<PostHolding>, StoreError> {
    let posts: Vec<PostRow> = db
        .query(
            "SELECT p.post_code, p.org_code, p.roles, p.name_zh, p.name_en
               FROM identity_holding h JOIN identity_post p ON p.post_code = h.post_code
              WHERE h.subject_id = $1 AND h.valid_from <= $2 AND h.valid_to > $2
              ORDER BY p.post_code",
            params![subject, now],
        )
        .await?;
    Ok(posts
        .into_iter()
        .flat_map(|row| {
            let post = post(row);
            post.roles
                .into_iter()
                .map(move |role| PostHolding { post: post.code.clone(), org: post.org.clone(), role })
                .collect::<Vec<_>>()
        })
        .collect())
}

/// Who holds a post with this role in this organisation at `now`.
pub async fn holders_of(
    db: &impl Reads,
    org: &OrgCode,
    role: &str,
    now: Timestamp,
) -> Result<Vec<SubjectId>, StoreError> {
    let rows = db
        .rows(
            "SELECT DISTINCT h.subject_id
               FROM identity_holding h JOIN identity_post p ON p.post_code = h.post_code
              WHERE p.org_code = $1 AND ',' || p.roles || ',' LIKE '%,' || $2 || ',%'
                AND h.valid_from <= $3 AND h.valid_to > $3
              ORDER BY h.subject_id",
            params![org, role, now],
        )
        .await?;
    rows.iter().map(|row| row.get("subject_id")).collect()
}

/// Every holding of every post of an organisation, with names, for the administrator.
pub async fn holders(db: &impl Reads, now: Timestamp) -> Result<Vec<(PostCode, SubjectId)>, StoreError> {
    let rows = db
        .rows(
            "SELECT post_code, subject_id
               FROM identity_holding
              WHERE valid_from <= $1 AND valid_to > $1
              ORDER BY post_code, subject_id",
            params![now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get("post_code")?, row.get("subject_id")?))).collect()
}

fn post(row: PostRow) -> Post {
    Post {
        code: row.post_code,
        org: row.org_code,
        roles: row.roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        name: Words { zh: row.name_zh, en: row.name_en },
    }
}

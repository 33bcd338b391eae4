//! Who could take a case over: officers who hold the post that is due, and may.

use identity::accounts::{self, AccountKind};
use identity::{orgs, people};
use kernel::ids::AccountId;
use serde_json::{Value as Json, json};
use web::{Ctx, Problem};

use crate::actions::Colleague;
use crate::model::Case;

/// The choices of the form: everybody who holds the post but the one who has the case in hand.
pub(crate) async fn of_case(ctx: &Ctx, case: &Case) -> Result<Vec<Json>, Problem> {
    let mut choices = Vec::new();
    for colleague in holders(ctx, case).await? {
        let in_hand = case.assignee.is_some_and(|assignee| assignee.account == colleague.account);
        if !in_hand && case.reassign(colleague.account, colleague.subject, "-").is_ok() {
            let name = people::display_name(&ctx.read(), colleague.subject).await?;
            choices.push(json!({ "value": colleague.account, "text": name }));
        }
    }
    Ok(choices)
}

/// The colleague of that account, if they hold the post. Whether they may take over, the action decides.
pub(crate) async fn find(ctx: &Ctx, case: &Case, account: &str) -> Result<Option<Colleague>, Problem> {
    let Ok(account) = account.parse::<AccountId>() else { return Ok(None) };
    Ok(holders(ctx, case).await?.into_iter().find(|colleague| colleague.account == account))
}

async fn holders(ctx: &Ctx, case: &Case) -> Result<Vec<Colleague>, Problem> {
    let (read, now) = (ctx.read(), ctx.now());
    let Some(role) = case.due_role() else { return Ok(Vec::new()) };
    let mut colleagues = Vec::new();
    for subject in orgs::holders_of(&read, &case.opened.org, &role, now).await? {
        let posts = orgs::holdings(&read, subject, now).await?;
        for account in accounts::of_subject(&read, subject).await? {
            if account.kind == AccountKind::Officer && !account.locked {
                colleagues.push(Colleague { account: account.id, subject, posts: posts.clone() });
            }
        }
    }
    Ok(colleagues)
}

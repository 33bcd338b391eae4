//! Access keys in the ledger, on both databases.

use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::ids::AccountId;
use sharing::keys::{self, CreateKeyError, NewKey, Owner};
use store::Reads;
use store::test::{BOTH, open};

#[tokio::test]
async fn a_key_counts_until_it_is_over_or_taken_back() {
    for on in BOTH {
        let test = open(on, sharing::MIGRATIONS).await;
        let store = &test.store;
        let owner = Owner::System("统计局".to_owned());
        let now = store.env().now();
        let new = |hours| NewKey {
            owner: owner.clone(),
            name: "周报".to_owned(),
            expires_at: now.plus(SignedDuration::from_hours(hours)),
        };
        let tx = store.begin().await.unwrap();
        assert!(matches!(keys::create(&tx, &Actor::Anonymous, &new(0)).await, Err(CreateKeyError::Term)));
        assert!(matches!(
            keys::create(&tx, &Actor::Anonymous, &new(24 * 400)).await,
            Err(CreateKeyError::Term)
        ));
        let (id, secret) = keys::create(&tx, &Actor::Anonymous, &new(24)).await.unwrap();
        let (second, other) = keys::create(&tx, &Actor::Anonymous, &new(48)).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(secret, other);
        assert_eq!(secret.len(), 43, "32 bytes in base64url");

        let user = id.to_string();
        let verifier = keys::verifier(&store.read(), &user).await.unwrap().unwrap();
        assert!(verifier.is_of(&secret) && !verifier.is_of(&other));
        assert_eq!(keys::find_by_secret(&store.read(), &secret).await.unwrap().unwrap().id, id);
        assert!(keys::find_by_secret(&store.read(), &verifier_text(&secret)).await.unwrap().is_none());
        let listed = keys::list(&store.read(), &owner).await.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(keys::list(&store.read(), &Owner::System("别人".to_owned())).await.unwrap().is_empty());

        let key = keys::find(&store.read(), &user).await.unwrap().unwrap();
        let actor = keys::actor(&store.read(), &key).await.unwrap().unwrap();
        let tx = store.begin().await.unwrap();
        keys::note_use(&tx, &actor, &key, "postgresql").await.unwrap();
        tx.commit().await.unwrap();
        let key = keys::find(&store.read(), &user).await.unwrap().unwrap();
        assert_eq!(key.last_used_at, Some(now));

        // Nobody takes back a key of somebody else's.
        let tx = store.begin().await.unwrap();
        let stranger = Owner::System("别人".to_owned());
        assert!(!keys::revoke(&tx, &Actor::Anonymous, &stranger, id).await.unwrap());
        assert!(keys::revoke(&tx, &Actor::Anonymous, &owner, id).await.unwrap());
        assert!(!keys::revoke(&tx, &Actor::Anonymous, &owner, id).await.unwrap());
        tx.commit().await.unwrap();
        assert!(keys::verifier(&store.read(), &user).await.unwrap().is_none());
        assert!(keys::find_by_secret(&store.read(), &secret).await.unwrap().is_none());

        test.clock.advance(SignedDuration::from_hours(48));
        assert!(keys::find(&store.read(), &second.to_string()).await.unwrap().is_none(), "its term is over");
        for user in ["", "nobody", "'; --"] {
            assert!(keys::verifier(&store.read(), user).await.unwrap().is_none());
        }
        let actions: Vec<String> = store
            .read()
            .rows("SELECT action FROM store_audit_entry ORDER BY seq", vec![])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get("action").unwrap())
            .collect();
        assert_eq!(
            actions,
            ["sharing.create_key", "sharing.create_key", "sharing.use_key", "sharing.revoke_key"]
        );
    }
}

/// A secret as it is kept must not open anything.
fn verifier_text(secret: &str) -> String {
    crypto::hash::sm3(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_key_of_an_account_that_is_not_there_is_nobodys() {
    for on in BOTH {
        let migrations: Vec<_> = identity::MIGRATIONS.iter().chain(sharing::MIGRATIONS).copied().collect();
        let test = open(on, &migrations).await;
        let store = &test.store;
        let account = AccountId::generate(&*store.env().clock, &*store.env().entropy);
        let new = NewKey {
            owner: Owner::Account(account),
            name: "mine".to_owned(),
            expires_at: store.env().now().plus(SignedDuration::from_hours(1)),
        };
        let tx = store.begin().await.unwrap();
        let (id, _) = keys::create(&tx, &Actor::Anonymous, &new).await.unwrap();
        tx.commit().await.unwrap();
        let key = keys::find(&store.read(), &id.to_string()).await.unwrap().unwrap();
        assert_eq!(keys::actor(&store.read(), &key).await.unwrap(), None);
    }
}

//! The life of a licence in the ledger, on both databases.

use crate::common::{business, business_fields, citizen, holder, issued, ledger, officer, registry};
use jiff::SignedDuration;
use jiff::civil::date;
use kernel::actor::Actor;
use kernel::error::Coded;
use kernel::licence_id::LicenceIdentifier;
use licences::actions::present::PLAIN_SCENE;
use licences::actions::{self, LicenceError, NewCopy, Verifier};
use licences::events::LicenceChanged;
use licences::model::state::{Grounds, LicenceState, Status};
use licences::status::{self, Entry};
use licences::{Licence, Standing, find, find_by_identifier, find_valid, history, wallet_of};
use store::test::{BOTH, TestStore, open_again};
use store::{Reads, audit};

fn grounds() -> Grounds {
    Grounds {
        reason: "经营场所与登记不符".into(), legal_basis: "国务院令第746号第四十条".into()
    }
}

async fn again(test: &TestStore, licence: &Licence) -> Licence {
    find(&test.store.read(), licence.holder, licence.id).await.unwrap().unwrap()
}

async fn entry(test: &TestStore, licence: &Licence) -> Entry {
    let list = status::make(&test.store).await.unwrap();
    let trust = test.store.keys().trust_list();
    list.check(&trust).unwrap().entry(licence.record.status).unwrap()
}

#[tokio::test]
async fn a_licence_is_found_as_it_was_issued() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        assert_eq!(again(&test, &licence).await, licence);
        let read = test.store.read();
        let identifier = licence.identifier().to_string();
        assert_eq!(LicenceIdentifier::parse(&identifier).as_ref(), Ok(licence.identifier()));
        assert_eq!(find_by_identifier(&read, &identifier).await.unwrap(), Some(licence.clone()));
        assert_eq!(wallet_of(&read, holder()).await.unwrap(), vec![licence.clone()]);
        assert_eq!(
            find_valid(&read, holder(), &["business-licence"]).await.unwrap(),
            std::slice::from_ref(&licence)
        );
        assert_eq!(find_valid(&read, holder(), &["resident-id"]).await.unwrap(), []);
        for term in ["92532901ma6k0000xy", "大理市古城 苍洱扎染小店", &identifier.to_lowercase()] {
            let found = licences::store::find_by_term(&read, term, 10).await.unwrap();
            assert_eq!(found, vec![licence.clone()], "{term}");
        }
        assert!(licences::store::find_by_term(&read, "532901199003071244", 10).await.unwrap().is_empty());
        let footprint = audit::footprint(&read, holder(), None, 10).await.unwrap();
        assert_eq!(footprint.first().map(|entry| entry.action.as_str()), Some("licences.issue"));
        let bytes = read.rows("SELECT body FROM licences_licence", vec![]).await.unwrap();
        let body: Vec<u8> = bytes.first().unwrap().get("body").unwrap();
        assert!(!body.windows(6).any(|bytes| bytes == "段小".as_bytes()), "names are encrypted");
    }
}

#[tokio::test]
async fn fields_that_do_not_fit_the_type_issue_nothing() {
    let test = ledger(store::test::On::Sqlite).await;
    for (change, code) in [
        (("name", serde_json::json!("")), "licence.bad_fields"),
        (("scope", serde_json::json!("零售")), "licence.bad_fields"),
        (("colour", serde_json::json!("红")), "licence.bad_fields"),
        (("operator", serde_json::Value::Null), "licence.bad_fields"),
    ] {
        let mut fields = business_fields();
        fields.insert(change.0.into(), change.1);
        assert_eq!(issued(&test, business(fields)).await.unwrap_err().code(), code, "{}", change.0);
    }
    let mut new = business(business_fields());
    new.valid_to = Some(date(2026, 11, 23));
    assert!(matches!(issued(&test, new).await, Err(LicenceError::Term)));
    let mut new = business(business_fields());
    new.type_id = "resident-id".into();
    assert!(matches!(issued(&test, new).await, Err(LicenceError::UnknownType(_))));
    assert!(wallet_of(&test.store.read(), holder()).await.unwrap().is_empty());
}

#[tokio::test]
async fn suspending_restoring_and_revoking_show_everywhere_and_keep_the_history() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        assert_eq!(entry(&test, &licence).await, Entry::Valid);

        let tx = test.store.begin().await.unwrap();
        test.clock.advance(SignedDuration::from_secs(1));
        let suspended = actions::suspend(&tx, &officer(), licence.clone(), grounds()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(entry(&test, &licence).await, Entry::Suspended);
        assert_eq!(find_valid(&test.store.read(), holder(), &["business-licence"]).await.unwrap(), []);

        let tx = test.store.begin().await.unwrap();
        test.clock.advance(SignedDuration::from_secs(1));
        let restored = actions::restore(&tx, &officer(), suspended, grounds()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(entry(&test, &licence).await, Entry::Valid);

        let tx = test.store.begin().await.unwrap();
        test.clock.advance(SignedDuration::from_secs(1));
        let revoked = actions::revoke(&tx, &officer(), restored, grounds()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(entry(&test, &licence).await, Entry::Revoked);
        assert_eq!(revoked.standing(date(2026, 11, 24)), Standing::Revoked);

        let tx = test.store.begin().await.unwrap();
        let refused = actions::restore(&tx, &officer(), revoked.clone(), grounds()).await;
        assert!(matches!(refused, Err(LicenceError::Transition(_))));
        drop(tx);

        let kept = history(&test.store.read(), licence.holder, licence.id).await.unwrap();
        let state = LicenceState::fold(kept.iter().map(|recorded| &recorded.event)).unwrap();
        assert_eq!(state, again(&test, &licence).await.state);
        assert_eq!(state.status, Status::Revoked);
        let kinds: Vec<&str> = kept.iter().map(|recorded| recorded.event.kind()).collect();
        assert_eq!(kinds, ["issued", "suspended", "restored", "revoked"]);
        assert!(kept.iter().all(|recorded| recorded.by == "dali-city-amr-approver"));
        let read = test.store.read();
        let events =
            read.rows("SELECT kind, payload FROM store_outbox ORDER BY event_id", vec![]).await.unwrap();
        let last = events.last().unwrap();
        assert_eq!(last.get::<String>("kind").unwrap(), "licences.revoked");
        let payload: LicenceChanged = serde_json::from_str(&last.get::<String>("payload").unwrap()).unwrap();
        assert_eq!((payload.licence_id, payload.subject), (licence.id, holder()));
    }
}

#[tokio::test]
async fn a_change_that_another_officer_overtook_is_refused() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        let tx = test.store.begin().await.unwrap();
        actions::suspend(&tx, &officer(), licence.clone(), grounds()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin().await.unwrap();
        let late = actions::revoke(&tx, &officer(), licence.clone(), grounds()).await;
        assert!(matches!(late, Err(LicenceError::Changed)));
        drop(tx);
        let blank = Grounds { reason: " ".into(), ..grounds() };
        let tx = test.store.begin().await.unwrap();
        let refused = actions::revoke(&tx, &officer(), licence, blank).await;
        assert!(matches!(refused, Err(LicenceError::Grounds("reason"))));
    }
}

#[tokio::test]
async fn an_amended_licence_has_a_new_version_and_the_old_paper_holds_no_more() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        let mut fields = business_fields();
        fields.insert("premises".into(), "云南省大理市下关镇人民路8号".into());
        let tx = test.store.begin().await.unwrap();
        let amended =
            actions::amend(&tx, &registry(), &officer(), licence.clone(), &fields, grounds()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(amended.identifier().version(), 2);
        assert_eq!(amended.identifier().serial(), licence.identifier().serial());
        assert_eq!(entry(&test, &licence).await, Entry::Revoked);
        assert_eq!(entry(&test, &amended).await, Entry::Valid);
        assert_eq!(again(&test, &licence).await, amended);
        let now = test.store.env().now();
        let trust = test.store.keys().trust_list();
        let list = status::make(&test.store).await.unwrap();
        let old = licence.document.qr_text().unwrap();
        let verdict = licences::verify::verify_file(old.as_bytes(), &trust, Some(&list), now);
        assert_eq!(verdict.finding.code(), "revoked");
    }
}

#[tokio::test]
async fn terms_end_once_even_after_days_of_standstill() {
    for on in BOTH {
        let test = ledger(on).await;
        let mut new = business(business_fields());
        new.valid_to = Some(date(2026, 11, 30));
        let licence = issued(&test, new).await.unwrap();
        assert_eq!(actions::expire_due(&test.store, date(2026, 11, 30)).await.unwrap(), 0);
        test.clock.advance(SignedDuration::from_hours(24 * 20));
        let today = date(2026, 12, 14);
        assert_eq!(licence.standing(today), Standing::Expired);
        assert_eq!(find_valid(&test.store.read(), holder(), &["business-licence"]).await.unwrap(), []);
        assert_eq!(actions::expire_due(&test.store, today).await.unwrap(), 1);
        assert_eq!(actions::expire_due(&test.store, today).await.unwrap(), 0);
        assert_eq!(again(&test, &licence).await.state.status, Status::Expired);
    }
}

#[tokio::test]
async fn a_code_shows_what_its_scene_needs_once_and_for_minutes() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        let code = present(&test, &licence, "prove-premises").await;
        assert_eq!(code.code.len(), 11);
        assert_eq!(code.claims, ["uscc", "name", "kind", "premises"]);
        let verifier = Verifier { name: "古城社区".into(), purpose: "租赁备案".into() };
        let typed = code.code.to_lowercase().replace('-', " ");

        let tx = test.store.begin().await.unwrap();
        let shown = actions::use_code(&tx, &registry(), &Actor::Anonymous, &typed, &verifier).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(shown.standing, Standing::Valid);
        assert_eq!(shown.claims.keys().collect::<Vec<_>>(), ["kind", "name", "premises", "uscc"]);

        let gone = use_code(&test.store, &code.code).await;
        assert!(matches!(gone, Err(LicenceError::CodeGone)));
        let uses = actions::uses_of(&test.store.read(), holder(), licence.id, 10).await.unwrap();
        assert_eq!(uses.len(), 1);
        let look = uses.first().unwrap();
        assert_eq!(
            (look.channel.as_str(), look.found.as_str(), &look.verifier),
            ("code", "valid", &verifier)
        );
        let footprint = audit::footprint(&test.store.read(), holder(), None, 1).await.unwrap();
        assert_eq!(footprint.first().map(|entry| entry.purpose.as_str()), Some("verification"));

        let late = present(&test, &licence, PLAIN_SCENE).await;
        test.clock.advance(SignedDuration::from_mins(5));
        assert!(matches!(use_code(&test.store, &late.code).await, Err(LicenceError::CodeGone)));
        for nonsense in ["", "XXXXX-XXXXX", "'; DROP TABLE licences_use; --", "照照照照照照照照照照"]
        {
            assert!(matches!(use_code(&test.store, nonsense).await, Err(LicenceError::CodeGone)));
        }
        let tx = test.store.begin().await.unwrap();
        let unknown = actions::present(&tx, &registry(), &citizen(), &licence, "marry").await;
        assert!(matches!(unknown, Err(LicenceError::UnknownScene(_))));
    }
}

async fn present(test: &TestStore, licence: &Licence, scene: &str) -> actions::Presentation {
    let tx = test.store.begin().await.unwrap();
    let made = actions::present(&tx, &registry(), &citizen(), licence, scene).await.unwrap();
    tx.commit().await.unwrap();
    made
}

async fn use_code(store: &store::Store, code: &str) -> Result<(), LicenceError> {
    let tx = store.begin().await.unwrap();
    actions::use_code(&tx, &registry(), &Actor::Anonymous, code, &Verifier::default()).await?;
    tx.commit().await.unwrap();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_verifiers_at_once_one_wins() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        // Two nodes on one ledger: neither shares its writer with the other.
        let other = open_again(&test.config, test.clock.clone(), licences::MIGRATIONS).await;
        for _ in 0..12 {
            let code = present(&test, &licence, "open-account").await.code;
            let mut racers = Vec::new();
            for store in [test.store.clone(), other.clone(), test.store.clone(), other.clone()] {
                let code = code.clone();
                racers.push(tokio::spawn(async move { use_code(&store, &code).await }));
            }
            let mut won = 0;
            for racer in racers {
                match racer.await.unwrap() {
                    Ok(()) => won += 1,
                    Err(error) => assert!(matches!(error, LicenceError::CodeGone), "{error:?}"),
                }
            }
            assert_eq!(won, 1, "on {on:?}");
        }
        let uses = actions::uses_of(&test.store.read(), holder(), licence.id, 100).await.unwrap();
        assert_eq!(uses.len(), 12);
        other.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_suspended_licence_is_neither_presented_nor_copied() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        let early = present(&test, &licence, PLAIN_SCENE).await;
        let tx = test.store.begin().await.unwrap();
        let suspended = actions::suspend(&tx, &officer(), licence, grounds()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin().await.unwrap();
        let refused = actions::present(&tx, &registry(), &citizen(), &suspended, PLAIN_SCENE).await;
        assert!(matches!(refused, Err(LicenceError::NotInForce)));
        // A code from before tells the truth of now.
        let nobody = Verifier::default();
        let shown =
            actions::use_code(&tx, &registry(), &Actor::Anonymous, &early.code, &nobody).await.unwrap();
        assert_eq!(shown.standing, Standing::Suspended);
    }
}

#[tokio::test]
async fn a_copy_names_purpose_recipient_and_term_or_is_not_made() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        let good = NewCopy {
            purpose: "办理租赁备案".into(),
            recipient: "大理市住建局".into(),
            valid_to: date(2026, 12, 23),
        };
        for (bad, field) in [
            (NewCopy { purpose: "用".repeat(201), ..good.clone() }, "purpose"),
            (NewCopy { recipient: " ".into(), ..good.clone() }, "recipient"),
            (NewCopy { valid_to: date(2026, 11, 23), ..good.clone() }, "valid_to"),
            (NewCopy { valid_to: date(2027, 11, 25), ..good.clone() }, "valid_to"),
        ] {
            let tx = test.store.begin().await.unwrap();
            let refused = actions::annotated_copy(&tx, &citizen(), &licence, bad).await;
            assert!(matches!(refused, Err(LicenceError::Copy(named)) if named == field));
        }
        let tx = test.store.begin().await.unwrap();
        let longest = NewCopy { purpose: "用".repeat(200), ..good };
        let copy = actions::annotated_copy(&tx, &citizen(), &licence, longest).await.unwrap();
        tx.commit().await.unwrap();
        let kept = actions::copies_of(&test.store.read(), holder(), licence.id).await.unwrap();
        assert_eq!(kept, vec![copy]);
    }
}

#[tokio::test]
async fn places_in_the_status_list_are_neither_counted_nor_shared() {
    let test = ledger(store::test::On::Sqlite).await;
    let mut places = Vec::new();
    for _ in 0..40 {
        places.push(issued(&test, business(business_fields())).await.unwrap().record.status);
    }
    let mut sorted: Vec<u32> = places.iter().map(|place| place.index).collect();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 40);
    assert!(places.windows(2).any(|two| two[0].index > two[1].index), "the order of issue does not show");
    assert!(sorted.last().unwrap() - sorted.first().unwrap() > status::LIST_SIZE / 4, "they are spread");
}

#[tokio::test]
async fn the_published_list_is_made_anew_after_a_change_and_after_a_minute() {
    for on in BOTH {
        let test = ledger(on).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        test.clock.advance(SignedDuration::from_secs(1));
        let first = status::published(&test.store).await.unwrap();
        test.clock.advance(SignedDuration::from_secs(10));
        assert_eq!(status::published(&test.store).await.unwrap(), first);
        let tx = test.store.begin().await.unwrap();
        actions::revoke(&tx, &officer(), licence.clone(), grounds()).await.unwrap();
        tx.commit().await.unwrap();
        let second: status::StatusList =
            serde_json::from_slice(&status::published(&test.store).await.unwrap()).unwrap();
        let trust = test.store.keys().trust_list();
        assert_eq!(second.check(&trust).unwrap().entry(licence.record.status), Some(Entry::Revoked));
        test.clock.advance(SignedDuration::from_secs(120));
        let third: status::StatusList =
            serde_json::from_slice(&status::published(&test.store).await.unwrap()).unwrap();
        assert!(third.record.made_at > second.record.made_at);

        let token = status::token(&test.store, "http://127.0.0.1:8080", 0).await.unwrap().unwrap();
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(status::token(&test.store, "http://127.0.0.1:8080", 7).await.unwrap(), None);
    }
}

//! Whatever is done to the audit log behind the node's back, the check names the spot.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use kernel::actor::Actor;
use kernel::ids::{CaseId, SubjectId};
use store::test::{BOTH, On, TestStore, open};
use store::verify::{Finding, Flaw};
use store::{AuditEntry, Purpose, Reads, Store, audit, params, verify};

const ENTRIES: i64 = 6;

async fn log(on: On) -> TestStore {
    let test = open(on, &[]).await;
    for _ in 0..ENTRIES {
        act(&test.store).await;
    }
    test
}

async fn act(store: &Store) {
    let env = store.env();
    let subject = SubjectId::generate(&*env.clock, &*env.entropy);
    let case = CaseId::generate(&*env.clock, &*env.entropy);
    let tx = store.begin().await.unwrap();
    tx.audit(
        AuditEntry::new(&Actor::Node, "cases.view", Purpose::CaseHandling)
            .about(subject)
            .in_case(case, "532901-20261124-7QK3M9X-C")
            .object("cases.case"),
    );
    tx.commit().await.unwrap();
}

async fn findings(store: &Store) -> Vec<Finding> {
    verify::verify(store).await.unwrap().findings
}

async fn tamper(store: &Store, sql: &str) {
    let tx = store.begin().await.unwrap();
    assert!(tx.execute(sql, vec![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_log_has_no_finding() {
    for on in BOTH {
        let test = log(on).await;
        let report = verify::verify(&test.store).await.unwrap();
        assert_eq!(report.findings, vec![]);
        assert_eq!((report.leaves, report.heads), (ENTRIES, ENTRIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_byte_of_every_column_is_named_with_its_entry() {
    let texts = [
        "subject_id",
        "actor_kind",
        "actor_id",
        "actor_label",
        "action",
        "case_id",
        "case_no",
        "purpose",
        "object",
    ];
    for on in BOTH {
        let test = log(on).await;
        for column in texts {
            let row = test
                .store
                .read()
                .rows(&format!("SELECT {column} AS value FROM store_audit_entry WHERE seq = 3"), vec![])
                .await
                .unwrap();
            let value: String = row[0].get("value").unwrap();
            let spots = value.char_indices().map(|(at, _)| at).chain([value.len()]);
            for at in spots {
                let mut changed = value.clone();
                // A different letter in place of each, and one more at the end.
                if at < changed.len() {
                    let old = changed.remove(at);
                    changed.insert(at, if old == 'x' { 'y' } else { 'x' });
                } else {
                    changed.push('x');
                }
                set(&test.store, "store_audit_entry", column, "seq = 3", changed.as_str()).await;
                let found = findings(&test.store).await;
                assert_eq!(found.len(), 1, "{on:?} {column} {at}: {found:?}");
                assert_eq!((found[0].place, found[0].seq), ("store_audit_entry", 3), "{column} {at}");
            }
            set(&test.store, "store_audit_entry", column, "seq = 3", value.as_str()).await;
        }
        for bit in [0_u32, 7, 20, 40] {
            let step = 1_i64 << bit;
            tamper(&test.store, &format!("UPDATE store_audit_entry SET at = at + {step} WHERE seq = 3"))
                .await;
            assert_eq!(findings(&test.store).await[0].seq, 3, "{on:?} at");
            tamper(&test.store, &format!("UPDATE store_audit_entry SET at = at - {step} WHERE seq = 3"))
                .await;
        }
        assert_eq!(findings(&test.store).await, vec![], "{on:?}: all was put back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_bit_of_hashes_salts_roots_and_signatures_is_named() {
    let columns = [
        ("store_audit_entry", "salt", "seq = 2"),
        ("store_audit_leaf", "commitment", "seq = 2"),
        ("store_audit_leaf", "leaf_hash", "seq = 2"),
        ("store_audit_head", "root", "tree_size = 3"),
        ("store_audit_head", "gm_signature", "tree_size = 3"),
        ("store_audit_head", "intl_signature", "tree_size = 3"),
        ("store_audit_state", "frontier", "id = 1"),
    ];
    for on in BOTH {
        let test = log(on).await;
        for (table, column, place) in columns {
            let row = test
                .store
                .read()
                .rows(&format!("SELECT {column} AS value FROM {table} WHERE {place}"), vec![])
                .await
                .unwrap();
            let value: Vec<u8> = row[0].get("value").unwrap();
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 1 << (at % 8);
                set(&test.store, table, column, place, changed).await;
                let found = findings(&test.store).await;
                assert!(
                    found.iter().any(|finding| finding.place == table),
                    "{on:?} {table}.{column} byte {at}: {found:?}"
                );
            }
            set(&test.store, table, column, place, value).await;
        }
        assert_eq!(findings(&test.store).await, vec![], "{on:?}: all was put back");
    }
}

async fn set(store: &Store, table: &str, column: &str, place: &str, value: impl store::IntoValue) {
    let tx = store.begin().await.unwrap();
    tx.execute(&format!("UPDATE {table} SET {column} = $1 WHERE {place}"), params![value]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_a_reorder_and_an_insertion_are_named() {
    for on in BOTH {
        let test = log(on).await;
        tamper(&test.store, "DELETE FROM store_audit_entry WHERE seq = 2").await;
        let found = findings(&test.store).await;
        assert_eq!((found[0].place, found[0].seq), ("store_audit_entry", 2), "{on:?}");

        let test = log(on).await;
        tamper(&test.store, "DELETE FROM store_audit_leaf WHERE seq = 2").await;
        assert_eq!(
            (findings(&test.store).await[0].place, findings(&test.store).await[0].seq),
            ("store_audit_leaf", 2)
        );

        let test = log(on).await;
        for table in ["store_audit_entry", "store_audit_leaf"] {
            tamper(&test.store, &format!("UPDATE {table} SET seq = 100 WHERE seq = 1")).await;
            tamper(&test.store, &format!("UPDATE {table} SET seq = 1 WHERE seq = 4")).await;
            tamper(&test.store, &format!("UPDATE {table} SET seq = 4 WHERE seq = 100")).await;
        }
        let found = findings(&test.store).await;
        assert_eq!((found[0].place, found[0].seq), ("store_audit_entry", 1), "{on:?}: {found:?}");

        let test = log(on).await;
        let tx = test.store.begin().await.unwrap();
        tx.execute(
            "INSERT INTO store_audit_entry
                    (subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no, purpose,
                     object, salt)
             VALUES ('-', 77, 1, 'node', '', '', 'cases.view', '', '', 'operation', '', $1)",
            params![vec![0_u8; 16]],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let found = findings(&test.store).await;
        assert_eq!((found[0].place, found[0].seq), ("store_audit_entry", 77), "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_is_named_even_if_the_ledger_was_made_consistent_again() {
    for on in BOTH {
        let test = log(on).await;
        let kept: Vec<u8> = {
            // The state as it was at four leaves, as a forger with the database would compute it.
            let mut tree = crypto::merkle::Frontier::new(crypto::hash::Hash::Sm3);
            let rows = test
                .store
                .read()
                .rows("SELECT leaf_hash FROM store_audit_leaf WHERE seq < 4 ORDER BY seq", vec![])
                .await
                .unwrap();
            for row in rows {
                tree.append(row.get::<Vec<u8>>("leaf_hash").unwrap().try_into().unwrap());
            }
            tree.to_bytes()
        };
        for sql in [
            "DELETE FROM store_audit_entry WHERE seq >= 4",
            "DELETE FROM store_audit_leaf WHERE seq >= 4",
            "DELETE FROM store_audit_head WHERE tree_size > 4",
            "UPDATE store_audit_state SET tree_size = 4",
        ] {
            tamper(&test.store, sql).await;
        }
        set(&test.store, "store_audit_state", "frontier", "id = 1", kept).await;
        let found = findings(&test.store).await;
        assert_eq!(found.len(), 2, "{on:?}: {found:?}");
        assert!(
            found
                .iter()
                .all(|finding| finding.place == audit::CHECKPOINT_FILE && finding.what == Flaw::CutTail)
        );

        // A forger who goes on from there makes a fork.
        for _ in 0..2 {
            act(&test.store).await;
        }
        let found = findings(&test.store).await;
        assert!(found.iter().any(|finding| finding.what == Flaw::Fork), "{on:?}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_footprint_shows_a_person_their_own_entries_newest_first() {
    for on in BOTH {
        let test = log(on).await;
        let env = test.store.env();
        let subject = SubjectId::generate(&*env.clock, &*env.entropy);
        for action in ["identity.prefill", "cases.view", "licences.issue"] {
            let tx = test.store.begin().await.unwrap();
            tx.audit(AuditEntry::new(&Actor::Node, action, Purpose::CaseHandling).about(subject));
            tx.commit().await.unwrap();
        }
        let page = audit::footprint(&test.store.read(), subject, None, 2).await.unwrap();
        let actions: Vec<&str> = page.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["licences.issue", "cases.view"], "{on:?}");
        let rest = audit::footprint(&test.store.read(), subject, Some(page[1].seq), 2).await.unwrap();
        assert_eq!(rest.len(), 1, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_line_that_was_cut_by_the_power_is_no_finding_but_a_changed_end_is() {
    for on in BOTH {
        let test = log(on).await;
        let path = test.store.data_dir().join(audit::CHECKPOINT_FILE);
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 2, 40] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            assert_eq!(findings(&test.store).await, vec![], "{on:?}: {cut} bytes were not written yet");
        }
        let last = i64::try_from(whole.iter().filter(|byte| **byte == b'\n').count()).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &changed).unwrap();
        let found = findings(&test.store).await;
        assert!(
            found.iter().any(|one| one.what == Flaw::LineUnreadable && one.seq == last),
            "{on:?}: the end of the file was changed: {found:?}"
        );
        // The next head is written behind whole lines only, by a process that finds the torn one.
        std::fs::write(&path, &whole[..whole.len() - 40]).unwrap();
        test.store.close().await.unwrap();
        let again = store::test::open_again(&test.config, test.clock.clone(), &[]).await;
        assert_eq!(std::fs::read(&path).unwrap().len(), whole.len() - 40, "opening alone changes nothing");
        act(&again).await;
        assert_eq!(findings(&again).await, vec![], "{on:?}");
    }
}

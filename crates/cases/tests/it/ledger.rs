//! Cases in the ledger, on both databases.

use crate::common::*;
use cases::actions::{AutomaticDecision, DecisionInput, NewRating};
use cases::jobs::sweep;
use cases::model::{CaseEventKind, ChildReason, Grade, Moment, Stage};
use cases::queue::{Cursor, Filter, lights, list_of_subject, queue};
use jiff::SignedDuration;
use kernel::calendar::WorkCalendar;
use kernel::ids::{CaseId, LicenceId};
use kernel::legal_clock::Light;
use store::Reads;
use store::test::BOTH;

fn decision(outcome: &str) -> DecisionInput {
    DecisionInput {
        outcome: outcome.to_owned(),
        reasons: vec![reason("材料齐全，符合法定形式")],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_case_goes_from_receipt_to_its_rating_and_each_act_is_noted() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (key, told) = opened(store, new_case(store)).await;
        assert_eq!(told.stage, Stage::Received);
        assert_eq!(told.promised.due(), None, "the clock starts with acceptance");

        act!(store, claim, &registrar(), key).unwrap();
        act!(store, accept, &registrar(), key).unwrap();
        let case = act!(store, examine, &registrar(), key, "经营场所已核验", Some("approved")).unwrap();
        assert_eq!(case.stage(), Stage::Decision);
        let refused =
            act!(store, decide, &officer(11, MARKET, &["approver"]), key, decision("approved")).unwrap_err();
        assert_eq!(code(&refused), "case.four_eyes");
        let case = act!(store, decide, &approver(), key, decision("approved")).unwrap();
        assert_eq!(case.stage(), Stage::Production);

        let licence = LicenceId::generate(&*store.env().clock, &*store.env().entropy);
        for _ in 0..2 {
            let case = act!(store, deliver, key, Some(licence)).unwrap();
            assert_eq!(case.stage(), Stage::Rating, "a reaction that runs twice delivers once");
        }
        let good = NewRating {
            moment: Moment::Completion,
            grade: Grade::new(5).unwrap(),
            dimensions: Default::default(),
            comment: String::new(),
        };
        assert_eq!(act!(store, rate, &citizen(1), key, &PACK, good.clone()).unwrap(), None);
        let again = act!(store, rate, &citizen(1), key, &PACK, good).unwrap_err();
        assert_eq!(code(&again), "case.already_rated");
        assert_eq!(loaded(store, key).await.case.stage(), Stage::Archived);

        let noted = store::audit::footprint(&store.read(), key.subject, None, 50).await.unwrap();
        let actions: Vec<&str> = noted.iter().rev().map(|entry| entry.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "cases.open",
                "cases.claim",
                "cases.accept",
                "cases.examine",
                "cases.decide",
                "cases.deliver",
                "cases.rate"
            ]
        );
        let told = store
            .read()
            .count("SELECT COUNT(*) AS n FROM store_outbox WHERE kind = 'cases.concluded'", vec![])
            .await
            .unwrap();
        assert_eq!(told, 1);
    }
}

#[tokio::test]
async fn of_two_who_act_at_once_exactly_one_wins() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (key, _) = opened(store, new_case(store)).await;
        let mut tries = Vec::new();
        for number in 0..8 {
            let store = store.clone();
            tries.push(tokio::spawn(async move {
                let actor = officer(20 + number, MARKET, &["registrar"]);
                let at = cases::actions::At { key, seen: Some(1) };
                act!(store, accept, &actor, at).map(|_| ())
            }));
        }
        let mut won = 0;
        for one in tries {
            match one.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert_eq!(code(&error), "case.changed_meanwhile"),
            }
        }
        assert_eq!(won, 1, "{on:?}");
        assert_eq!(loaded(store, key).await.case.seq(), 2);
    }
}

/// Two nodes on one database: each has a writer of its own, so only the key can decide.
#[tokio::test]
async fn two_processes_that_append_the_same_place_do_not_both_succeed() {
    let ledger = ledger(store::test::On::Postgres).await;
    let other = store::test::open_again(&ledger.config, ledger.clock.clone(), cases::MIGRATIONS).await;
    let (key, _) = opened(&ledger.store, new_case(&ledger.store)).await;
    let first = ledger.store.begin().await.unwrap();
    cases::actions::accept(&first, &registrar(), key).await.unwrap();
    let slower = tokio::spawn(async move {
        let tx = other.begin().await.unwrap();
        let done = cases::actions::accept(&tx, &approver(), key).await;
        match done {
            Ok(_) => tx.commit().await.is_ok(),
            Err(error) => {
                assert_eq!(code(&error), "case.changed_meanwhile");
                false
            }
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    first.commit().await.unwrap();
    assert!(!slower.await.unwrap(), "both accepted");
    assert_eq!(loaded(&ledger.store, key).await.case.seq(), 2);
}

#[tokio::test]
async fn one_correction_notice_and_no_second_one() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (key, _) = opened(store, new_case(store)).await;
        let points = [point("租赁合同缺少出租人签名")];
        let empty = act!(store, ask_correction, &registrar(), key, &[point(" ")]).unwrap_err();
        assert_eq!(code(&empty), "case.text_missing");
        act!(store, ask_correction, &registrar(), key, &points).unwrap();
        let foreign = act!(store, answer_correction, &citizen(2), key, "已补签", None).unwrap_err();
        assert_eq!(code(&foreign), "case.not_found");
        let case = act!(store, answer_correction, &citizen(1), key, "已补签", None).unwrap();
        assert_eq!(case.stage(), Stage::Received);
        let second = act!(store, ask_correction, &registrar(), key, &points).unwrap_err();
        assert_eq!(code(&second), "case.second_correction");
        act!(store, accept, &registrar(), key).unwrap();
    }
}

#[tokio::test]
async fn after_a_week_switched_off_silence_has_accepted_from_the_day_of_receipt() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let calendar = WorkCalendar::embedded();
        // Received on Tuesday 24 November: the office may speak until Tuesday 1 December.
        let (key, _) = opened(store, new_case(store)).await;
        set(&ledger.clock, "2026-12-01T23:59");
        assert_eq!(sweep(store, calendar).await.unwrap().events, 0);
        set(&ledger.clock, "2026-12-04T10:00");
        let late = act!(store, ask_correction, &registrar(), key, &[point("缺少照片")]).unwrap_err();
        assert_eq!(code(&late), "case.deemed_accepted");
        let late =
            act!(store, reject_application, &registrar(), key, &[reason("不属于本机关职权")]).unwrap_err();
        assert_eq!(code(&late), "case.deemed_accepted");

        let swept = sweep(store, calendar).await.unwrap();
        // Accepted, and the promise of three days from 24 November has passed: both its cards.
        assert_eq!((swept.cases, swept.events, swept.failed), (1, 3, 0));
        assert_eq!(sweep(store, calendar).await.unwrap(), Default::default(), "a second run finds nothing");
        let loaded = loaded(store, key).await;
        let CaseEventKind::DeemedAccepted { received, deadline } = &loaded.events[1].kind else {
            panic!("{:?}", loaded.events[1])
        };
        assert_eq!((received.to_string(), deadline.to_string()), ("2026-11-24".into(), "2026-12-01".into()));
        let (statutory, promised) = loaded.case.readings(calendar, store.env().now().china_date());
        assert_eq!(promised.due().unwrap().to_string(), "2026-11-27");
        assert_eq!(statutory.unwrap().due().unwrap().to_string(), "2026-12-22");
        let cards: Vec<_> = loaded.events[2..].iter().map(|event| event.kind.name()).collect();
        assert_eq!(cards, ["card_shown", "card_shown"]);
    }
}

/// Swept every day or once at the end: the same events, but for the time at which they were noted.
#[tokio::test]
async fn a_sweeper_that_was_off_for_weeks_misses_nothing() {
    let calendar = WorkCalendar::embedded();
    let mut histories = Vec::new();
    for daily in [true, false] {
        let ledger = ledger(store::test::On::Sqlite).await;
        let store = &ledger.store;
        let (first, _) = opened(store, new_case(store)).await;
        let (second, _) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), second).unwrap();
        let (third, _) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), third).unwrap();
        act!(store, withdraw, &citizen(1), third, "不办了").unwrap();
        for _ in 0..36 {
            ledger.clock.advance(SignedDuration::from_hours(24));
            if daily {
                assert_eq!(sweep(store, calendar).await.unwrap().failed, 0);
            }
        }
        sweep(store, calendar).await.unwrap();
        let mut kinds = Vec::new();
        for key in [first, second, third] {
            let mut of_case: Vec<String> = loaded(store, key)
                .await
                .events
                .iter()
                .skip(1)
                .map(|event| format!("{:?}", event.kind))
                .collect();
            of_case.sort();
            kinds.push(of_case);
        }
        histories.push(kinds);
    }
    assert_eq!(histories[0], histories[1]);
    assert!(histories[0][0].iter().any(|kind| kind.starts_with("DeemedAccepted")));
    assert!(histories[0][2].iter().any(|kind| kind.starts_with("Archived")));
}

#[tokio::test]
async fn the_cached_columns_can_be_rebuilt_from_the_events_alone() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (asked, _) = opened(store, new_case(store)).await;
        act!(store, claim, &registrar(), asked).unwrap();
        act!(store, ask_correction, &registrar(), asked, &[point("缺少照片")]).unwrap();
        let (paused, _) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), paused).unwrap();
        act!(store, pause, &registrar(), paused, "hearing", "定于下周举行听证").unwrap();
        let (refused, _) = opened(store, new_case(store)).await;
        act!(store, reject_application, &registrar(), refused, &[reason("不属于本机关职权")]).unwrap();
        let (bad, _) = opened(store, new_case(store)).await;
        let rating = NewRating {
            moment: Moment::Submission,
            grade: Grade::new(1).unwrap(),
            dimensions: Default::default(),
            comment: "表太长".to_owned(),
        };
        act!(store, rate, &citizen(1), bad, &PACK, rating).unwrap();
        ledger.clock.advance(SignedDuration::from_hours(24 * 20));
        sweep(store, WorkCalendar::embedded()).await.unwrap();

        let tables = ["cases_case", "cases_rating", "cases_card"];
        let before = dump(store, &tables).await;
        assert!(before.iter().all(|rows| !rows.is_empty()), "every table has rows to compare");
        cases::rebuild(store, WorkCalendar::embedded()).await.unwrap();
        assert_eq!(before, dump(store, &tables).await);
    }
}

/// Every row of each table as text, without the random bytes of the cipher.
async fn dump(store: &store::Store, tables: &[&str]) -> Vec<Vec<String>> {
    let mut dumps = Vec::new();
    for table in tables {
        let (texts, numbers): (&[&str], &[&str]) = match *table {
            "cases_case" => (
                &[
                    "subject_id",
                    "case_id",
                    "case_no",
                    "item_id",
                    "item_name_zh",
                    "item_name_en",
                    "procedure_hash",
                    "org",
                    "division",
                    "parent_id",
                    "stage",
                    "outcome",
                    "due_role",
                    "assignee",
                    "due_on",
                    "yellow_from",
                    "statutory_due",
                    "promised_due",
                    "wake_on",
                ],
                &["received_at", "paused", "done", "beyond_year", "since", "closed_at", "last_seq"],
            ),
            "cases_rating" => {
                (&["subject_id", "case_id", "moment", "org", "item_id"], &["again", "grade", "at"])
            }
            _ => (&["subject_id", "case_id", "clock", "due_on", "light", "org", "item_id"], &["at"]),
        };
        let sql = format!("SELECT * FROM {table}");
        let rows = store.read().rows(&sql, vec![]).await.unwrap();
        let mut lines = Vec::new();
        for row in rows {
            let mut line = String::new();
            for text in texts {
                line.push_str(&format!("{text}={:?} ", row.get::<Option<String>>(text).unwrap()));
            }
            for number in numbers {
                line.push_str(&format!("{number}={:?} ", row.get::<Option<i64>>(number).unwrap()));
            }
            lines.push(line);
        }
        lines.sort();
        dumps.push(lines);
    }
    dumps
}

#[tokio::test]
async fn a_case_opens_with_one_row_and_its_events_in_one_statement_each() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let procedures: Vec<_> = PACK.procedures().collect();
        cases::keep_procedures(store, &procedures).await.unwrap();
        let mut new = new_case_of(store, "benefit", subject(1));
        new.at_once = Some(AutomaticDecision {
            outcome: "approved".to_owned(),
            reasons: vec![reason("年满八十周岁")],
            values: [("monthly_fen".to_owned(), serde_json::json!(6000))].into(),
            row: 2,
        });
        let (key, told) = opened(store, new).await;
        assert_eq!((told.stage, told.outcome.as_deref()), (Stage::Production, Some("approved")));
        let loaded = loaded(store, key).await;
        let kinds: Vec<_> =
            loaded.events.iter().map(|event| (event.kind.name(), event.actor.kind.as_str())).collect();
        assert_eq!(kinds, [("opened", "citizen"), ("accepted", "node"), ("decided", "node")]);
        assert_eq!(loaded.case.decision.as_ref().unwrap().automatic.as_ref().unwrap().row, 2);
    }
}

#[tokio::test]
async fn a_person_reviews_an_automatic_decision_and_may_change_it() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let mut new = new_case_of(store, "benefit", subject(1));
        new.at_once = Some(AutomaticDecision {
            outcome: "refused".to_owned(),
            reasons: vec![reason("未满八十周岁")],
            values: no_values(),
            row: 1,
        });
        let (key, _) = opened(store, new).await;
        let number = act!(store, request_review, &citizen(1), key, &PACK, "出生日期登记有误").unwrap();
        let twice = act!(store, request_review, &citizen(1), key, &PACK, "再看一次").unwrap_err();
        assert_eq!(code(&twice), "case.review_asked");
        let child = cases::key_of(&store.read(), &number).await.unwrap().unwrap();
        let case = loaded(store, child).await.case;
        assert_eq!((case.stage(), case.opened.procedure_id.as_str()), (Stage::Accepted, "review-on-request"));
        assert_eq!(case.opened.parent.as_ref().unwrap().reason, ChildReason::Review);
        act!(
            store,
            examine,
            &officer(31, MARKET, &["reviewer"]),
            child,
            "户籍资料显示 1945 年出生",
            Some("changed")
        )
        .unwrap();
        act!(store, decide, &deputy(), child, decision("changed")).unwrap();
        let parent = loaded(store, key).await.case;
        assert_eq!((parent.outcome(), parent.stage()), (Some("approved"), Stage::Production));
        assert_eq!(parent.decision.unwrap().reviewed_in, Some(number));
        let concluded = store.read().count(
            "SELECT COUNT(*) AS n FROM store_outbox WHERE kind = 'cases.concluded' AND payload LIKE '%approved%'",
            vec![],
        ).await.unwrap();
        assert_eq!(concluded, 1);
    }
}

#[tokio::test]
async fn a_bad_rating_becomes_a_case_of_the_rating_office_and_hides_from_the_rated() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (key, _) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), key).unwrap();
        let rating = NewRating {
            moment: Moment::Submission,
            grade: Grade::new(2).unwrap(),
            dimensions: Default::default(),
            comment: "电话总是打不通".to_owned(),
        };
        let number = act!(store, rate, &citizen(1), key, &PACK, rating).unwrap().unwrap();
        let complaint = cases::key_of(&store.read(), &number).await.unwrap().unwrap();
        let office = PACK.node().rating_office.as_str();
        let case = loaded(store, complaint).await.case;
        assert_eq!((case.opened.org.as_str(), case.opened.promised.limit.days), (office, 15));
        assert!(case.ratable().is_empty(), "a complaint is not itself rated");
        // Whoever handled the rated case has no part in the complaint, even with a post in the office.
        let rated = officer(11, office, &["rating-verifier"]);
        assert_eq!(code(&act!(store, claim, &rated, complaint).unwrap_err()), "case.four_eyes");
        assert!(case.seen_by(&rated).is_err() && case.seen_by(&registrar()).is_err());

        let verifier = officer(41, office, &["rating-verifier"]);
        let rectifier = officer(42, office, &["rating-rectifier"]);
        let caller = officer(43, office, &["rating-caller"]);
        act!(store, examine, &verifier, complaint, "情况属实", None).unwrap();
        let waiting = act!(store, decide, &rectifier, complaint, decision("rectified")).unwrap();
        assert_eq!(waiting.stage(), Stage::Delivery, "everybody who complained is called back");
        let grade = Grade::new(4);
        act!(store, hand_over, &caller, complaint, "已回访，表示满意", grade).unwrap();
        let rated = loaded(store, key).await.case;
        assert_eq!(
            rated.ratings.iter().map(|rating| (rating.grade.number(), rating.again)).collect::<Vec<_>>(),
            [(2, false), (4, true)]
        );
        assert_eq!(loaded(store, complaint).await.case.stage(), Stage::Archived);
        let figures = cases::supervision::overview(&store.read()).await.unwrap().items;
        let item = figures.iter().find(|item| item.org.as_str() == MARKET).unwrap();
        assert_eq!((item.ratings, item.mean_hundredths, item.bad, item.rated_again), (1, Some(200), 1, 1));
    }
}

#[tokio::test]
async fn the_queue_of_a_post_pages_filters_and_counts_its_lights() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let mut numbers = Vec::new();
        for _ in 0..25 {
            let (_, told) = opened(store, new_case(store)).await;
            numbers.push(told.case_no);
            ledger.clock.advance(SignedDuration::from_mins(1));
        }
        let (key, told) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), key).unwrap();
        act!(store, claim, &registrar(), key).unwrap();
        let today = store.env().now().china_date();
        let read = store.read();
        let posts = registrar().posts().to_vec();
        let everything = Filter::default();

        let first = queue(&read, &posts, &everything, None, today).await.unwrap();
        assert_eq!(first.cases.len(), 20);
        assert_eq!(first.cases[0].case_no, told.case_no, "the nearest due date comes first");
        let cursor = Cursor::parse(first.next.as_deref().unwrap()).unwrap();
        let second = queue(&read, &posts, &everything, Some(&cursor), today).await.unwrap();
        assert_eq!((second.cases.len(), second.next), (6, None));
        let mut seen: Vec<_> =
            first.cases.iter().chain(&second.cases).map(|case| case.case_no.clone()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 26);

        let of = |filter: Filter| {
            let (read, posts) = (read.clone(), posts.clone());
            async move { queue(&read, &posts, &filter, None, today).await.unwrap().cases.len() }
        };
        assert_eq!(of(Filter { stage: Some(Stage::Review), ..Default::default() }).await, 1);
        assert_eq!(of(Filter { text: Some(numbers[3].to_lowercase()), ..Default::default() }).await, 1);
        assert_eq!(
            of(Filter { text: Some("%".into()), item: Some("x".into()), ..Default::default() }).await,
            0
        );
        assert_eq!(of(Filter { assignee: registrar().account(), ..Default::default() }).await, 1);
        assert!(queue(&read, deputy().posts(), &everything, None, today).await.unwrap().cases.is_empty());
        assert!(queue(&read, &[], &everything, None, today).await.unwrap().cases.is_empty());

        // The lights in SQL are those of the agenda, on each day to come.
        for days in 0..40_i64 {
            let day = today.checked_add(jiff::Span::new().days(days)).unwrap();
            let counted = lights(&read, &posts, &everything, day).await.unwrap();
            for (light, number) in
                [(Light::Red, counted.red), (Light::Yellow, counted.yellow), (Light::Green, counted.green)]
            {
                let filter = Filter { light: Some(light), ..Default::default() };
                let listed = queue(&read, &posts, &filter, None, day).await.unwrap().cases;
                assert!(listed.iter().all(|case| case.light == light));
                assert_eq!(listed.len().min(20), usize::try_from(number).unwrap().min(20));
            }
        }
        let own = list_of_subject(&read, subject(1), None, today).await.unwrap();
        assert_eq!(own.cases[0].case_no, told.case_no, "the newest comes first");
        let older = list_of_subject(&read, subject(1), own.next.as_deref(), today).await.unwrap();
        assert_eq!((own.cases.len(), older.cases.len(), older.next), (20, 6, None));
    }
}

#[tokio::test]
async fn a_changed_event_is_found_and_nobody_decides_upon_it() {
    for on in BOTH {
        let ledger = ledger(on).await;
        let store = &ledger.store;
        let (key, _) = opened(store, new_case(store)).await;
        act!(store, accept, &registrar(), key).unwrap();
        let tx = store.begin().await.unwrap();
        tx.execute("UPDATE cases_event SET at = at + 1 WHERE seq = 1", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        let refused = act!(store, claim, &registrar(), key).unwrap_err();
        assert!(format!("{refused:?}").contains("was changed"));
    }
}

#[tokio::test]
async fn the_ledger_holds_no_name_in_clear() {
    let ledger = ledger(store::test::On::Sqlite).await;
    opened(&ledger.store, new_case(&ledger.store)).await;
    ledger.store.close().await.unwrap();
    for entry in std::fs::read_dir(&ledger.config.data_dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(9).any(|part| part == "段誉和".as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn officers_of_another_office_and_people_of_their_own_affair_are_refused() {
    let ledger = ledger(store::test::On::Sqlite).await;
    let store = &ledger.store;
    let (key, _) = opened(store, new_case(store)).await;
    let elsewhere = officer(51, "dali-city-civil-affairs", &["registrar"]);
    assert_eq!(code(&act!(store, accept, &elsewhere, key).unwrap_err()), "case.not_your_post");
    assert_eq!(code(&act!(store, accept, &citizen(1), key).unwrap_err()), "case.not_your_post");
    let own = officer(1, MARKET, &["registrar"]);
    assert_eq!(code(&act!(store, accept, &own, key).unwrap_err()), "case.own_case");
    act!(store, claim, &registrar(), key).unwrap();
    assert_eq!(code(&act!(store, accept, &approver(), key).unwrap_err()), "case.claimed_by_other");
    act!(store, release, &registrar(), key).unwrap();
    act!(store, accept, &approver(), key).unwrap();
    let nobody = cases::CaseKey {
        subject: subject(1),
        id: CaseId::generate(&*store.env().clock, &*store.env().entropy),
    };
    assert_eq!(code(&act!(store, accept, &registrar(), nobody).unwrap_err()), "case.not_found");
}

#[tokio::test]
async fn only_the_post_that_the_procedure_names_extends_and_only_once() {
    let ledger = ledger(store::test::On::Sqlite).await;
    let store = &ledger.store;
    let (key, _) = opened(store, new_case(store)).await;
    act!(store, accept, &registrar(), key).unwrap();
    let before = loaded(store, key).await.case.agenda(WorkCalendar::embedded()).statutory_due.unwrap();
    assert_eq!(code(&act!(store, extend, &registrar(), key, "情形复杂").unwrap_err()), "case.not_your_post");
    let case = act!(store, extend, &deputy(), key, "情形复杂").unwrap();
    assert!(case.agenda(WorkCalendar::embedded()).statutory_due.unwrap() > before);
    assert_eq!(code(&act!(store, extend, &deputy(), key, "还要再延").unwrap_err()), "case.extended_already");
    assert_eq!(
        code(&act!(store, pause, &registrar(), key, "lunch", "稍候").unwrap_err()),
        "case.unknown_ground"
    );
}

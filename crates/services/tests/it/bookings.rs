//! Seats are never sold twice, and a wedding takes two people who both say yes.

use std::sync::Arc;

use crate::common::{ADULT, BRIDE, Citizen, TestApp, app};
use http::StatusCode;
use kernel::citizen_id::CitizenId;
use kernel::division::{DivisionCode, Divisions};
use kernel::time::Date;
use serde_json::{Value as Json, json};
use store::Reads;
use store::test::BOTH;

const WEDDING: &str = "marriage-registration-appointment";

/// A made-up number of 大理市.
fn number(birth: Date, sequence: u16) -> String {
    let region = DivisionCode::parse("532901").unwrap();
    let today = Date::constant(2026, 11, 24);
    CitizenId::compose(region, birth, sequence, today, Divisions::embedded()).unwrap().as_str().to_owned()
}

async fn begin(test: &TestApp, who: &Citizen) -> String {
    let (status, draft) = test.call(who, "POST", "/api/v1/drafts", json!({ "item": WEDDING })).await;
    assert_eq!(status, StatusCode::CREATED, "{draft}");
    draft["id"].as_str().unwrap().to_owned()
}

async fn first_slot(test: &TestApp, who: &Citizen, draft: &str) -> Json {
    let (_, list) = test.call(who, "GET", &format!("/api/v1/drafts/{draft}/slots"), Json::Null).await;
    list["slots"].as_array().unwrap().iter().find(|slot| slot["free"] != 0).cloned().expect("a free slot")
}

async fn hold(test: &TestApp, who: &Citizen, draft: &str, slot: &Json) -> (StatusCode, Json) {
    let path = format!("/api/v1/drafts/{draft}/slot");
    test.call(who, "PUT", &path, json!({ "starts_at": slot["starts_at"] })).await
}

/// A draft of the groom with everything answered and a seat held.
async fn prepared(test: &TestApp, groom: &Citizen, bride_number: &str) -> (String, Json) {
    let draft = begin(test, groom).await;
    let slot = first_slot(test, groom, &draft).await;
    let (status, held) = hold(test, groom, &draft, &slot).await;
    assert_eq!(status, StatusCode::OK, "{held}");
    let answers = json!({ "answers": {
        "groom.name": "段誉和", "groom.citizen_id": ADULT, "bride.name": "木婉清", "bride.citizen_id": bride_number,
        "contact.phone": "13800001234", "both.declare": true, "groom.confirmed": true,
    }});
    let (status, body) = test.call(groom, "PUT", &format!("/api/v1/drafts/{draft}/answers"), answers).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let promises = json!({ "materials": ["declaration"] });
    let (status, body) = test.call(groom, "PUT", &format!("/api/v1/drafts/{draft}/promises"), promises).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["next_page"], Json::Null, "{body}");
    (draft, held)
}

async fn taken(test: &TestApp) -> i64 {
    test.app
        .store
        .read()
        .count("SELECT CAST(COALESCE(SUM(taken), 0) AS BIGINT) AS n FROM services_slot", vec![])
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_confirm_and_both_get_the_slip() {
    for on in BOTH {
        let test = app(on).await;
        let groom = test.person("段誉和", ADULT, false).await;
        let bride = test.person("木婉清", BRIDE, false).await;
        let (draft, held) = prepared(&test, &groom, BRIDE).await;
        let submit = format!("/api/v1/drafts/{draft}/submit");
        let (status, waiting) = test.call(&groom, "POST", &submit, Json::Null).await;
        assert_eq!((status, waiting["state"].as_str()), (StatusCode::OK, Some("waiting")), "{waiting}");
        assert!(waiting["case_no"].is_null());
        // The groom cannot say yes for the bride, nor a stranger for either.
        let confirm = format!("/api/v1/invitations/{}/confirm", held["booking"].as_str().unwrap());
        assert_eq!(test.call(&groom, "POST", &confirm, Json::Null).await.0, StatusCode::NOT_FOUND);
        let (_, list) = test.call(&bride, "GET", "/api/v1/invitations", Json::Null).await;
        assert_eq!(list["invitations"][0]["by"], "段**", "{list}");
        let (status, done) = test.call(&bride, "POST", &confirm, Json::Null).await;
        assert_eq!((status, done["state"].as_str()), (StatusCode::OK, Some("submitted")), "{done}");
        let (status, again) = test.call(&bride, "POST", &confirm, Json::Null).await;
        assert_eq!(
            (status, again["code"].as_str()),
            (StatusCode::CONFLICT, Some("services.invitation_over"))
        );
        let (_, replay) = test.call(&groom, "POST", &submit, Json::Null).await;
        assert_eq!(replay["case_no"], done["case_no"]);
        test.work_off().await;
        for who in [&groom, &bride] {
            let wallet = licences::wallet_of(&test.app.store.read(), who.subject).await.unwrap();
            assert_eq!(wallet.len(), 1, "{on:?}");
            assert_eq!(wallet[0].type_id, "marriage-appointment-slip");
        }
        assert_eq!(taken(&test).await, 1);
        // The register's answer goes into the case as yes or no, never the record.
        let db = test.app.store.read();
        let key = cases::key_of(&db, done["case_no"].as_str().unwrap()).await.unwrap().unwrap();
        let case = cases::find(&db, key).await.unwrap().unwrap().case;
        let checked = case.opened.payload.sections.last().unwrap();
        assert_eq!(checked.rows.len(), 2, "{checked:?}");
        assert!(serde_json::to_string(checked).unwrap().contains("无配偶"));
        assert!(!serde_json::to_string(&case.opened.payload).unwrap().contains("single"));
        // Giving it up frees the seat and takes the slips back.
        let path = format!("/api/v1/bookings/{}", held["booking"].as_str().unwrap());
        assert_eq!(test.call(&groom, "DELETE", &path, Json::Null).await.0, StatusCode::NO_CONTENT);
        assert_eq!(taken(&test).await, 0);
        let wallet = licences::wallet_of(&db, bride.subject).await.unwrap();
        assert_eq!(wallet[0].standing(test.app.now().china_date()), licences::Standing::Revoked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_too_young_or_already_married_gets_no_automatic_yes() {
    for on in BOTH {
        let test = app(on).await;
        let groom = test.person("段誉和", ADULT, false).await;
        let minor = number(Date::constant(2008, 3, 8), 2);
        let (draft, _) = prepared(&test, &groom, &minor).await;
        test.person("木婉清", &minor, false).await;
        let (status, refused) =
            test.call(&groom, "POST", &format!("/api/v1/drafts/{draft}/submit"), Json::Null).await;
        assert_eq!(
            (status, refused["code"].as_str()),
            (StatusCode::CONFLICT, Some("services.not_eligible")),
            "{on:?} {refused}"
        );
        assert!(refused["title"].as_str().unwrap().contains("二十周岁"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_nobody_confirms_goes_back_and_the_draft_stays() {
    for on in BOTH {
        let test = app(on).await;
        let groom = test.person("段誉和", ADULT, false).await;
        let bride = test.person("木婉清", BRIDE, false).await;
        let (draft, held) = prepared(&test, &groom, BRIDE).await;
        test.call(&groom, "POST", &format!("/api/v1/drafts/{draft}/submit"), Json::Null).await;
        test.ledger.clock.advance(jiff::SignedDuration::from_mins(31));
        let confirm = format!("/api/v1/invitations/{}/confirm", held["booking"].as_str().unwrap());
        let (status, over) = test.call(&bride, "POST", &confirm, Json::Null).await;
        assert_eq!(
            (status, over["code"].as_str()),
            (StatusCode::CONFLICT, Some("services.invitation_over")),
            "{on:?}"
        );
        assert_eq!(taken(&test).await, 1);
        services::actions::appointments::expire(&test.app).await.unwrap();
        services::actions::appointments::expire(&test.app).await.unwrap();
        assert_eq!(taken(&test).await, 0, "{on:?}");
        let (_, body) = test.call(&groom, "GET", &format!("/api/v1/drafts/{draft}"), Json::Null).await;
        assert_eq!(body["state"], "open", "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_never_oversold_however_many_ask_at_once() {
    for on in BOTH {
        let test = Arc::new(app(on).await);
        let mut couples = Vec::new();
        for sequence in 1..=24_u16 {
            let who = test.person("候选人", &number(Date::constant(1995, 5, 5), sequence), false).await;
            couples.push((begin(&test, &who).await, who));
        }
        let slot = first_slot(&test, &couples[0].1, &couples[0].0).await;
        let asked: Vec<_> = couples
            .into_iter()
            .map(|(draft, who)| {
                let (test, slot) = (test.clone(), slot.clone());
                tokio::spawn(async move { hold(&test, &who, &draft, &slot).await })
            })
            .collect();
        let mut got = 0;
        for one in asked {
            let (status, body) = one.await.unwrap();
            match status {
                StatusCode::OK => got += 1,
                _ => assert_eq!(body["code"], "services.slot_taken", "{body}"),
            }
        }
        assert_eq!(got, 2, "{on:?}: the capacity of a slot is 2");
        assert_eq!(taken(&test).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn choosing_another_slot_gives_the_first_one_back() {
    for on in BOTH {
        let test = app(on).await;
        let groom = test.person("段誉和", ADULT, false).await;
        let draft = begin(&test, &groom).await;
        let (_, list) = test.call(&groom, "GET", &format!("/api/v1/drafts/{draft}/slots"), Json::Null).await;
        for at in [0, 5, 0, 7] {
            let (status, body) = hold(&test, &groom, &draft, &list["slots"][at]).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            assert_eq!(taken(&test).await, 1, "{on:?}");
        }
        let nowhere = json!({ "starts_at": "2026-12-01T03:07:00+08:00" });
        let (status, body) = hold(&test, &groom, &draft, &nowhere).await;
        assert_eq!((status, body["code"].as_str()), (StatusCode::CONFLICT, Some("services.slot_taken")));
        assert_eq!(taken(&test).await, 1);
    }
}

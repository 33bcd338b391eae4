//! From a draft to a case, over the API, on both databases.

use crate::common::{ADULT, BRIDE, Citizen, ELDER, TestApp, app};
use http::StatusCode;
use serde_json::{Value as Json, json};
use store::Reads;
use store::test::{BOTH, On};

const SHOP: &str = "individual-business-registration";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n";

async fn begin(test: &TestApp, who: &Citizen, item: &str) -> String {
    let (status, draft) = test.call(who, "POST", "/api/v1/drafts", json!({ "item": item })).await;
    assert_eq!(status, StatusCode::CREATED, "{draft}");
    draft["id"].as_str().unwrap().to_owned()
}

/// Answers everything for a shop on own premises.
fn shop_answers(name: &str, address: &str) -> Json {
    json!({ "answers": {
        "operator.name": "段誉和", "operator.citizen_id": ADULT, "operator.phone": "13800001234",
        "shop.name": name, "shop.place_kind": "own", "shop.address": address, "shop.scope": ["retail"],
        "operator.declares": true,
    }})
}

const HOUSE: &str = "云南省大理白族自治州大理市大理镇复兴路12号";

async fn filled(test: &TestApp, who: &Citizen, name: &str) -> String {
    let draft = begin(test, who, SHOP).await;
    let path = format!("/api/v1/drafts/{draft}/answers");
    let (status, body) = test.call(who, "PUT", &path, shop_answers(name, HOUSE)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["next_page"], Json::Null, "{body}");
    draft
}

async fn submit(test: &TestApp, who: &Citizen, draft: &str) -> (StatusCode, Json) {
    test.call(who, "POST", &format!("/api/v1/drafts/{draft}/submit"), Json::Null).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_on_own_premises_is_registered_on_the_spot_and_gets_its_licence() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        test.give_house(&owner, HOUSE).await;
        let draft = begin(&test, &owner, SHOP).await;
        let (_, body) = test.call(&owner, "GET", &format!("/api/v1/drafts/{draft}"), Json::Null).await;
        let name = &body["pages"][0]["fields"][0];
        assert_eq!(
            (name["value"].as_str(), name["source"].as_str()),
            (Some("段誉和"), Some("person")),
            "{body}"
        );
        assert_eq!(name["read_only"], true);
        let draft = filled(&test, &owner, "苍洱小馆").await;
        let (status, done) = submit(&test, &owner, &draft).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        let case_no = done["case_no"].as_str().unwrap();
        assert!(case_no.starts_with("532901-20261124-"), "{case_no}");
        assert_eq!(done["receipt"]["record"]["applicant"], "段**", "{done}");
        test.work_off().await;
        let wallet = licences::wallet_of(&test.app.store.read(), owner.subject).await.unwrap();
        let licence = wallet.iter().find(|one| one.type_id == "business-licence").expect("a licence");
        let fields = serde_json::to_value(&licence.record.fields).unwrap();
        assert_eq!(fields["name"], "苍洱小馆");
        assert_eq!(fields["scope"], json!(["日用百货零售"]));
        kernel::uscc::Uscc::parse(fields["uscc"].as_str().unwrap()).unwrap();
        let firms = identity::firms::of_owner(&test.app.store.read(), owner.subject).await.unwrap();
        assert_eq!(firms.len(), 1);
        assert_eq!(firms[0].record.name, "苍洱小馆");
        // The reaction may run twice: nothing is issued twice.
        test.work_off().await;
        let again = licences::wallet_of(&test.app.store.read(), owner.subject).await.unwrap();
        assert_eq!(again.len(), wallet.len(), "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_draft_becomes_one_case_however_often_and_from_wherever_it_is_sent() {
    for on in BOTH {
        let test = std::sync::Arc::new(app(on).await);
        let owner = test.person("段誉和", ADULT, false).await;
        test.give_house(&owner, HOUSE).await;
        let draft = filled(&test, &owner, "洱海渔歌").await;
        let mut sent = Vec::new();
        for _ in 0..16 {
            let (test, owner, draft) = (test.clone(), owner.clone(), draft.clone());
            sent.push(tokio::spawn(async move { submit(&test, &owner, &draft).await }));
        }
        let mut numbers = std::collections::BTreeSet::new();
        for one in sent {
            let (status, done) = one.await.unwrap();
            assert_eq!(status, StatusCode::OK, "{done}");
            numbers.insert(done["case_no"].as_str().unwrap().to_owned());
        }
        assert_eq!(numbers.len(), 1, "{on:?}: {numbers:?}");
        let db = test.app.store.read();
        assert_eq!(db.count("SELECT COUNT(*) AS n FROM cases_case", vec![]).await.unwrap(), 1);
        assert_eq!(db.count("SELECT COUNT(*) AS n FROM services_receipt", vec![]).await.unwrap(), 1);
        assert!(store::verify::verify(&test.app.store).await.unwrap().findings.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_names_one_submission() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        test.give_house(&owner, HOUSE).await;
        let first = filled(&test, &owner, "洱海渔歌").await;
        let second = filled(&test, &owner, "苍山雪茶").await;
        let send = async |draft: &str| {
            let path = format!("/api/v1/drafts/{draft}/submit");
            test.call_with(&owner, "POST", &path, Json::Null, &[("idempotency-key", "k-1")]).await
        };
        let (status, done) = send(&first).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        let (_, again) = send(&first).await;
        assert_eq!(done, again);
        let (status, other) = send(&second).await;
        assert_eq!((status, other["code"].as_str()), (StatusCode::CONFLICT, Some("services.key_reused")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applicants_never_get_one_name() {
    for on in BOTH {
        let test = std::sync::Arc::new(app(on).await);
        let mut owners = Vec::new();
        for (name, number) in [("段誉和", ADULT), ("木婉清", BRIDE)] {
            let owner = test.person(name, number, false).await;
            test.give_house(&owner, HOUSE).await;
            let draft = begin(&test, &owner, SHOP).await;
            let mut answers = shop_answers("风花雪月", HOUSE);
            answers["answers"]["operator.name"] = name.into();
            answers["answers"]["operator.citizen_id"] = number.into();
            let (status, body) =
                test.call(&owner, "PUT", &format!("/api/v1/drafts/{draft}/answers"), answers).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            owners.push((owner, draft));
        }
        let sent: Vec<_> = owners
            .iter()
            .cloned()
            .map(|(owner, draft)| {
                let test = test.clone();
                tokio::spawn(async move { submit(&test, &owner, &draft).await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for one in sent {
            let (status, done) = one.await.unwrap();
            outcomes.push((status, done["code"].as_str().map(str::to_owned)));
        }
        outcomes.sort();
        let db = test.app.store.read();
        let names = db.count("SELECT COUNT(*) AS n FROM services_business_name", vec![]).await.unwrap();
        assert_eq!(names, 1, "{on:?}: {outcomes:?}");
        let cases = db.count("SELECT COUNT(*) AS n FROM cases_case", vec![]).await.unwrap();
        // Either the loser met the name at the write and stays a draft, or saw it taken before and goes to an officer.
        assert!(outcomes[0].0 == StatusCode::OK && (1..=2).contains(&cases), "{on:?}: {outcomes:?}");
        let free = "/api/v1/names/availability?name=%E9%A3%8E%E8%8A%B1%E9%9B%AA%E6%9C%88%E5%AE%A2%E6%A0%88";
        let (_, answer) = test.call(&owners[0].0, "GET", free, Json::Null).await;
        assert_eq!(answer["state"], "taken", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rented_premises_need_a_file_whose_bytes_are_what_its_name_says() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        let draft = begin(&test, &owner, SHOP).await;
        let mut answers = shop_answers("洱海渔歌", "云南省大理白族自治州大理市大理镇人民路8号");
        answers["answers"]["shop.place_kind"] = "rented".into();
        let path = format!("/api/v1/drafts/{draft}/answers");
        let (_, body) = test.call(&owner, "PUT", &path, answers).await;
        assert_eq!(body["next_page"], "premises-proof", "{body}");
        let (status, refused) = submit(&test, &owner, &draft).await;
        assert_eq!(
            (status, refused["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("services.incomplete"))
        );

        let path = format!("/api/v1/drafts/{draft}/attachments/premises-proof");
        let code = |text: &str| {
            let json: Json = serde_json::from_str(text).unwrap();
            json["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
        };
        let (status, text) = test.upload(&owner, &path, "lease.pdf", b"MZ\x90\0 not a pdf").await;
        assert_eq!((status, code(&text).as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "services-file-type"));
        let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
        let (status, text) = test.upload(&owner, &path, "lease.pdf", &png).await;
        assert_eq!(
            (status, code(&text).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "services-file-disguised")
        );
        let (status, text) = test.upload(&owner, &path, "big.pdf", &vec![b'a'; 30 * 1024 * 1024]).await;
        assert_eq!((status, code(&text).as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "field-file-too-large"));
        let (status, text) = test.upload(&owner, &path, "../../租约.pdf", PDF).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(text.contains("\"detail\":\"租约.pdf\""), "{text}");

        let (status, done) = submit(&test, &owner, &draft).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        assert!(
            done["receipt"]["record"]["promised_due"].is_null()
                || done["receipt"]["record"]["promised_due"].is_string()
        );
        let subject = owner.subject;
        let page =
            cases::queue::list_of_subject(&test.app.store.read(), subject, None, test.app.now().china_date())
                .await
                .unwrap();
        assert_eq!(page.cases[0].stage, cases::model::Stage::Received, "{on:?}");
        let (status, _) = test
            .call(&owner, "PUT", &format!("/api/v1/drafts/{draft}/answers"), json!({ "answers": {} }))
            .await;
        assert_eq!(status, StatusCode::CONFLICT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_the_register_said_needs_proof() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        test.give_house(&owner, HOUSE).await;
        let draft = filled(&test, &owner, "洱海渔歌").await;
        let material = |body: &Json, id: &str| {
            let list = body["materials"].as_array().unwrap();
            list.iter().find(|one| one["id"] == id).map(|one| one["met_by"].as_str().unwrap().to_owned())
        };
        let path = format!("/api/v1/drafts/{draft}");
        let (_, body) = test.call(&owner, "GET", &path, Json::Null).await;
        assert_eq!(material(&body, "premises-proof").as_deref(), Some("licence"), "{on:?} {body}");
        assert_eq!(material(&body, "identity").as_deref(), Some("shared"), "{body}");
        let elsewhere =
            json!({ "answers": { "shop.address": "云南省大理白族自治州大理市下关街道建设路3号" } });
        let (_, body) = test.call(&owner, "PUT", &format!("{path}/answers"), elsewhere).await;
        assert_eq!(material(&body, "premises-proof").as_deref(), Some("missing"), "{body}");
        let (status, refused) = submit(&test, &owner, &draft).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        let forged = json!({ "answers": { "operator.name": "别人" } });
        let (status, refused) = test.call(&owner, "PUT", &format!("{path}/answers"), forged).await;
        assert_eq!(
            (status, refused["errors"][0]["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("services-error-read-only"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_its_owners_alone_and_two_devices_do_not_overwrite_each_other() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        let other = test.person("木婉清", BRIDE, false).await;
        let draft = begin(&test, &owner, SHOP).await;
        let path = format!("/api/v1/drafts/{draft}");
        assert_eq!(test.call(&other, "GET", &path, Json::Null).await.0, StatusCode::NOT_FOUND);
        assert_eq!(submit(&test, &other, &draft).await.0, StatusCode::NOT_FOUND);
        let set = |phone: &str| json!({ "version": 1, "answers": { "operator.phone": phone } });
        let answers = format!("{path}/answers");
        let (status, body) = test.call(&owner, "PUT", &answers, set("13900001111")).await;
        assert_eq!((status, body["version"].as_i64()), (StatusCode::OK, Some(2)));
        let (status, body) = test.call(&owner, "PUT", &answers, set("13900002222")).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (StatusCode::CONFLICT, Some("services.changed_elsewhere"))
        );
        // What is stored is not readable without the key.
        let rows = test.app.store.read().rows("SELECT answers FROM services_draft", vec![]).await.unwrap();
        let sealed: Vec<u8> = rows[0].get("answers").unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("13900001111"), "{on:?}");
        // The look-up is in the owner's footprint.
        let footprint =
            store::audit::footprint(&test.app.store.read(), owner.subject, None, 10).await.unwrap();
        assert!(
            footprint.iter().any(|entry| entry.action == "services.prefill" && entry.purpose == "prefill")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_name_the_field_and_say_why() {
    let test = app(store::test::On::Sqlite).await;
    let owner = test.person("段誉和", ADULT, false).await;
    let draft = begin(&test, &owner, SHOP).await;
    let path = format!("/api/v1/drafts/{draft}/answers");
    for (field, value, code) in [
        ("operator.phone", json!("123"), "services-error-phone"),
        ("shop.name", json!("中国饭店"), "services-name-word"),
        ("shop.name", json!("店"), "services-name-too-short"),
        ("shop.place_kind", json!("moon"), "services-error-choice"),
        ("shop.place_kind", json!(7), "services-error-type"),
        ("shop.scope", json!([]), "services-error-choose"),
        ("shop.address", json!("云南省"), "services-error-address"),
        ("shop.premises_proof", json!("x"), "services-error-own-way"),
        ("no.such", json!(1), "services-error-unknown-field"),
        ("shop.name", json!("字".repeat(21)), "services-error-too-long"),
    ] {
        let (status, body) = test.call(&owner, "PUT", &path, json!({ "answers": { field: value } })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {body}");
        assert_eq!(body["errors"][0]["code"], code, "{field}: {body}");
        assert_eq!(body["errors"][0]["field"], field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_is_decided_at_once_with_reasons_and_never_paid_twice() {
    for on in BOTH {
        let test = app(on).await;
        let elder = test.person("白奶奶", ELDER, true).await;
        let answers = |draft: Json| {
            let mut answers = serde_json::Map::new();
            for page in draft["pages"].as_array().unwrap() {
                for field in page["fields"].as_array().unwrap() {
                    answers.insert(field["id"].as_str().unwrap().to_owned(), field["value"].clone());
                }
            }
            json!({ "answers": answers })
        };
        let mut decisions = Vec::new();
        for _ in 0..2 {
            let draft = begin(&test, &elder, "elderly-allowance").await;
            let (_, body) = test.call(&elder, "GET", &format!("/api/v1/drafts/{draft}"), Json::Null).await;
            let (status, body) =
                test.call(&elder, "PUT", &format!("/api/v1/drafts/{draft}/answers"), answers(body)).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let (status, done) = submit(&test, &elder, &draft).await;
            assert_eq!(status, StatusCode::OK, "{done}");
            test.work_off().await;
            let number = done["case_no"].as_str().unwrap();
            let db = test.app.store.read();
            let key = cases::key_of(&db, number).await.unwrap().unwrap();
            decisions
                .push(cases::find(&db, key).await.unwrap().unwrap().case.decision.expect("decided at once"));
        }
        assert!(decisions[0].favourable && decisions[0].automatic.is_some());
        assert!(decisions[0].reasons[0].text.zh.contains("年满八十周岁"), "{:?}", decisions[0].reasons);
        assert!(!decisions[1].favourable, "{on:?}");
        assert!(decisions[1].reasons[0].text.zh.contains("已在领取"), "{:?}", decisions[1].reasons);
        let wallet = licences::wallet_of(&test.app.store.read(), elder.subject).await.unwrap();
        let issued: Vec<_> =
            wallet.iter().filter(|one| one.type_id == "elderly-allowance-decision").collect();
        assert_eq!(issued.len(), 1);
        assert_eq!(serde_json::to_value(&issued[0].record.fields).unwrap()["monthly_amount"], 5000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_nobody_touches_is_forgotten_with_its_files_after_thirty_days() {
    for on in BOTH {
        let test = app(on).await;
        let owner = test.person("段誉和", ADULT, false).await;
        let draft = begin(&test, &owner, SHOP).await;
        let path = format!("/api/v1/drafts/{draft}/attachments/premises-proof");
        assert_eq!(test.upload(&owner, &path, "a.pdf", PDF).await.0, StatusCode::OK);
        test.ledger.clock.advance(jiff::SignedDuration::from_hours(24 * 29));
        services::actions::appointments::expire(&test.app).await.unwrap();
        assert_eq!(
            test.call(&owner, "GET", &format!("/api/v1/drafts/{draft}"), Json::Null).await.0,
            StatusCode::OK
        );
        test.ledger.clock.advance(jiff::SignedDuration::from_hours(25));
        services::actions::appointments::expire(&test.app).await.unwrap();
        assert_eq!(
            test.call(&owner, "GET", &format!("/api/v1/drafts/{draft}"), Json::Null).await.0,
            StatusCode::NOT_FOUND
        );
        let left = test.app.store.read().count("SELECT COUNT(*) AS n FROM store_blob", vec![]).await.unwrap();
        assert_eq!(left, 0, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_online_shop_proves_no_premises_whatever_address_it_gives() {
    let test = app(On::Sqlite).await;
    let owner = test.person("段誉和", ADULT, false).await;
    let draft = begin(&test, &owner, SHOP).await;
    let mut answers = shop_answers("苍洱网店", HOUSE);
    answers["answers"]["shop.place_kind"] = json!("online");
    let path = format!("/api/v1/drafts/{draft}/answers");
    let (status, body) = test.call(&owner, "PUT", &path, answers).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, done) = submit(&test, &owner, &draft).await;
    assert_eq!(status, StatusCode::OK, "{done}");
}

//! What a verifier is told, offline, of every form and every damage.

use crate::common::{business, business_fields, citizen, issued, ledger, officer};
use jiff::SignedDuration;
use jiff::civil::date;
use kernel::time::Timestamp;
use licences::actions::{self, NewCopy};
use licences::document::SignedDocument;
use licences::model::record::IssuerRef;
use licences::model::state::Grounds;
use licences::pdf::{self, Fonts, Paper, seal};
use licences::receipt::{self, ReceiptRecord};
use licences::status::{self, StatusList};
use licences::verify::{Carrier, Finding, Verdict, file_document, presentation, verify_file};
use licences::{Licence, verify};
use packs::model::Words;
use store::test::{On, TestStore};
use web::i18n::Lang;

struct Scene {
    test: TestStore,
    licence: Licence,
}

impl Scene {
    async fn new() -> Self {
        let test = ledger(On::Sqlite).await;
        let licence = issued(&test, business(business_fields())).await.unwrap();
        Self { test, licence }
    }

    async fn status(&self) -> StatusList {
        status::make(&self.test.store).await.unwrap()
    }

    async fn verdict(&self, bytes: &[u8]) -> Verdict {
        self.at(bytes, self.test.store.env().now()).await
    }

    async fn at(&self, bytes: &[u8], now: Timestamp) -> Verdict {
        let trust = self.test.store.keys().trust_list();
        verify_file(bytes, &trust, Some(&self.status().await), now)
    }

    fn file(&self) -> Vec<u8> {
        file_document(&self.licence).unwrap().to_file_json().unwrap()
    }

    fn pdf(&self, copy: Option<&actions::AnnotatedCopy>) -> Vec<u8> {
        let paper = Paper { licence: &self.licence, copy, base_url: "http://127.0.0.1:8080", demo: true };
        let page = pdf::render(&paper, &Fonts::find().unwrap()).unwrap();
        let identifier = self.licence.identifier().to_string();
        let sealed = seal::seal(&self.test.store.keys(), page, &identifier, copy).unwrap();
        if let (Some(folder), Some(_)) = (std::env::var_os("YIWANG_KEEP_PDF"), copy) {
            std::fs::write(std::path::Path::new(&folder).join("copy.pdf"), &sealed).unwrap();
        }
        sealed
    }

    fn forms(&self) -> Vec<(Carrier, Vec<u8>)> {
        vec![
            (Carrier::File, self.file()),
            (Carrier::Code, self.licence.document.qr_text().unwrap().into_bytes()),
            (Carrier::Credential, file_document(&self.licence).unwrap().intl.into_bytes()),
            (Carrier::Pdf, self.pdf(None)),
        ]
    }
}

fn receipt() -> ReceiptRecord {
    ReceiptRecord {
        case_no: "532901-20261124-7QK3M9X-C".into(),
        item: Words::new("个体工商户设立登记", "Registration of an individual business"),
        issuer: IssuerRef {
            code: crate::common::issuer(),
            name: Words::new("大理市市场监督管理局", "Dali City Administration for Market Regulation"),
            uscc: "11532901MB0Y000608".into(),
        },
        applicant: "段**".into(),
        received_at: store::test::start_of_tests(),
        content_hash: format!("sm3:{}", "0".repeat(64)),
        statutory_due: Some(date(2026, 12, 15)),
        promised_due: Some(date(2026, 11, 25)),
    }
}

fn grounds() -> Grounds {
    Grounds { reason: "撤销登记".into(), legal_basis: "国务院令第746号第四十条".into() }
}

#[tokio::test]
async fn every_form_of_a_licence_is_valid_and_says_the_same() {
    let scene = Scene::new().await;
    for (carrier, bytes) in scene.forms() {
        let verdict = scene.verdict(&bytes).await;
        assert_eq!(verdict.finding, Finding::Valid, "{carrier:?}");
        let shown = verdict.shown.unwrap();
        assert_eq!(shown.carrier, carrier);
        assert_eq!(shown.number, scene.licence.identifier().to_string());
        let name = shown.claims.iter().find(|claim| claim.id == "name").unwrap();
        assert_eq!(name.value.zh, "大理市古城苍洱扎染小店");
        assert!(shown.claims.iter().all(|claim| claim.id != "operator_citizen_id"));
        assert_eq!(verdict.as_of, Some(scene.test.store.env().now()));
    }
}

#[tokio::test]
async fn each_state_of_a_licence_has_its_verdict_in_every_form() {
    let mut scene = Scene::new().await;
    let tx = scene.test.store.begin().await.unwrap();
    let suspended = actions::suspend(&tx, &officer(), scene.licence.clone(), grounds()).await.unwrap();
    tx.commit().await.unwrap();
    for (carrier, bytes) in scene.forms() {
        assert_eq!(scene.verdict(&bytes).await.finding, Finding::Suspended, "{carrier:?}");
    }
    let tx = scene.test.store.begin().await.unwrap();
    scene.licence = actions::revoke(&tx, &officer(), suspended, grounds()).await.unwrap();
    tx.commit().await.unwrap();
    for (carrier, bytes) in scene.forms() {
        assert_eq!(scene.verdict(&bytes).await.finding, Finding::Revoked, "{carrier:?}");
    }

    let mut new = business(business_fields());
    new.valid_from = date(2026, 12, 1);
    new.valid_to = Some(date(2026, 12, 31));
    scene.licence = issued(&scene.test, new).await.unwrap();
    let last = Timestamp::parse("2026-12-31T23:59:59+08:00").unwrap();
    let over = Timestamp::parse("2027-01-01T00:00:00+08:00").unwrap();
    for (carrier, bytes) in scene.forms() {
        let early = scene.verdict(&bytes).await.finding;
        assert_eq!(early, Finding::NotYetValid { from: date(2026, 12, 1) }, "{carrier:?}");
        scene.test.clock.set(last);
        assert_eq!(scene.verdict(&bytes).await.finding, Finding::Valid, "{carrier:?}");
        scene.test.clock.set(over);
        let late = scene.verdict(&bytes).await.finding;
        assert_eq!(late, Finding::Expired { on: date(2026, 12, 31) }, "{carrier:?}");
        scene.test.clock.set(store::test::start_of_tests());
    }
}

#[tokio::test]
async fn without_a_fresh_list_nobody_is_told_valid() {
    let scene = Scene::new().await;
    let trust = scene.test.store.keys().trust_list();
    let now = scene.test.store.env().now();
    let file = scene.file();
    let none = verify_file(&file, &trust, None, now).finding;
    assert_eq!(none, Finding::StatusUnknown { age_hours: None });
    let list = scene.status().await;
    let later = now.plus(SignedDuration::from_hours(50));
    let old = verify_file(&file, &trust, Some(&list), later);
    assert_eq!(old.finding, Finding::StatusUnknown { age_hours: Some(50) });
    assert!(old.to_text(Lang::EN).contains("50 hours old"), "{}", old.to_text(Lang::EN));
    assert!(old.to_text(Lang::ZH).contains("50 小时前"), "{}", old.to_text(Lang::ZH));

    // A list from before the licence says nothing about it, however fresh it is.
    scene.test.clock.advance(SignedDuration::from_hours(2));
    let young = issued(&scene.test, business(business_fields())).await.unwrap();
    let bytes = young.document.qr_text().unwrap();
    let verdict = verify_file(bytes.as_bytes(), &trust, Some(&list), scene.test.store.env().now());
    assert_eq!(verdict.finding, Finding::StatusUnknown { age_hours: Some(2) });

    // Revoked stays revoked, however old the list that says so.
    let tx = scene.test.store.begin().await.unwrap();
    actions::revoke(&tx, &officer(), scene.licence.clone(), grounds()).await.unwrap();
    tx.commit().await.unwrap();
    let list = scene.status().await;
    let verdict = verify_file(&file, &trust, Some(&list), now.plus(SignedDuration::from_hours(900)));
    assert_eq!(verdict.finding, Finding::Revoked);

    let mut forged = list.clone();
    forged.record.lists.clear();
    assert_eq!(
        verify_file(&file, &trust, Some(&forged), now).finding,
        Finding::StatusUnknown { age_hours: None },
        "a list whose signature does not fit is no list"
    );
}

#[tokio::test]
async fn documents_of_another_issuer_are_of_an_unknown_key() {
    let (scene, other) = (Scene::new().await, Scene::new().await);
    // Two ledgers of tests may by chance begin with the same keys.
    for algorithm in [crypto::suite::Algorithm::Sm2Sm3, crypto::suite::Algorithm::Ed25519] {
        store::keys::rotate(&other.test.store, crypto::keys::Purpose::Licence, algorithm).await.unwrap();
    }
    let elsewhere = issued(&other.test, business(business_fields())).await.unwrap();
    let foreign = Scene { test: other.test, licence: elsewhere };
    for (carrier, bytes) in foreign.forms() {
        let finding = scene.verdict(&bytes).await.finding;
        assert!(matches!(finding, Finding::UnknownKey { .. }), "{carrier:?} {finding:?}");
    }
}

#[tokio::test]
async fn every_bit_of_a_code_counts_or_means_the_same() {
    let scene = Scene::new().await;
    let trust = scene.test.store.keys().trust_list();
    let (status, now) = (scene.status().await, scene.test.store.env().now());
    let message = scene.licence.document.gm.clone();
    let genuine = crypto::qr::to_text(&message).unwrap();
    let verdict_of_genuine = verify_file(genuine.as_bytes(), &trust, Some(&status), now);
    assert!(verdict_of_genuine.is_good());
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let text = crypto::qr::to_text(&changed).unwrap();
        let finding = verify_file(text.as_bytes(), &trust, Some(&status), now).finding;
        assert!(
            matches!(finding, Finding::Forged | Finding::UnknownKey { .. } | Finding::Unreadable),
            "bit {bit}: {finding:?}"
        );
    }
    for bit in 0..genuine.len() * 8 {
        let mut changed = genuine.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verdict = verify_file(&changed, &trust, Some(&status), now);
        // Deflate can spell one message in several ways: the same message is the same licence.
        assert!(!verdict.is_good() || verdict == verdict_of_genuine, "bit {bit} of the text: {verdict:?}");
    }
}

#[tokio::test]
async fn every_byte_of_a_file_counts_or_means_the_same() {
    let scene = Scene::new().await;
    let trust = scene.test.store.keys().trust_list();
    let (status, now) = (scene.status().await, scene.test.store.env().now());
    let file = scene.file();
    let genuine = verify_file(&file, &trust, Some(&status), now);
    assert!(genuine.is_good());
    // A prime stride meets every part of the file and every bit.
    for bit in (0..file.len() * 8).step_by(7) {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verdict = verify_file(&changed, &trust, Some(&status), now);
        assert!(!verdict.is_good() || verdict == genuine, "bit {bit}: {verdict:?}");
    }
}

#[tokio::test]
async fn every_byte_of_a_pdf_counts() {
    let scene = Scene::new().await;
    let trust = scene.test.store.keys().trust_list();
    let (status, now) = (scene.status().await, scene.test.store.env().now());
    let pdf = scene.pdf(None);
    for at in (0..pdf.len()).step_by(pdf.len() / 150).chain(pdf.len() - 200..pdf.len()) {
        let mut changed = pdf.clone();
        changed[at] ^= 1;
        let finding = verify_file(&changed, &trust, Some(&status), now).finding;
        assert!(
            matches!(finding, Finding::Forged | Finding::UnknownKey { .. } | Finding::Unreadable),
            "byte {at}: {finding:?}"
        );
    }
    let mut longer = pdf.clone();
    longer.extend_from_slice(b"%%EOF\n");
    assert_eq!(verify_file(&longer, &trust, Some(&status), now).finding, Finding::Forged);
    let unsealed = pdf[..pdf.windows(8).rposition(|bytes| bytes == b"%YWSEAL:").unwrap()].to_vec();
    assert_eq!(verify_file(&unsealed, &trust, Some(&status), now).finding, Finding::Forged);
    let other = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n";
    assert_eq!(verify_file(other, &trust, Some(&status), now).finding, Finding::Unreadable);
}

#[tokio::test]
async fn a_seal_of_one_licence_does_not_fit_the_page_of_another() {
    let scene = Scene::new().await;
    let other = issued(&scene.test, business(business_fields())).await.unwrap();
    let paper = Paper { licence: &scene.licence, copy: None, base_url: "http://x", demo: false };
    let page = pdf::render(&paper, &Fonts::find().unwrap()).unwrap();
    let identifier = other.identifier().to_string();
    let sealed = seal::seal(&scene.test.store.keys(), page, &identifier, None).unwrap();
    assert_eq!(scene.verdict(&sealed).await.finding, Finding::Forged);
}

#[tokio::test]
async fn labels_and_parts_of_two_licences_cannot_be_swapped() {
    let scene = Scene::new().await;
    let other = issued(&scene.test, business(business_fields())).await.unwrap();
    let own = file_document(&scene.licence).unwrap();
    let foreign = file_document(&other).unwrap();
    let labels = own.definition.clone().map(|mut definition| {
        definition["fields"][1]["label"]["zh"] = "法定代表人".into();
        definition
    });
    for swapped in [
        SignedDocument { record: foreign.record.clone(), ..own.clone() },
        SignedDocument { gm: foreign.gm.clone(), ..own.clone() },
        SignedDocument { intl: foreign.intl.clone(), ..own.clone() },
        SignedDocument { definition: labels, ..own.clone() },
    ] {
        let verdict = scene.verdict(&swapped.to_file_json().unwrap()).await;
        assert_eq!(verdict.finding, Finding::Forged);
        assert_eq!(verdict.shown, None, "what is not genuine is not shown");
    }
}

#[tokio::test]
async fn a_presentation_shows_no_more_than_was_chosen() {
    let scene = Scene::new().await;
    let text = presentation(&scene.licence, &["premises".to_owned()]).unwrap();
    let verdict = scene.verdict(text.as_bytes()).await;
    assert_eq!(verdict.finding, Finding::Valid);
    let mut shown: Vec<String> = verdict.shown.unwrap().claims.into_iter().map(|claim| claim.id).collect();
    shown.sort();
    assert_eq!(shown, ["kind", "name", "premises", "uscc"]);
    // The holder's own number cannot be chosen here, whatever is asked for.
    let greedy =
        presentation(&scene.licence, &["operator_citizen_id".to_owned(), "/own/x".to_owned()]).unwrap();
    assert!(!greedy.contains(&scene.licence.own["operator_citizen_id"].salt));
    let verdict = scene.verdict(greedy.as_bytes()).await;
    assert!(verdict.shown.unwrap().claims.iter().all(|claim| claim.id != "operator_citizen_id"));
}

#[tokio::test]
async fn a_copy_is_good_for_its_term_and_says_what_it_is_for() {
    let scene = Scene::new().await;
    let new = NewCopy {
        purpose: "办理租赁备案".into(),
        recipient: "大理市住建局".into(),
        valid_to: date(2026, 11, 30),
    };
    let tx = scene.test.store.begin().await.unwrap();
    let copy = actions::annotated_copy(&tx, &citizen(), &scene.licence, new).await.unwrap();
    tx.commit().await.unwrap();
    let bytes = scene.pdf(Some(&copy));
    let verdict = scene.verdict(&bytes).await;
    assert_eq!(verdict.finding, Finding::Valid);
    assert_eq!(verdict.shown.as_ref().unwrap().copy, Some(copy));
    assert!(verdict.to_text(Lang::ZH).contains("用途：办理租赁备案"));
    scene.test.clock.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(scene.verdict(&bytes).await.finding, Finding::Expired { on: date(2026, 11, 30) });
}

#[tokio::test]
async fn a_receipt_is_verified_offline_and_never_passes_for_a_licence() {
    let scene = Scene::new().await;
    let trust = scene.test.store.keys().trust_list();
    let now = scene.test.store.env().now();
    let signed = receipt::sign(&scene.test.store.keys(), &receipt()).unwrap();
    let file = signed.to_file_json().unwrap();
    let verdict = verify_file(&file, &trust, None, now);
    assert_eq!(verdict.finding, Finding::Valid);
    let text = verdict.to_text(Lang::ZH);
    assert!(text.starts_with("真实有效"), "{text}");
    for part in ["532901-20261124-7QK3M9X-C", "个体工商户设立登记", "法定办结日：2026-12-15"] {
        assert!(text.contains(part), "{text}");
    }
    let code = signed.qr_text().unwrap();
    assert!(verify_file(code.as_bytes(), &trust, None, now).is_good());
    let disguised = String::from_utf8(file.clone()).unwrap().replace("yiwang-receipt/1", "yiwang-licence/1");
    assert_eq!(verify_file(disguised.as_bytes(), &trust, None, now).finding, Finding::Forged);
    let later = String::from_utf8(file).unwrap().replace("2026-12-15", "2026-12-14");
    assert_eq!(verify_file(later.as_bytes(), &trust, None, now).finding, Finding::Forged);
    assert_eq!(ReceiptRecord::read(&signed.record), Some(receipt()));
}

#[tokio::test]
async fn whatever_is_thrown_at_the_verifier_is_unreadable() {
    let scene = Scene::new().await;
    let huge = vec![b'{'; 2_000_000];
    for bytes in [
        &b""[..],
        b"{}",
        b"hello",
        b"\xff\xfe",
        b"YW1:",
        b"YW1:%%%",
        b"~",
        b"a.b.c~",
        b"%PDF-",
        b"null",
        b"{\"format\":\"yiwang-licence/1\",\"record\":{},\"gm\":\"\",\"intl\":\"\"}",
        huge.as_slice(),
    ] {
        let verdict = scene.verdict(bytes).await;
        assert_eq!(verdict.finding, Finding::Unreadable, "{:?}", &bytes[..bytes.len().min(40)]);
        for lang in [Lang::ZH, Lang::EN] {
            assert!(verdict.to_text(lang).lines().count() == 2);
        }
    }
}

#[tokio::test]
async fn an_old_signature_verifies_after_the_key_was_replaced() {
    let scene = Scene::new().await;
    scene.test.clock.advance(SignedDuration::from_hours(1));
    for algorithm in [crypto::suite::Algorithm::Sm2Sm3, crypto::suite::Algorithm::Ed25519] {
        store::keys::rotate(&scene.test.store, crypto::keys::Purpose::Licence, algorithm).await.unwrap();
    }
    assert_eq!(scene.verdict(&scene.file()).await.finding, Finding::Valid);
    // Within the very second of the rotation the new keys sign already.
    let young = issued(&scene.test, business(business_fields())).await.unwrap();
    let bytes = verify::file_document(&young).unwrap().to_file_json().unwrap();
    assert_eq!(scene.verdict(&bytes).await.finding, Finding::Valid);
}

//! One record, three renderings, one meaning.

use std::process::{Command, Stdio};

use crate::common::{business, business_fields, issued, ledger};
use crypto::sd_jwt;
use kernel::ids::SubjectId;
use licences::actions::AnnotatedCopy;
use licences::document::Format;
use licences::model::canonical;
use licences::pdf::{self, Fonts, Paper};
use licences::verify::{self, file_document, record_of_claims};
use packs::model::LicenceType;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use store::test::On;

fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("licence.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8"])
        .arg(&path)
        .arg("-")
        .stdin(Stdio::null())
        .output()
        .expect("pdftotext of poppler-utils is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Line breaks and spaces are the page's, not the record's.
fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn kind(licence: &licences::Licence) -> LicenceType {
    serde_json::from_value(licence.document.definition.clone().unwrap()).unwrap()
}

/// Holds the three renderings of a licence against its record.
fn check(test: &store::test::TestStore, licence: &licences::Licence) {
    let record = licence.record.canonical().unwrap();
    let trust = test.store.keys().trust_list();

    let verified = crypto::cose::verify1(&trust, &licence.document.gm).unwrap();
    let of_code = canonical::from_cbor(&verified.payload).unwrap();
    assert_eq!(canonical::to_text(&of_code).unwrap(), record, "the code says the record");

    let file = file_document(licence).unwrap();
    let now = test.store.env().now();
    let claims = sd_jwt::verify(&trust, Format::Licence.purpose(), &file.intl, now).unwrap().claims;
    let of_credential = record_of_claims(claims).unwrap();
    assert_eq!(canonical::to_text(&of_credential).unwrap(), record, "the credential says the record");

    let paper = Paper { licence, copy: None, base_url: "http://127.0.0.1:8080", demo: false };
    let pdf = pdf::render(&paper, &Fonts::find().unwrap()).unwrap();
    if let Some(folder) = std::env::var_os("YIWANG_KEEP_PDF") {
        let name = format!("{}.pdf", licence.type_id);
        std::fs::write(std::path::Path::new(&folder).join(name), &pdf).unwrap();
    }
    let text = squeezed(&text_of(&pdf));
    let expected: String = pdf::rows(licence, &kind(licence))
        .iter()
        .map(|row| squeezed(&format!("{}{}{}", row.label.zh, row.label.en, row.value)))
        .collect();
    let head = squeezed(&format!("Number{}", licence.record.number()));
    let (_, after) = text.split_once(&head).unwrap_or_else(|| panic!("no `{head}` in {text}"));
    assert!(after.starts_with(&expected), "the page says the record:\n{after}\n{expected}");
    assert!(text.contains(&format!("证照标识Identifier：{}", licence.identifier())), "{text}");
    assert!(text.contains(&squeezed(&licence.record.issuer.name.zh)), "{text}");
    for own in licence.own.values() {
        let secret = squeezed(&own.value.shown(None).zh);
        assert!(!text.contains(&secret), "a field for the holder alone is on paper");
    }
}

#[tokio::test]
async fn the_three_renderings_of_a_business_licence_say_the_record() {
    let test = ledger(On::Sqlite).await;
    let licence = issued(&test, business(business_fields())).await.unwrap();
    check(&test, &licence);
    assert_eq!(licence.identifier().version(), 1);
    assert_eq!(licence.record.hash().unwrap().len(), 64);
}

#[tokio::test]
async fn an_allowance_decision_shows_money_and_hides_the_account() {
    let test = ledger(On::Sqlite).await;
    let mut new = business(
        json!({
            "holder": "李桂兰", "citizen_id": "532901193601012345", "monthly_amount": 8_000,
            "account": "6217 0000 1234 5678"
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    new.type_id = "elderly-allowance-decision".to_owned();
    let licence = issued(&test, new).await.unwrap();
    check(&test, &licence);
    assert_eq!(licence.own.len(), 2);
    let file = String::from_utf8(file_document(&licence).unwrap().to_file_json().unwrap()).unwrap();
    for secret in ["532901193601012345", "6217 0000 1234 5678"] {
        assert!(!file.contains(secret));
    }
    for (id, own) in &licence.own {
        assert_eq!(licence.record.withheld.get(id), Some(&own.commitment(id)));
    }
}

#[tokio::test]
async fn the_same_licence_gives_the_same_page() {
    let test = ledger(On::Sqlite).await;
    let licence = issued(&test, business(business_fields())).await.unwrap();
    let paper = Paper { licence: &licence, copy: None, base_url: "http://127.0.0.1:8080", demo: true };
    let fonts = Fonts::find().unwrap();
    let first = pdf::render(&paper, &fonts).unwrap();
    assert_eq!(first, pdf::render(&paper, &fonts).unwrap());
    assert!(text_of(&first).contains("演示"));
}

#[tokio::test]
async fn what_looks_like_markup_is_printed_as_it_was_typed() {
    let test = ledger(On::Sqlite).await;
    let mut fields = business_fields();
    fields.insert("name".into(), "#panic() *店* $x$ <a> \\ // \"店\" #sys.inputs".into());
    fields.insert("premises".into(), "𠮷祥街1号 `raw` @ref = 标题".into());
    let licence = issued(&test, business(fields)).await.unwrap();
    let paper = Paper { licence: &licence, copy: None, base_url: "http://127.0.0.1:8080", demo: false };
    let text = squeezed(&text_of(&pdf::render(&paper, &Fonts::find().unwrap()).unwrap()));
    assert!(text.contains("#panic()*店*$x$<a>\\//\"店\"#sys.inputs"), "{text}");
    assert!(text.contains("祥街1号`raw`@ref=标题"), "{text}");
}

/// The QR codes that a scanner finds on the first page.
fn scanned(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("licence.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftoppm")
        .args(["-gray", "-r", "300", "-f", "1", "-l", "1"])
        .arg(&path)
        .output()
        .expect("pdftoppm of poppler-utils is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Binary PGM: `P5`, width, height, 255, then a byte for each dot.
    let mut numbers = output.stdout.splitn(4, |byte| byte.is_ascii_whitespace());
    assert_eq!(numbers.next(), Some(&b"P5"[..]));
    let mut number = || -> usize { std::str::from_utf8(numbers.next().unwrap()).unwrap().parse().unwrap() };
    let (width, height) = (number(), number());
    let dots = &output.stdout[output.stdout.len() - width * height..];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
    image.detect_grids().iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}

#[tokio::test]
async fn the_code_on_paper_is_scanned_and_verified() {
    let test = ledger(On::Sqlite).await;
    let licence = issued(&test, business(business_fields())).await.unwrap();
    let copy = AnnotatedCopy {
        copy_no: "ZNPW72MMT4".into(),
        purpose: "办理租赁备案".into(),
        recipient: "大理市住建局".into(),
        made_at: licence.record.issued_at,
        valid_to: jiff::civil::date(2026, 12, 1),
    };
    for (copy, demo) in [(None, false), (None, true), (Some(&copy), true)] {
        let paper = Paper { licence: &licence, copy, base_url: "http://127.0.0.1:8080", demo };
        let texts = scanned(&pdf::render(&paper, &Fonts::find().unwrap()).unwrap());
        assert_eq!(texts, [licence.document.qr_text().unwrap()]);
    }
}

#[tokio::test]
async fn a_licence_too_long_for_a_code_is_printed_whole_on_more_pages() {
    let test = ledger(On::Sqlite).await;
    let mut fields = business_fields();
    // Characters that hardly compress.
    let scope: Vec<String> = (0..30)
        .map(|n| {
            (0..150).map(|m| char::from_u32(0x4e00 + (n * 7919 + m * 104_729) % 20_000).unwrap()).collect()
        })
        .collect();
    fields.insert("scope".into(), scope.clone().into());
    let licence = issued(&test, business(fields.clone())).await.unwrap();
    assert!(licence.document.qr_text().is_err());
    let paper = Paper { licence: &licence, copy: None, base_url: "http://127.0.0.1:8080", demo: false };
    let pdf = pdf::render(&paper, &Fonts::find().unwrap()).unwrap();
    let identifier = licence.identifier().to_string();
    // Every page ends with the identifier and the address.
    let foot = format!("证照标识Identifier：{identifier}核验Verify：http://127.0.0.1:8080/verify");
    let text = squeezed(&text_of(&pdf));
    assert!(text.matches(&foot).count() > 1, "there is more than one page");
    assert!(text.replace(&foot, "").replace('\u{c}', "").contains(&squeezed(&scope.join("；"))), "{text}");
    let sealed = pdf::seal::seal(&test.store.keys(), pdf, &identifier, None).unwrap();
    let status = licences::status::make(&test.store).await.unwrap();
    let trust = test.store.keys().trust_list();
    assert!(verify::verify_file(&sealed, &trust, Some(&status), test.store.env().now()).is_good());

    fields.insert("scope".into(), vec!["营".repeat(1_500); 5].into());
    let refused = issued(&test, business(fields)).await.unwrap_err();
    assert_eq!(kernel::error::Coded::code(&refused), "licence.bad_fields");
}

fn values() -> impl Strategy<Value = Json> {
    (
        "[一-龥A-Za-z0-9（）·]{1,30}",
        "[一-龥]{2,4}",
        "[ -~一-龥]{1,60}",
        prop::collection::vec("[一-龥]{1,20}", 1..8),
    )
        .prop_filter("values are not blank", |(_, _, premises, _)| !premises.trim().is_empty())
        .prop_map(|(name, operator, premises, scope)| {
            let mut fields = business_fields();
            fields.insert("name".into(), name.into());
            fields.insert("operator".into(), operator.into());
            fields.insert("premises".into(), premises.into());
            fields.insert("scope".into(), scope.into());
            Json::Object(fields)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn code_and_credential_say_the_record_whatever_the_fields(fields in values()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let test = ledger(On::Sqlite).await;
            let mut new = business(fields.as_object().unwrap().clone());
            new.holder = SubjectId::from_uuid(kernel::ids::Uuid::from_u128(9));
            let licence = issued(&test, new).await.unwrap();
            let record = licence.record.canonical().unwrap();
            let trust = test.store.keys().trust_list();
            let text = licence.document.qr_text().unwrap();
            let message = crypto::qr::from_text(&text).unwrap();
            let payload = crypto::cose::verify1(&trust, &message).unwrap().payload;
            assert_eq!(canonical::to_text(&canonical::from_cbor(&payload).unwrap()).unwrap(), record);
            let file = file_document(&licence).unwrap();
            let now = test.store.env().now();
            let claims = sd_jwt::verify(&trust, Format::Licence.purpose(), &file.intl, now).unwrap().claims;
            assert_eq!(canonical::to_text(&record_of_claims(claims).unwrap()).unwrap(), record);
            let bytes = file.to_file_json().unwrap();
            let status = licences::status::make(&test.store).await.unwrap();
            assert!(verify::verify_file(&bytes, &trust, Some(&status), now).is_good());
            assert!(verify::verify_file(text.as_bytes(), &trust, Some(&status), now).is_good());
        });
    }
}

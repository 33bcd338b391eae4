//! Credentials whose holder chooses what to show.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::keys::{KeyRing, KeyRingError, Purpose, VerifyError};
use crypto::sd_jwt::{self, Credential, SdJwtError, Verified};
use crypto::signature::SignatureError;
use crypto::suite::{Algorithm, Suite};
use kernel::entropy::SeededEntropy;
use kernel::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const VCT: &str = "https://dali.example/types/business-licence";

fn second(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 1_000_000)
}

fn ring(algorithm: Algorithm) -> KeyRing {
    let mut ring = KeyRing::new("https://dali.example", Suite::Intl);
    ring.generate(Purpose::Licence, algorithm, second(100), &SeededEntropy::new(1)).unwrap();
    ring
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "sub": "0190a0e2-0000-7000-8000-000000000001",
        "name": "洱海边小店",
        "operator": "张三",
        "address": { "county": "大理市", "street": "古城人民路 1 号" },
        "scope": ["餐饮服务", "食品销售", "烟草零售"],
    });
    claims.as_object().unwrap().clone()
}

const WITHHOLDABLE: [&str; 6] =
    ["/operator", "/address", "/address/street", "/scope/0", "/scope/1", "/scope/2"];

fn issued(ring: &KeyRing) -> String {
    let credential = Credential {
        vct: VCT,
        issued_at: second(150),
        expires_at: Some(second(1_000)),
        claims: &claims(),
        withholdable: &WITHHOLDABLE,
    };
    sd_jwt::issue(ring, Purpose::Licence, &credential, &SeededEntropy::new(2)).unwrap()
}

fn verified(ring: &KeyRing, presentation: &str) -> Result<Verified, SdJwtError> {
    sd_jwt::verify(&ring.trust_list(), Purpose::Licence, presentation, second(500))
}

fn shown(ring: &KeyRing, pointers: &[&str]) -> Value {
    let presentation = sd_jwt::present(&issued(ring), pointers).unwrap();
    let mut claims = verified(ring, &presentation).unwrap().claims;
    for registered in ["iss", "iat", "exp", "vct"] {
        claims.shift_remove(registered).unwrap();
    }
    Value::Object(claims)
}

#[test]
fn a_whole_credential_shows_every_claim() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Es256] {
        let ring = ring(algorithm);
        let result = verified(&ring, &issued(&ring)).unwrap();
        assert_eq!((result.algorithm, result.vct.as_str()), (algorithm, VCT));
        assert_eq!(result.kid, ring.active(Purpose::Licence, algorithm).unwrap().kid);
        for (name, value) in claims() {
            assert_eq!(result.claims.get(&name), Some(&value), "{name}");
        }
        assert_eq!(result.claims.get("iss"), Some(&json!("https://dali.example")));
        assert_eq!(result.claims.get("exp"), Some(&json!(1000)));
    }
}

#[test]
fn the_holder_shows_what_they_choose_and_the_rest_cannot_be_read() {
    let ring = ring(Algorithm::Ed25519);
    let sub = "0190a0e2-0000-7000-8000-000000000001";
    assert_eq!(shown(&ring, &[]), json!({ "sub": sub, "name": "洱海边小店", "scope": [] }));
    assert_eq!(
        shown(&ring, &["/scope/2", "/operator"]),
        json!({ "sub": sub, "name": "洱海边小店", "scope": ["烟草零售"], "operator": "张三" })
    );
    assert_eq!(
        shown(&ring, &["/address"]),
        json!({ "sub": sub, "name": "洱海边小店", "scope": [], "address": { "county": "大理市" } })
    );
    // A claim inside a withheld one brings it along.
    assert_eq!(
        shown(&ring, &["/address/street"]),
        json!({ "sub": sub, "name": "洱海边小店", "scope": [],
            "address": { "county": "大理市", "street": "古城人民路 1 号" } })
    );

    let presentation = sd_jwt::present(&issued(&ring), &["/operator"]).unwrap();
    for piece in presentation.split(['.', '~']) {
        let bytes = URL_SAFE_NO_PAD.decode(piece).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["古城人民路", "大理市", "餐饮服务", "烟草零售"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn a_presentation_can_be_narrowed_again_and_never_widened() {
    let ring = ring(Algorithm::Ed25519);
    let credential = issued(&ring);
    let mut all = sd_jwt::withholdable(&credential).unwrap();
    all.sort();
    let mut expected = WITHHOLDABLE.map(String::from).to_vec();
    expected.sort();
    assert_eq!(all, expected);
    let narrow = sd_jwt::present(&credential, &["/operator", "/scope/1"]).unwrap();
    let narrower = sd_jwt::present(&narrow, &["/scope/1"]).unwrap();
    assert_eq!(sd_jwt::withholdable(&narrower).unwrap(), ["/scope/1"]);
    for gone in ["/operator", "/address", "/name", "scope", ""] {
        assert_eq!(
            sd_jwt::present(&narrower, &[gone]),
            Err(SdJwtError::NoSuchClaim { pointer: gone.into() })
        );
    }
}

#[test]
fn disclosures_of_another_credential_are_refused() {
    let ring = ring(Algorithm::Ed25519);
    let credential = issued(&ring);
    let other = sd_jwt::issue(
        &ring,
        Purpose::Licence,
        &Credential {
            vct: VCT,
            issued_at: second(150),
            expires_at: None,
            claims: json!({ "operator": "李四" }).as_object().unwrap(),
            withholdable: &["/operator"],
        },
        &SeededEntropy::new(3),
    )
    .unwrap();
    let stolen = other.split('~').nth(1).unwrap();
    assert_eq!(verified(&ring, &format!("{credential}{stolen}~")), Err(SdJwtError::UnknownDisclosure));
}

#[test]
fn what_may_not_be_withheld_or_claimed_is_refused_when_issuing() {
    let ring = ring(Algorithm::Ed25519);
    let attempt = |claims: Value, withholdable: &[&str]| {
        let credential = Credential {
            vct: VCT,
            issued_at: second(150),
            expires_at: None,
            claims: claims.as_object().unwrap(),
            withholdable,
        };
        sd_jwt::issue(&ring, Purpose::Licence, &credential, &SeededEntropy::new(4)).map(|_| ()).unwrap_err()
    };
    let reserved = |name: &str| SdJwtError::ReservedClaim { name: name.into() };
    for name in ["iss", "iat", "exp", "vct", "_sd_alg", "_sd", "..."] {
        assert_eq!(attempt(json!({ name: "x" }), &[]), reserved(name));
    }
    assert_eq!(attempt(json!({ "inner": [{ "_sd": [] }] }), &[]), reserved("_sd"));
    for pointer in ["/iss", "/vct", "/status", "/status/idx", "/cnf", "/exp"] {
        let expected = SdJwtError::NotWithholdable { pointer: pointer.into() };
        assert_eq!(attempt(json!({ "status": { "idx": 1 } }), &[pointer]), expected);
    }
    let list = json!({ "name": "x", "list": [1] });
    for pointer in ["/absent", "/list/1", "/list/-", "/name/x", "name", "", "/_sd"] {
        let expected = SdJwtError::NoSuchClaim { pointer: pointer.into() };
        assert_eq!(attempt(list.clone(), &[pointer]), expected);
    }
    for twice in ["/name", "/list/0"] {
        let expected = SdJwtError::NoSuchClaim { pointer: twice.into() };
        assert_eq!(attempt(list.clone(), &[twice, twice]), expected);
    }
    assert_eq!(attempt(json!({}), &["/x"; 257]), SdJwtError::TooLong);
    assert_eq!(attempt(json!({ "x": "y".repeat(70_000) }), &[]), SdJwtError::TooLong);
}

#[test]
fn sm2_keys_stay_out_of_jose() {
    let mut ring = KeyRing::new("https://dali.example", Suite::Gm);
    ring.generate(Purpose::Licence, Algorithm::Sm2Sm3, second(1), &SeededEntropy::new(1)).unwrap();
    let credential =
        Credential { vct: VCT, issued_at: second(1), expires_at: None, claims: &claims(), withholdable: &[] };
    assert_eq!(
        sd_jwt::issue(&ring, Purpose::Licence, &credential, &SeededEntropy::new(1)),
        Err(SdJwtError::KeyRing(KeyRingError::NoActiveKey { purpose: Purpose::Licence, suite: Suite::Intl }))
    );
}

#[test]
fn the_header_chooses_nothing() {
    let ring = ring(Algorithm::Ed25519);
    let credential = issued(&ring);
    let (header, rest) = credential.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let kid = header.get("kid").unwrap().as_str().unwrap().to_owned();
    assert_eq!(header, json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": kid }));
    let with = |header: Value| {
        verified(&ring, &format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))).unwrap_err()
    };
    for alg in ["none", "None", "HS256", "RS256", "SM2", "SM2-SM3", "Ed25519", ""] {
        assert_eq!(with(json!({ "alg": alg, "typ": "dc+sd-jwt", "kid": kid })), SdJwtError::UnknownAlgorithm);
    }
    assert_eq!(
        with(json!({ "alg": "ES256", "typ": "dc+sd-jwt", "kid": kid })),
        SdJwtError::Signature(VerifyError::WrongAlgorithm {
            kid: kid.clone(),
            expected: Algorithm::Ed25519,
            claimed: Algorithm::Es256
        })
    );
    assert_eq!(
        with(json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid })),
        SdJwtError::WrongType { typ: "JWT".into() }
    );
    assert_eq!(
        with(json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": "00" })),
        SdJwtError::Signature(VerifyError::UnknownKey { kid: "00".into() })
    );
    for extra in ["crit", "jwk", "jku", "x5c"] {
        assert_eq!(
            with(json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": kid, extra: [] })),
            SdJwtError::Malformed
        );
    }
    // The same header in another spelling is not what was signed.
    assert_eq!(
        with(json!({ "kid": kid, "typ": "dc+sd-jwt", "alg": "EdDSA" })),
        SdJwtError::Signature(VerifyError::NotGenuine(SignatureError::Refused))
    );
}

#[test]
fn a_credential_is_accepted_from_its_issuer_within_its_time_for_its_purpose() {
    let signing = ring(Algorithm::Ed25519);
    let trust = signing.trust_list();
    let credential = issued(&signing);
    let at = |time| sd_jwt::verify(&trust, Purpose::Licence, &credential, second(time)).map(|_| ());
    assert_eq!(at(999), Ok(()));
    assert_eq!(at(1_000), Err(SdJwtError::Expired { expired_at: second(1_000) }));
    let kid = signing.keys().next().unwrap().kid.clone();
    assert_eq!(
        sd_jwt::verify(&trust, Purpose::Receipt, &credential, second(500)),
        Err(SdJwtError::Signature(VerifyError::WrongPurpose { kid: kid.clone(), purpose: Purpose::Licence }))
    );
    // The same key under another issuer's name.
    let mut document = serde_json::to_value(&trust).unwrap();
    document.as_object_mut().unwrap().insert("issuer".into(), json!("https://lijiang.example"));
    let elsewhere = serde_json::from_value(document).unwrap();
    assert_eq!(
        sd_jwt::verify(&elsewhere, Purpose::Licence, &credential, second(500)),
        Err(SdJwtError::WrongIssuer)
    );
    let credential = |issued_at, claims: Value| {
        let credential = Credential {
            vct: VCT,
            issued_at: second(issued_at),
            expires_at: None,
            claims: claims.as_object().unwrap(),
            withholdable: &[],
        };
        let text = sd_jwt::issue(&signing, Purpose::Licence, &credential, &SeededEntropy::new(5)).unwrap();
        sd_jwt::verify(&trust, Purpose::Licence, &text, second(500)).map(|_| ())
    };
    assert_eq!(credential(99, json!({})), Err(SdJwtError::Signature(VerifyError::OutsideLife { kid })));
    assert_eq!(
        credential(150, json!({ "nbf": 600 })),
        Err(SdJwtError::NotYetValid { valid_from: second(600) })
    );
    assert_eq!(credential(150, json!({ "nbf": 400 })), Ok(()));
    assert_eq!(credential(150, json!({ "nbf": "soon" })), Err(SdJwtError::Malformed));
}

#[test]
fn a_text_of_another_shape_is_refused_by_name() {
    let ring = ring(Algorithm::Ed25519);
    let credential = issued(&ring);
    let (jwt, _) = credential.split_once('~').unwrap();
    assert_eq!(verified(&ring, jwt), Err(SdJwtError::Malformed), "no tilde");
    assert_eq!(verified(&ring, &format!("{jwt}~a.b.c")), Err(SdJwtError::KeyBinding));
    assert_eq!(verified(&ring, &format!("{jwt}~~")), Err(SdJwtError::BadDisclosure));
    for text in ["", "~", "a~", "a.b~", "..~", "a.b.c~"] {
        assert_eq!(verified(&ring, text), Err(SdJwtError::Malformed), "{text}");
    }
    assert_eq!(verified(&ring, &"~".repeat(70_000)), Err(SdJwtError::TooLong));
    assert_eq!(verified(&ring, &format!("{jwt}{}", "~".repeat(300))), Err(SdJwtError::TooLong));
    let cut = format!("{}~", jwt.get(..jwt.len() - 2).unwrap());
    assert!(matches!(verified(&ring, &cut), Err(SdJwtError::Signature(_) | SdJwtError::Malformed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_character_of_a_credential_can_be_changed(position: prop::sample::Index, other in "[A-Za-z0-9_.~-]") {
        let ring = ring(Algorithm::Ed25519);
        let credential = issued(&ring);
        let position = position.index(credential.len());
        let mut changed = credential.clone();
        changed.replace_range(position..=position, &other);
        prop_assert_eq!(verified(&ring, &changed).is_ok(), changed == credential);
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text: String) {
        let ring = ring(Algorithm::Ed25519);
        prop_assert!(verified(&ring, &text).is_err());
        prop_assert!(sd_jwt::withholdable(&text).is_err());
    }
}

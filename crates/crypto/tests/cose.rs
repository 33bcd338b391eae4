//! Signed messages: one form, both suites, and a named error for everything else.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

use crypto::cbor::{self, CborError, Limits, Value};
use crypto::cose::{self, CoseError, Expected, Verified};
use crypto::cwt::{self, Claims, ClaimsError, Name};
use crypto::keys::{KeyRing, KeyRingError, Purpose, TrustList, VerifyError};
use crypto::qr;
use crypto::signature::SignatureError;
use crypto::suite::{Algorithm, COSE_SM2_SM3, Suite};
use kernel::entropy::SeededEntropy;
use kernel::time::Timestamp;
use proptest::prelude::*;

const PAYLOAD: &[u8] = "营业执照".as_bytes();

fn second(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 1_000_000)
}

fn ring() -> KeyRing {
    let entropy = SeededEntropy::new(1);
    let mut ring = KeyRing::new("https://dali.example", Suite::Gm);
    for algorithm in [Algorithm::Sm2Sm3, Algorithm::Ed25519] {
        ring.generate(Purpose::Licence, algorithm, second(100), &entropy).unwrap();
    }
    ring
}

fn es256_ring() -> KeyRing {
    let mut ring = KeyRing::new("https://dali.example", Suite::Intl);
    ring.generate(Purpose::Licence, Algorithm::Es256, second(100), &SeededEntropy::new(2)).unwrap();
    ring
}

fn signed(ring: &KeyRing, suite: Suite) -> Vec<u8> {
    cose::sign1(ring, Purpose::Licence, suite, PAYLOAD, &[]).unwrap()
}

/// Takes a message apart, lets a change be made, and puts it together again deterministically.
fn rebuilt(message: &[u8], change: impl FnOnce(&mut Vec<Value>)) -> Vec<u8> {
    let Value::Tag(18, body) = cbor::decode(message, Limits::DEFAULT).unwrap() else { panic!("tag 18") };
    let mut parts = body.into_array().unwrap();
    change(&mut parts);
    cbor::encode(&Value::Tag(18, Box::new(Value::Array(parts)))).unwrap()
}

fn header(entries: &[(i64, Value)]) -> Value {
    let map = entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect();
    Value::Bytes(cbor::encode(&Value::Map(map)).unwrap())
}

#[test]
fn a_message_of_each_algorithm_verifies_and_says_who_signed_it() {
    for (ring, suite, algorithm) in [
        (ring(), Suite::Gm, Algorithm::Sm2Sm3),
        (ring(), Suite::Intl, Algorithm::Ed25519),
        (es256_ring(), Suite::Intl, Algorithm::Es256),
    ] {
        let message = signed(&ring, suite);
        let kid = ring.active(Purpose::Licence, algorithm).unwrap().kid.clone();
        let expected = Verified { kid, algorithm, purpose: Purpose::Licence, payload: PAYLOAD.to_vec() };
        assert_eq!(cose::verify1(&ring.trust_list(), &message), Ok(expected));
        assert_eq!(message, signed(&ring, suite), "the same payload gives the same message");
    }
}

#[test]
fn the_signed_bytes_are_the_structure_of_rfc_9052_section_4_4() {
    for (suite, alg) in [(Suite::Gm, COSE_SM2_SM3), (Suite::Intl, -8)] {
        let ring = ring();
        let message = cose::sign1(&ring, Purpose::Licence, suite, PAYLOAD, b"aad").unwrap();
        let key = ring.signer(Purpose::Licence, suite).unwrap();
        let kid = Value::Bytes(hex::decode(&key.kid).unwrap());
        let Value::Tag(18, body) = cbor::decode(&message, Limits::DEFAULT).unwrap() else { panic!("tag 18") };
        let parts = body.into_array().unwrap();
        assert_eq!(parts[0], header(&[(1, Value::from(alg)), (4, kid)]));
        assert_eq!(parts[1], Value::Map(Vec::new()));
        assert_eq!(parts[2], Value::Bytes(PAYLOAD.to_vec()));
        let structure = Value::Array(vec![
            Value::Text("Signature1".into()),
            parts[0].clone(),
            Value::Bytes(b"aad".to_vec()),
            Value::Bytes(PAYLOAD.to_vec()),
        ]);
        let trust = ring.trust_list();
        let (_, public) = trust.get(&key.kid).unwrap();
        let signature = parts[3].clone().into_bytes().unwrap();
        assert_eq!(public.verify(&cbor::encode(&structure).unwrap(), &signature), Ok(()));
    }
}

#[test]
fn what_was_signed_beside_the_message_must_be_known() {
    let ring = ring();
    let trust = ring.trust_list();
    let message = cose::sign1(&ring, Purpose::Licence, Suite::Gm, PAYLOAD, b"venue 7").unwrap();
    let with = |external_aad: &'static [u8]| {
        let expected = Expected { external_aad, ..Expected::purpose(Purpose::Licence) };
        cose::verify1_for(&trust, &expected, &message).map(|verified| verified.payload)
    };
    assert_eq!(with(b"venue 7"), Ok(PAYLOAD.to_vec()));
    let refused = Err(CoseError::Signature(VerifyError::NotGenuine(SignatureError::Refused)));
    assert_eq!(with(b"venue 8"), refused);
    assert_eq!(with(b""), refused);
}

#[test]
fn a_message_for_another_purpose_or_of_another_time_is_refused() {
    let mut ring = ring();
    let message = signed(&ring, Suite::Gm);
    let kid = ring.signer(Purpose::Licence, Suite::Gm).unwrap().kid.clone();
    let trust = ring.trust_list();
    assert_eq!(
        cose::verify1_for(&trust, &Expected::purpose(Purpose::Receipt), &message),
        Err(CoseError::Signature(VerifyError::WrongPurpose { kid: kid.clone(), purpose: Purpose::Licence }))
    );
    ring.rotate(Purpose::Licence, Algorithm::Sm2Sm3, second(200), &SeededEntropy::new(3)).unwrap();
    let at = |time| {
        let expected = Expected { signed_at: Some(second(time)), ..Expected::purpose(Purpose::Licence) };
        cose::verify1_for(&ring.trust_list(), &expected, &message).map(|verified| verified.payload)
    };
    assert_eq!(at(199), Ok(PAYLOAD.to_vec()));
    assert_eq!(at(200), Err(CoseError::Signature(VerifyError::OutsideLife { kid })));
    assert_eq!(
        cose::sign1(&ring, Purpose::Receipt, Suite::Gm, PAYLOAD, &[]),
        Err(CoseError::KeyRing(KeyRingError::NoActiveKey { purpose: Purpose::Receipt, suite: Suite::Gm }))
    );
}

#[test]
fn the_header_chooses_nothing() {
    let ring = ring();
    let trust = ring.trust_list();
    let message = signed(&ring, Suite::Gm);
    let gm = ring.signer(Purpose::Licence, Suite::Gm).unwrap().kid.clone();
    let kid = Value::Bytes(hex::decode(&gm).unwrap());
    let verified =
        |change: &dyn Fn(&mut Vec<Value>)| cose::verify1(&trust, &rebuilt(&message, change)).map(|_| ());
    let with_header = |entries: &[(i64, Value)]| verified(&|parts| parts[0] = header(entries));

    assert_eq!(verified(&|_| ()), Ok(()));
    // A downgrade by header: the key's algorithm is SM2, whatever the message says.
    for (id, claimed) in [(-8, Algorithm::Ed25519), (-7, Algorithm::Es256)] {
        assert_eq!(
            with_header(&[(1, Value::from(id)), (4, kid.clone())]),
            Err(CoseError::Signature(VerifyError::WrongAlgorithm {
                kid: gm.clone(),
                expected: Algorithm::Sm2Sm3,
                claimed
            }))
        );
    }
    for id in [-65538, -257, 0, 5] {
        assert_eq!(
            with_header(&[(1, Value::from(id)), (4, kid.clone())]),
            Err(CoseError::UnknownAlgorithm),
            "{id}"
        );
    }
    let alg = Value::from(COSE_SM2_SM3);
    assert_eq!(with_header(&[(4, kid.clone())]), Err(CoseError::Header), "no algorithm");
    assert_eq!(with_header(&[(1, alg.clone())]), Err(CoseError::Header), "no key name");
    assert_eq!(with_header(&[(1, alg.clone()), (4, Value::Bytes(vec![1; 7]))]), Err(CoseError::Header));
    assert_eq!(
        with_header(&[(1, alg.clone()), (2, Value::Array(vec![Value::from(4)])), (4, kid.clone())]),
        Err(CoseError::Header),
        "a critical parameter"
    );
    assert_eq!(with_header(&[(1, alg.clone()), (4, kid.clone()), (99, Value::Null)]), Err(CoseError::Header));
    assert_eq!(
        with_header(&[(1, alg.clone()), (4, Value::Bytes(vec![0; 8]))]),
        Err(CoseError::Signature(VerifyError::UnknownKey { kid: "00".repeat(8) }))
    );
    assert_eq!(
        verified(&|parts| parts[1] = Value::Map(vec![(Value::from(4), kid.clone())])),
        Err(CoseError::Header),
        "a header that nobody signed"
    );
    assert_eq!(
        verified(&|parts| parts[0] = Value::Bytes(Vec::new())),
        Err(CoseError::Cbor(CborError::Truncated))
    );
}

#[test]
fn a_message_of_another_shape_is_refused_by_name() {
    let ring = ring();
    let trust = ring.trust_list();
    let message = signed(&ring, Suite::Gm);
    let verified = |bytes: &[u8]| cose::verify1(&trust, bytes).map(|_| ());
    assert_eq!(verified(&message[1..]), Err(CoseError::Malformed), "untagged");
    let mut other_tag = message.clone();
    other_tag[0] = 0xd1;
    assert_eq!(verified(&other_tag), Err(CoseError::Malformed), "COSE_Mac0");
    let detached = rebuilt(&message, |parts| parts[2] = Value::Null);
    assert_eq!(verified(&detached), Err(CoseError::Malformed), "the payload is elsewhere");
    let short = rebuilt(&message, |parts| parts.truncate(3));
    assert_eq!(verified(&short), Err(CoseError::Malformed));
    let cut = rebuilt(&message, |parts| parts[3] = Value::Bytes(vec![1; 63]));
    assert_eq!(
        verified(&cut),
        Err(CoseError::Signature(VerifyError::NotGenuine(SignatureError::WrongLength)))
    );
    let mut trailing = message.clone();
    trailing.push(0);
    assert_eq!(verified(&trailing), Err(CoseError::Cbor(CborError::TrailingBytes)));
    let large = vec![0x40; Limits::DEFAULT.max_len + 1];
    assert_eq!(verified(&large), Err(CoseError::Cbor(CborError::TooLong { max: Limits::DEFAULT.max_len })));
    assert_eq!(verified(&[0x81; 200]), Err(CoseError::Cbor(CborError::TooDeep)));
    assert_eq!(
        cose::sign1(&ring, Purpose::Licence, Suite::Gm, &vec![0; Limits::DEFAULT.max_len], &[]),
        Err(CoseError::Cbor(CborError::TooLong { max: Limits::DEFAULT.max_len }))
    );
}

fn claims() -> Claims {
    Claims {
        issuer: Some("https://dali.example".into()),
        subject: Some("1.2.156.3005.2.11100000000013338W001.1".into()),
        audience: None,
        expires_at: Some(second(1_000)),
        not_before: Some(second(120)),
        issued_at: Some(second(110)),
        id: Some(vec![1, 2, 3]),
        extra: vec![
            (Name::Number(65535), Value::Map(vec![(Value::Text("idx".into()), Value::from(7))])),
            (Name::Number(-65537), Value::Text("洱海边小店".into())),
        ],
    }
}

#[test]
fn claims_are_deterministic_and_come_back() {
    let bytes = claims().to_bytes().unwrap();
    assert_eq!(Claims::from_bytes(&bytes), Ok(claims()));
    let mut shuffled = claims();
    shuffled.extra.reverse();
    assert_eq!(shuffled.to_bytes().unwrap(), bytes);
    assert_eq!(claims().get(&Name::Number(-65537)), Some(&Value::Text("洱海边小店".into())));
    let mut doubled = claims();
    doubled.extra.push((Name::Number(1), Value::Text("https://elsewhere.example".into())));
    assert_eq!(doubled.to_bytes(), Err(ClaimsError::Cbor(CborError::NotDeterministic)));
}

#[test]
fn claims_of_a_wrong_type_are_named() {
    for (key, claim) in [(1, "iss"), (2, "sub"), (3, "aud"), (4, "exp"), (5, "nbf"), (6, "iat"), (7, "cti")] {
        let map = Value::Map(vec![(Value::from(key), Value::Bool(true))]);
        let bytes = cbor::encode(&map).unwrap();
        assert_eq!(Claims::from_bytes(&bytes), Err(ClaimsError::WrongType { claim }));
    }
    let far = cbor::encode(&Value::Map(vec![(Value::from(4), Value::from(i64::MAX))])).unwrap();
    assert_eq!(Claims::from_bytes(&far), Err(ClaimsError::WrongType { claim: "exp" }));
    assert_eq!(Claims::from_bytes(&[0x80]), Err(ClaimsError::NotClaims));
    assert_eq!(Claims::from_bytes(&[0xa1, 0xf6, 0xf6]), Err(ClaimsError::NotClaims));
}

#[test]
fn a_token_is_valid_between_its_times_and_under_a_key_in_use_when_it_was_signed() {
    let ring = ring();
    let trust = ring.trust_list();
    let kid = ring.signer(Purpose::Licence, Suite::Gm).unwrap().kid.clone();
    let token = cwt::sign(&ring, Purpose::Licence, Suite::Gm, &claims()).unwrap();
    let at = |now| cwt::verify(&trust, Purpose::Licence, &token, second(now)).map(|(claims, _)| claims);
    assert_eq!(at(120), Ok(claims()));
    assert_eq!(at(999), Ok(claims()));
    assert_eq!(at(119), Err(ClaimsError::NotYetValid { valid_from: second(120) }));
    assert_eq!(at(1_000), Err(ClaimsError::Expired { expired_at: second(1_000) }));
    let early = Claims { issued_at: Some(second(99)), ..claims() };
    let token = cwt::sign(&ring, Purpose::Licence, Suite::Gm, &early).unwrap();
    assert_eq!(
        cwt::verify(&trust, Purpose::Licence, &token, second(500)).map(|_| ()),
        Err(ClaimsError::Cose(CoseError::Signature(VerifyError::OutsideLife { kid })))
    );
}

#[test]
fn a_token_fits_a_code_that_a_phone_reads() {
    for suite in Suite::ALL {
        let ring = ring();
        let token = cwt::sign(&ring, Purpose::Licence, suite, &claims()).unwrap();
        let text = qr::to_text(&token).unwrap();
        // Version 15 with correction M holds 600 characters.
        assert!(text.len() <= 600, "{} characters", text.len());
        assert_eq!(qr::from_text(&text).unwrap(), token);
    }
}

fn mutated(message: &[u8], trust: &TrustList, position: usize, bit: usize) -> Result<Verified, CoseError> {
    let mut changed = message.to_vec();
    let position = position % changed.len();
    changed[position] ^= 1 << bit;
    cose::verify1(trust, &changed)
}

proptest! {
    #[test]
    fn no_bit_of_a_message_can_be_changed(position: usize, bit in 0usize..8) {
        for suite in Suite::ALL {
            let ring = ring();
            prop_assert!(mutated(&signed(&ring, suite), &ring.trust_list(), position, bit).is_err());
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(cose::verify1(&ring().trust_list(), &bytes).is_err());
        let mut tagged = vec![0xd2, 0x84];
        tagged.extend(bytes);
        prop_assert!(cose::verify1(&ring().trust_list(), &tagged).is_err());
    }
}

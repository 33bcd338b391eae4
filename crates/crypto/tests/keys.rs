//! The life of signing keys, and what a trust list accepts.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use crypto::keys::{KeyRing, KeyRingError, KeyState, Purpose, SealError, Signature, TrustList, VerifyError};
use crypto::root::RootKey;
use crypto::signature::{SignatureError, SigningKey};
use crypto::suite::{Algorithm, Suite};
use kernel::entropy::{Entropy, SeededEntropy};
use kernel::time::Timestamp;
use proptest::prelude::*;

const MESSAGE: &[u8] = "回执 532901-20261124-7QK3M9X-C".as_bytes();

fn day(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 86_400_000_000)
}

fn ring() -> KeyRing {
    KeyRing::new("https://dali.example", Suite::Gm)
}

fn signed(ring: &KeyRing, suite: Suite) -> Signature {
    ring.sign(Purpose::Receipt, suite, MESSAGE).unwrap()
}

#[test]
fn each_purpose_and_suite_signs_with_its_own_key() {
    let mut ring = ring();
    let entropy = SeededEntropy::new(1);
    for purpose in Purpose::ALL {
        for algorithm in [Algorithm::Sm2Sm3, Algorithm::Ed25519] {
            ring.generate(purpose, algorithm, day(1), &entropy).unwrap();
        }
    }
    let trust = ring.trust_list();
    for purpose in Purpose::ALL {
        for suite in Suite::ALL {
            let signature = ring.sign(purpose, suite, MESSAGE).unwrap();
            assert_eq!(signature.algorithm.suite(), suite);
            assert_eq!(ring.verify(&signature, MESSAGE).unwrap().purpose, purpose);
            assert_eq!(trust.verify(&signature, MESSAGE).unwrap().kid, signature.kid);
            trust.verify_for(purpose, Some(day(2)), &signature, MESSAGE).unwrap();
            for other in Purpose::ALL.into_iter().filter(|other| *other != purpose) {
                assert_eq!(
                    trust.verify_for(other, None, &signature, MESSAGE),
                    Err(VerifyError::WrongPurpose { kid: signature.kid.clone(), purpose })
                );
            }
        }
    }
    assert_eq!(ring.keys().count(), 8);
}

#[test]
fn a_rotated_key_signs_no_more_and_what_it_signed_still_verifies() {
    for algorithm in Algorithm::ALL {
        let mut ring = ring();
        let entropy = SeededEntropy::new(2);
        let first = ring.generate(Purpose::Receipt, algorithm, day(1), &entropy).unwrap();
        let old = signed(&ring, algorithm.suite());
        let second = ring.rotate(Purpose::Receipt, algorithm, day(10), &entropy).unwrap();
        let new = signed(&ring, algorithm.suite());
        assert_eq!((old.kid.as_str(), new.kid.as_str()), (first.as_str(), second.as_str()));
        assert_eq!(ring.get(&first).unwrap().state, KeyState::Retired);
        assert_eq!(
            ring.sign_with(&first, MESSAGE),
            Err(KeyRingError::WrongState { kid: first.clone(), state: KeyState::Retired })
        );

        let trust = ring.trust_list();
        trust.verify(&old, MESSAGE).unwrap();
        trust.verify(&new, MESSAGE).unwrap();
        // Where the time of signing is known, it must lie within the key's life.
        let at = |signature, time| trust.verify_for(Purpose::Receipt, Some(time), signature, MESSAGE);
        at(&old, day(9)).unwrap();
        assert_eq!(at(&old, day(10)), Err(VerifyError::OutsideLife { kid: first.clone() }));
        assert_eq!(at(&old, day(0)), Err(VerifyError::OutsideLife { kid: first }));
        assert_eq!(at(&new, day(9)), Err(VerifyError::OutsideLife { kid: second }));
        at(&new, day(10)).unwrap();
    }
}

#[test]
fn a_key_passes_through_its_states_in_one_direction() {
    let mut ring = ring();
    let entropy = SeededEntropy::new(3);
    let kid = ring.prepare(Purpose::Licence, Algorithm::Sm2Sm3, day(1), &entropy).unwrap();
    let refused = |state| Err(KeyRingError::WrongState { kid: kid.clone(), state });

    assert_eq!(
        ring.sign(Purpose::Licence, Suite::Gm, MESSAGE),
        Err(KeyRingError::NoActiveKey { purpose: Purpose::Licence, suite: Suite::Gm })
    );
    assert_eq!(ring.retire(&kid, day(2)), refused(KeyState::Generated));
    ring.activate(&kid, day(2)).unwrap();
    assert_eq!(ring.activate(&kid, day(3)), refused(KeyState::Active));
    assert_eq!(ring.destroy(&kid, day(3)), refused(KeyState::Active), "a key in use is retired first");
    let signature = ring.sign(Purpose::Licence, Suite::Gm, MESSAGE).unwrap();
    ring.retire(&kid, day(4)).unwrap();
    assert_eq!(ring.activate(&kid, day(5)), refused(KeyState::Retired));
    assert_eq!(ring.forget(&kid), refused(KeyState::Retired));
    ring.destroy(&kid, day(5)).unwrap();
    assert_eq!(ring.destroy(&kid, day(6)), refused(KeyState::Destroyed));
    assert_eq!(ring.sign_with(&kid, MESSAGE).map(|_| ()), refused(KeyState::Destroyed));

    ring.trust_list().verify_for(Purpose::Licence, Some(day(3)), &signature, MESSAGE).unwrap();
    ring.forget(&kid).unwrap();
    assert_eq!(
        ring.trust_list().verify(&signature, MESSAGE),
        Err(VerifyError::UnknownKey { kid: kid.clone() })
    );
    assert_eq!(ring.retire(&kid, day(7)), Err(KeyRingError::UnknownKey { kid: kid.clone() }));
}

#[test]
fn a_list_fetched_before_a_key_was_put_to_use_accepts_its_signatures() {
    let mut ring = ring();
    let kid = ring.prepare(Purpose::Receipt, Algorithm::Ed25519, day(1), &SeededEntropy::new(4)).unwrap();
    let yesterday = ring.trust_list();
    ring.activate(&kid, day(2)).unwrap();
    let signature = signed(&ring, Suite::Intl);
    yesterday.verify_for(Purpose::Receipt, Some(day(2)), &signature, MESSAGE).unwrap();
}

#[test]
fn there_is_one_active_key_for_a_purpose_and_an_algorithm() {
    let mut ring = ring();
    let entropy = SeededEntropy::new(5);
    let kid = ring.generate(Purpose::Receipt, Algorithm::Ed25519, day(1), &entropy).unwrap();
    assert_eq!(
        ring.generate(Purpose::Receipt, Algorithm::Ed25519, day(1), &entropy),
        Err(KeyRingError::AlreadyActive { kid: kid.clone() })
    );
    // A second algorithm of the suite stands beside it and is used by name only.
    let es256 = ring.generate(Purpose::Receipt, Algorithm::Es256, day(1), &entropy).unwrap();
    assert_eq!(signed(&ring, Suite::Intl).kid, kid);
    assert_eq!(ring.sign_with(&es256, MESSAGE).unwrap().algorithm, Algorithm::Es256);
    // The same key cannot enter twice, even under another purpose.
    let secret = |seed: u8| SigningKey::from_bytes(Algorithm::Sm2Sm3, &[seed; 32]).unwrap();
    let imported = ring.import(Purpose::Receipt, secret(9), day(1)).unwrap();
    assert_eq!(ring.import(Purpose::Licence, secret(9), day(1)), Err(KeyRingError::Twice { kid: imported }));
}

#[test]
fn a_signature_that_claims_another_algorithm_or_key_is_refused_by_name() {
    let mut ring = ring();
    let entropy = SeededEntropy::new(6);
    for algorithm in Algorithm::ALL {
        ring.generate(Purpose::Receipt, algorithm, day(1), &entropy).unwrap();
    }
    let trust = ring.trust_list();
    for algorithm in Algorithm::ALL {
        let kid = ring.active(Purpose::Receipt, algorithm).unwrap().kid.clone();
        let signature = ring.sign_with(&kid, MESSAGE).unwrap();
        for claimed in Algorithm::ALL.into_iter().filter(|claimed| *claimed != algorithm) {
            let lying = Signature { algorithm: claimed, ..signature.clone() };
            let expected = VerifyError::WrongAlgorithm { kid: kid.clone(), expected: algorithm, claimed };
            assert_eq!(trust.verify(&lying, MESSAGE), Err(expected));
            // Naming the other key too does not help.
            let other = ring.active(Purpose::Receipt, claimed).unwrap().kid.clone();
            let moved = Signature { kid: other, algorithm: claimed, bytes: signature.bytes.clone() };
            assert_eq!(trust.verify(&moved, MESSAGE), Err(VerifyError::NotGenuine(SignatureError::Refused)));
        }
        let unknown = Signature { kid: "0000000000000000".into(), ..signature };
        assert_eq!(
            trust.verify(&unknown, MESSAGE),
            Err(VerifyError::UnknownKey { kid: "0000000000000000".into() })
        );
    }
}

#[test]
fn a_trust_list_is_readable_json_and_survives_the_journey() {
    let mut ring = ring();
    let entropy = SeededEntropy::new(7);
    for algorithm in Algorithm::ALL {
        ring.generate(Purpose::Receipt, algorithm, day(1), &entropy).unwrap();
        ring.rotate(Purpose::Receipt, algorithm, day(2), &entropy).unwrap();
    }
    let json = serde_json::to_string_pretty(&ring.trust_list()).unwrap();
    assert!(json.contains("\"issuer\": \"https://dali.example\""), "{json}");
    assert!(json.contains("\"state\": \"retired\""), "{json}");
    assert!(json.contains("\"algorithm\": \"SM2-SM3\""), "{json}");
    assert!(!json.contains("secret"), "{json}");
    let trust: TrustList = serde_json::from_str(&json).unwrap();
    for suite in Suite::ALL {
        trust.verify(&signed(&ring, suite), MESSAGE).unwrap();
    }
    assert_eq!(trust.keys().count(), 6);
}

#[test]
fn a_trust_list_whose_records_do_not_fit_is_refused() {
    let mut ring = ring();
    ring.generate(Purpose::Receipt, Algorithm::Sm2Sm3, day(1), &SeededEntropy::new(8)).unwrap();
    let good = serde_json::to_value(ring.trust_list()).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut list = good.clone();
        change(&mut list);
        serde_json::from_value::<TrustList>(list).map(|list| list.keys().count()).map_err(|e| e.to_string())
    };
    assert_eq!(with(&|_| ()), Ok(1));
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 8] = [
        ("another name", |list| list["keys"][0]["kid"] = "0011223344556677".into()),
        ("another algorithm", |list| list["keys"][0]["algorithm"] = "ES256".into()),
        ("a point off the curve", |list| {
            let public = list["keys"][0]["public"].as_str().unwrap().to_owned();
            let last = if public.ends_with('0') { '1' } else { '0' };
            list["keys"][0]["public"] = format!("{}{last}", &public[..public.len() - 1]).into();
        }),
        ("a compressed point", |list| {
            let public = list["keys"][0]["public"].as_str().unwrap().to_owned();
            list["keys"][0]["public"] = format!("02{}", &public[2..66]).into();
        }),
        ("retired without a time", |list| list["keys"][0]["state"] = "retired".into()),
        ("an unknown state", |list| list["keys"][0]["state"] = "asleep".into()),
        ("a key listed twice", |list| {
            let key = list["keys"][0].clone();
            list["keys"].as_array_mut().unwrap().push(key);
        }),
        ("an unknown member", |list| list["secret"] = "x".into()),
    ];
    for (what, change) in changes {
        assert!(with(&change).is_err(), "{what}");
    }
}

#[test]
fn a_sealed_ring_opens_under_its_root_with_all_its_secrets() {
    let entropy = SeededEntropy::new(9);
    let root = RootKey::generate(&entropy);
    for suite in Suite::ALL {
        let mut ring = KeyRing::new("https://dali.example", suite);
        let kid = ring.generate(Purpose::Receipt, Algorithm::Sm2Sm3, day(1), &entropy).unwrap();
        ring.rotate(Purpose::Receipt, Algorithm::Sm2Sm3, day(2), &entropy).unwrap();
        ring.destroy(&kid, day(3)).unwrap();
        ring.generate(Purpose::Receipt, Algorithm::Ed25519, day(1), &entropy).unwrap();
        let sealed = ring.to_sealed(&root).unwrap();
        assert_eq!(sealed, ring.to_sealed(&root).unwrap());

        let opened = KeyRing::from_sealed(&root, &sealed).unwrap();
        assert!(opened.keys().eq(ring.keys()));
        assert_eq!(opened.issuer(), ring.issuer());
        for suite in Suite::ALL {
            assert_eq!(signed(&opened, suite), signed(&ring, suite));
        }
        assert_eq!(
            KeyRing::from_sealed(&RootKey::from_bytes([1; 32]), &sealed).map(|_| ()),
            Err(SealError::Refused)
        );
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(KeyRing::from_sealed(&root, &changed).is_err(), "byte {index}");
        }
        for length in 0..20 {
            assert!(KeyRing::from_sealed(&root, &sealed[..length]).is_err());
        }
    }
}

#[test]
fn no_secret_is_printed() {
    let secret = SigningKey::from_bytes(Algorithm::Sm2Sm3, &[0xab; 32]).unwrap();
    let mut ring = ring();
    ring.import(Purpose::Receipt, secret, day(1)).unwrap();
    assert!(!format!("{ring:?}").to_lowercase().contains("abababab"));
}

#[test]
fn a_broken_source_of_randomness_is_named() {
    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    for algorithm in [Algorithm::Sm2Sm3, Algorithm::Es256] {
        assert_eq!(SigningKey::generate(algorithm, &Zeros).map(|_| ()), Err(SignatureError::BrokenEntropy));
    }
}

#[test]
fn a_ring_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let ring = ring();
    shared(&ring);
    shared(&ring.trust_list());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_signature_fits_its_message_and_nothing_near_it(
        seed: u64,
        message in prop::collection::vec(any::<u8>(), 0..200),
        bit in 0usize..512,
    ) {
        let entropy = SeededEntropy::new(seed);
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, &entropy).unwrap();
            let public = key.verifying_key();
            let signature = key.sign(&message).unwrap();
            prop_assert_eq!(public.verify(&message, &signature), Ok(()));
            prop_assert_eq!(key.sign(&message).unwrap(), signature, "signing is deterministic");

            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(public.verify(&message, &flipped).is_err());

            let mut longer = message.clone();
            longer.push(0);
            prop_assert!(public.verify(&longer, &signature).is_err());

            let other = SigningKey::generate(algorithm, &entropy).unwrap().verifying_key();
            prop_assert!(other.verify(&message, &signature).is_err());
        }
    }
}

//! Published examples of the algorithms, and the edges of what a signature may be.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use crypto::signature::{SignatureError, SigningKey, VerifyingKey, signature_from_der, signature_to_der};
use crypto::suite::Algorithm;

const SM2_ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const MAX: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

fn secret(algorithm: Algorithm, digits: &str) -> SigningKey {
    let bytes: [u8; 32] = hex::decode(digits).unwrap().try_into().unwrap();
    SigningKey::from_bytes(algorithm, &bytes).unwrap()
}

fn check_signature(algorithm: Algorithm, key: &str, public: &str, message: &[u8], signature: &str) {
    let key = secret(algorithm, key);
    assert_eq!(hex::encode(key.verifying_key().to_bytes()), public);
    assert_eq!(hex::encode(key.sign(message).unwrap()), signature);
    let public = VerifyingKey::from_bytes(algorithm, &hex::decode(public).unwrap()).unwrap();
    assert_eq!(public.verify(message, &hex::decode(signature).unwrap()), Ok(()));
}

#[test]
fn ed25519_gives_the_examples_of_rfc_8032_section_7_1() {
    check_signature(
        Algorithm::Ed25519,
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    check_signature(
        Algorithm::Ed25519,
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        &[0xaf, 0x82],
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
}

#[test]
fn es256_gives_the_examples_of_rfc_6979_appendix_a_2_5() {
    let key = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let public = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                  7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    check_signature(
        Algorithm::Es256,
        key,
        public,
        b"sample",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
    check_signature(
        Algorithm::Es256,
        key,
        public,
        b"test",
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
         019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    );
}

#[test]
fn sm2_accepts_the_signature_of_gb_t_32918_5_annex_a() {
    let public = hex::decode(
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    )
    .unwrap();
    let signature = hex::decode(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
         b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
    )
    .unwrap();
    let public = VerifyingKey::from_bytes(Algorithm::Sm2Sm3, &public).unwrap();
    assert_eq!(public.verify(b"message digest", &signature), Ok(()));
    assert_eq!(public.verify(b"message digesT", &signature), Err(SignatureError::Refused));
}

#[test]
fn r_and_s_lie_between_one_and_the_order() {
    for (algorithm, order) in [(Algorithm::Sm2Sm3, SM2_ORDER), (Algorithm::Es256, P256_ORDER)] {
        let key = secret(algorithm, &"11".repeat(32));
        let public = key.verifying_key();
        let good = hex::encode(key.sign(b"message").unwrap());
        let (r, s) = good.split_at(64);
        for (r, s) in [
            (ZERO, s),
            (r, ZERO),
            (ZERO, ZERO),
            (order, s),
            (r, order),
            (order, order),
            (MAX, s),
            (r, MAX),
            (ONE, ONE),
            (s, r),
        ] {
            let forged: [u8; 64] = hex::decode(format!("{r}{s}")).unwrap().try_into().unwrap();
            assert_eq!(
                public.verify(b"message", &forged),
                Err(SignatureError::Refused),
                "{algorithm} {r} {s}"
            );
        }
    }
}

#[test]
fn sm2_refuses_r_plus_s_equal_to_the_order() {
    // Step B5 of the standard: t = r + s = 0 would leave the public key out of the check.
    let key = secret(Algorithm::Sm2Sm3, &"11".repeat(32));
    let last = SM2_ORDER.replace("4123", "4122");
    let forged = hex::decode(format!("{ONE}{last}")).unwrap();
    assert_eq!(key.verifying_key().verify(b"message", &forged), Err(SignatureError::Refused));
}

#[test]
fn a_signature_of_another_length_is_refused() {
    for algorithm in Algorithm::ALL {
        let key = secret(algorithm, &"22".repeat(32));
        let signature = key.sign(b"message").unwrap();
        let public = key.verifying_key();
        for length in 0..64 {
            assert_eq!(public.verify(b"message", &signature[..length]), Err(SignatureError::WrongLength));
        }
        let longer = [&signature[..], &[0]].concat();
        assert_eq!(public.verify(b"message", &longer), Err(SignatureError::WrongLength));
    }
}

#[test]
fn every_flipped_bit_of_a_signature_is_noticed() {
    for algorithm in Algorithm::ALL {
        let key = secret(algorithm, &"33".repeat(32));
        let signature = key.sign(b"message").unwrap();
        let public = key.verifying_key();
        for bit in 0..512 {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                public.verify(b"message", &flipped),
                Err(SignatureError::Refused),
                "{algorithm}, bit {bit}"
            );
        }
    }
}

#[test]
fn ed25519_signatures_cannot_be_rewritten_and_weak_keys_are_not_read() {
    // The first example of RFC 8032 with S + L in the place of S: the same equation, another signature.
    let public = VerifyingKey::from_bytes(
        Algorithm::Ed25519,
        &hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap(),
    )
    .unwrap();
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut signature = hex::decode(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    )
    .unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(public.verify(b"", &signature), Err(SignatureError::Refused));
    // The neutral element verifies anything where it is let in.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VerifyingKey::from_bytes(Algorithm::Ed25519, &neutral), Err(SignatureError::BadPublicKey));
}

#[test]
fn a_public_key_is_a_point_of_its_curve_in_one_form() {
    for algorithm in [Algorithm::Sm2Sm3, Algorithm::Es256] {
        let bytes = secret(algorithm, &"44".repeat(32)).verifying_key().to_bytes();
        assert!(VerifyingKey::from_bytes(algorithm, &bytes).is_ok());
        let mut off = bytes.clone();
        off[64] ^= 1;
        let infinity = vec![0; 65];
        let compressed = [&[2 + (bytes[64] & 1)], &bytes[1..33]].concat();
        let mut hybrid = bytes.clone();
        hybrid[0] = 6 + (bytes[64] & 1);
        for bad in [off, infinity, compressed, hybrid, vec![0], vec![], bytes[..64].to_vec()] {
            assert_eq!(VerifyingKey::from_bytes(algorithm, &bad), Err(SignatureError::BadPublicKey));
        }
        let other = if algorithm == Algorithm::Sm2Sm3 { Algorithm::Es256 } else { Algorithm::Sm2Sm3 };
        assert_eq!(VerifyingKey::from_bytes(other, &bytes), Err(SignatureError::BadPublicKey));
    }
}

#[test]
fn der_is_read_in_its_one_distinguished_form() {
    for algorithm in [Algorithm::Sm2Sm3, Algorithm::Es256] {
        let key = secret(algorithm, &"55".repeat(32));
        for message in 0..64u8 {
            let raw = key.sign(&[message]).unwrap();
            let der = signature_to_der(algorithm, &raw).unwrap();
            assert_eq!(signature_from_der(algorithm, &der), Ok(raw));
        }
        let der = signature_to_der(algorithm, &key.sign(b"message").unwrap()).unwrap();
        let refused = |bytes: &[u8]| signature_from_der(algorithm, bytes) == Err(SignatureError::Refused);
        assert!(refused(&[&der[..], &[0]].concat()), "bytes behind it");
        assert!(refused(&[&[0x30, 0x81], &der[1..]].concat()), "a longer form of the length");
        assert!(refused(&der[..der.len() - 1]), "cut");
        assert!(refused(&[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01]), "r is zero");
        assert!(refused(&[0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01]), "r is negative");
        assert!(refused(&[0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01]), "r is padded");
        assert!(refused(&[]));
    }
    assert_eq!(signature_to_der(Algorithm::Ed25519, &[1; 64]), Err(SignatureError::NoDerForm));
    assert_eq!(signature_from_der(Algorithm::Ed25519, &[0x30]), Err(SignatureError::NoDerForm));
}

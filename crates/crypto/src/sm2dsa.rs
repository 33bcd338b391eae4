//! Signing with SM2 (GB/T 32918.2-2016, section 6), over the curve arithmetic of the crate `sm2`.
//!
//! The crate `sm2` signs too; this signer differs in two ways. It inverts `1 + d` once for each key rather than
//! once for each signature, and it wipes the secret when it is dropped. A test holds the signatures of both
//! equal, and the worked example of the standard fixes the formula.

use rfc6979::KGenerator;
use sm2::dsa::{Signature, VerifyingKey};
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::elliptic_curve::{Curve, Group, PrimeField};
use sm2::{FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar, Sm2, U256};
use sm3::Sm3;
use zeroize::Zeroize;

use crate::hash::Hash;

/// The coefficients of the curve and its base point, as they enter the identity hash (GB/T 32918.5).
const CURVE: [u8; 128] = curve_parameters();

/// A secret key, prepared for signing.
pub(crate) struct Sm2Signer {
    secret: NonZeroScalar,
    /// `(1 + d)^-1`.
    inverse: Scalar,
    /// `ZA`: the hash of the identity, the curve and the public key, which precedes every message.
    identity_hash: [u8; 32],
    public: VerifyingKey,
}

impl Sm2Signer {
    /// `None` if the secret is outside `1 ..= n - 2` or the identity is longer than 8191 bytes.
    pub(crate) fn new(identity: &str, secret: &[u8; 32]) -> Option<Self> {
        let secret = NonZeroScalar::try_from(secret.as_slice()).ok()?;
        let inverse: Option<Scalar> = (*secret + Scalar::ONE).invert().into();
        let public_key = PublicKey::from_secret_scalar(&secret);
        Some(Self {
            inverse: inverse?,
            identity_hash: identity_hash(identity, &public_key.to_sec1_bytes())?,
            public: VerifyingKey::new(identity, public_key).ok()?,
            secret,
        })
    }

    pub(crate) fn public(&self) -> &VerifyingKey {
        &self.public
    }

    pub(crate) fn secret_bytes(&self) -> [u8; 32] {
        self.secret.to_repr().into()
    }

    /// `r || s`, with the nonce of RFC 6979 over SM3: the same message gives the same signature, and no source
    /// of randomness can give a nonce away.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let digest = Hash::Sm3.digest_parts(&[&self.identity_hash, message]);
        let e: Scalar = Reduce::<FieldBytes>::reduce(&digest.into());

        let mut secret = self.secret.to_repr();
        let mut nonces = KGenerator::<Sm3, U256>::new(&secret, &e.to_repr(), &[], &Sm2::ORDER);
        secret.zeroize();
        loop {
            let mut bytes = FieldBytes::default();
            nonces.fill_next_k(&mut bytes);
            let nonce: Option<Scalar> = Scalar::from_repr(bytes).into();
            bytes.zeroize();
            // A nonce that gives no signature has a chance of 2^-255; the standard then takes the next one.
            if let Some(signature) = nonce.and_then(|nonce| self.sign_with(&e, nonce)) {
                return signature;
            }
        }
    }

    /// Steps A4 to A7 of the standard. `s = (1 + d)^-1 (k - r d)` is computed as `(1 + d)^-1 (k + r) - r`.
    fn sign_with(&self, e: &Scalar, mut nonce: Scalar) -> Option<[u8; 64]> {
        let x = ProjectivePoint::mul_by_generator(&nonce).to_affine().x();
        let r = *e + <Scalar as Reduce<FieldBytes>>::reduce(&x);
        let sum = r + nonce;
        nonce.zeroize();
        if bool::from(sum.is_zero()) {
            return None;
        }
        let s = self.inverse * sum - r;
        Signature::from_scalars(r, s).ok().map(|signature| signature.to_bytes().into())
    }
}

impl Drop for Sm2Signer {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.inverse.zeroize();
    }
}

/// `ZA = SM3(ENTL || ID || a || b || xG || yG || xA || yA)` (GB/T 32918.2, section 5.5). `public` is
/// `04 || xA || yA`.
fn identity_hash(identity: &str, public: &[u8]) -> Option<[u8; 32]> {
    let bits = u16::try_from(identity.len().checked_mul(8)?).ok()?;
    let coordinates = public.strip_prefix(&[4])?;
    Some(Hash::Sm3.digest_parts(&[&bits.to_be_bytes(), identity.as_bytes(), &CURVE, coordinates]))
}

const fn curve_parameters() -> [u8; 128] {
    const WORDS: [u128; 8] = [
        0xfffffffeffffffffffffffffffffffff,
        0xffffffff00000000fffffffffffffffc,
        0x28e9fa9e9d9f5e344d5a9e4bcf6509a7,
        0xf39789f515ab8f92ddbcbd414d940e93,
        0x32c4ae2c1f1981195f9904466a39c994,
        0x8fe30bbff2660be1715a4589334c74c7,
        0xbc3736a2f4f6779c59bdcee36b692153,
        0xd0a9877cc62a474002df32e52139f0a0,
    ];
    let mut bytes = [0; 128];
    let mut index = 0;
    while index < bytes.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
        {
            bytes[index] = WORDS[index / 16].to_be_bytes()[index % 16];
        }
        index += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sm2::dsa::SigningKey;
    use sm2::dsa::signature::Signer;

    use super::*;

    const IDENTITY: &str = "1234567812345678";

    fn bytes(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn scalar(text: &str) -> Scalar {
        Scalar::from_repr(bytes(text).into()).unwrap()
    }

    #[test]
    fn the_worked_example_of_gb_t_32918_5_annex_a_is_reproduced() {
        let secret = bytes("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        let signer = Sm2Signer::new(IDENTITY, &secret).unwrap();
        assert_eq!(
            hex::encode(signer.public().to_sec1_bytes()),
            "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
             ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
        );
        assert_eq!(
            hex::encode(signer.identity_hash),
            "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
        );
        let digest = Hash::Sm3.digest_parts(&[&signer.identity_hash, b"message digest"]);
        assert_eq!(hex::encode(digest), "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
        let nonce = scalar("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
        let signature = signer.sign_with(&Reduce::<FieldBytes>::reduce(&digest.into()), nonce).unwrap();
        assert_eq!(
            hex::encode(signature),
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
             b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
        );
    }

    #[test]
    fn a_secret_outside_the_range_of_the_standard_is_refused() {
        let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
        for (secret, why) in [
            ("00".repeat(32), "zero"),
            (order.into(), "the order n"),
            (order.replace("4123", "4122"), "n - 1, whose 1 + d has no inverse"),
        ] {
            assert!(Sm2Signer::new(IDENTITY, &bytes(&secret)).is_none(), "{why}");
        }
        assert!(Sm2Signer::new(IDENTITY, &bytes(&order.replace("4123", "4121"))).is_some(), "n - 2");
        assert!(Sm2Signer::new(&"x".repeat(8192), &[1; 32]).is_none(), "an identity of 65536 bits");
    }

    #[test]
    fn a_nonce_that_gives_r_plus_k_zero_is_passed_over() {
        // Choose e so that r = e + x(kG) = -k.
        let signer = Sm2Signer::new(IDENTITY, &[7; 32]).unwrap();
        let nonce = Scalar::from(5u64);
        let x: Scalar =
            Reduce::<FieldBytes>::reduce(&ProjectivePoint::mul_by_generator(&nonce).to_affine().x());
        assert!(signer.sign_with(&(-nonce - x), nonce).is_none());
        // And so that r = 0.
        assert!(signer.sign_with(&-x, nonce).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_signature_is_the_one_that_the_crate_sm2_makes(secret: [u8; 32], message: Vec<u8>) {
            if let Some(signer) = Sm2Signer::new(IDENTITY, &secret) {
                let oracle = SigningKey::from_slice(IDENTITY, &secret).unwrap();
                let expected: Signature = oracle.sign(&message);
                let expected: [u8; 64] = expected.to_bytes().into();
                prop_assert_eq!(signer.sign(&message), expected);
            }
        }
    }
}

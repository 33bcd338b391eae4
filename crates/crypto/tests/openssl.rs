//! Both ways with the OpenSSL command line: what it signs, hashes and encrypts we read, and the reverse.
//!
//! These tests need `openssl` 3.0 or later and fail without it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use crypto::hash::Hash;
use crypto::root::RootKey;
use crypto::signature::{
    SM2_IDENTITY, SignatureError, SigningKey, VerifyingKey, signature_from_der, signature_to_der,
};
use crypto::suite::Algorithm;
use kernel::entropy::{Entropy, SeededEntropy};
use tempfile::TempDir;

/// Messages on both sides of the block sizes, and one in Chinese.
fn messages() -> Vec<Vec<u8>> {
    let mut random = vec![0; 4096];
    SeededEntropy::new(1).fill(&mut random);
    let cuts = [1, 15, 16, 31, 32, 55, 56, 63, 64, 65, 4096];
    let mut messages: Vec<Vec<u8>> =
        cuts.iter().map(|cut| random.iter().take(*cut).copied().collect()).collect();
    messages.push("大理市市场监督管理局".as_bytes().to_vec());
    messages
}

/// A folder in which the command line finds its files.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn try_run(&self, arguments: &str) -> Output {
        openssl(self.0.path(), arguments)
    }

    /// Runs `openssl` and returns what it printed; it must succeed.
    fn run(&self, arguments: &str) -> Vec<u8> {
        let output = self.try_run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {arguments}: {complaint}");
        output.stdout
    }

    /// Makes a key pair with the command line and returns the secret half as we read it.
    fn key_pair(&self, algorithm: Algorithm) -> SigningKey {
        let kind = match algorithm {
            Algorithm::Sm2Sm3 => "-algorithm SM2",
            Algorithm::Ed25519 => "-algorithm ED25519",
            Algorithm::Es256 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        };
        self.run(&format!("genpkey {kind} -out secret.pem"));
        self.run("pkey -in secret.pem -pubout -out public.pem");
        let pem = String::from_utf8(self.read("secret.pem")).unwrap();
        SigningKey::from_pkcs8_pem(algorithm, &pem).unwrap()
    }
}

fn openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("these tests need the openssl command line: {error}"))
}

/// How the command line is told to sign and verify a whole message.
fn options(algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Sm2Sm3 => format!("-rawin -digest sm3 -pkeyopt distid:{SM2_IDENTITY}"),
        Algorithm::Ed25519 => "-rawin".into(),
        Algorithm::Es256 => "-rawin -digest sha256".into(),
    }
}

fn from_openssl(algorithm: Algorithm, bytes: &[u8]) -> [u8; 64] {
    match algorithm {
        Algorithm::Ed25519 => bytes.try_into().unwrap(),
        _ => signature_from_der(algorithm, bytes).unwrap(),
    }
}

fn to_openssl(algorithm: Algorithm, signature: &[u8; 64]) -> Vec<u8> {
    match algorithm {
        Algorithm::Ed25519 => signature.to_vec(),
        _ => signature_to_der(algorithm, signature).unwrap(),
    }
}

#[test]
fn what_openssl_signs_we_verify() {
    for algorithm in Algorithm::ALL {
        let workshop = Workshop::new();
        let public = workshop.key_pair(algorithm).verifying_key();
        for message in messages() {
            workshop.write("message", &message);
            let options = options(algorithm);
            workshop.run(&format!("pkeyutl -sign {options} -inkey secret.pem -in message -out signature"));
            let signature = from_openssl(algorithm, &workshop.read("signature"));
            assert_eq!(public.verify(&message, &signature), Ok(()), "{algorithm}, {} bytes", message.len());
            assert_eq!(public.verify(b"another message", &signature), Err(SignatureError::Refused));
        }
    }
}

#[test]
fn what_we_sign_openssl_verifies() {
    for algorithm in Algorithm::ALL {
        let workshop = Workshop::new();
        let secret = SigningKey::generate(algorithm, &SeededEntropy::new(7)).unwrap();
        workshop.write("public.pem", secret.verifying_key().to_spki_pem().unwrap().as_bytes());
        let verify = format!(
            "pkeyutl -verify {} -pubin -inkey public.pem -in message -sigfile signature",
            options(algorithm)
        );
        for message in messages() {
            let signature = secret.sign(&message).unwrap();
            workshop.write("message", &message);
            workshop.write("signature", &to_openssl(algorithm, &signature));
            workshop.run(&verify);
        }
        workshop.write("message", b"another message");
        assert!(!workshop.try_run(&verify).status.success(), "{algorithm}: openssl accepts a wrong message");
    }
}

#[test]
fn a_key_that_openssl_made_signs_here_and_verifies_there() {
    for algorithm in Algorithm::ALL {
        let workshop = Workshop::new();
        let secret = workshop.key_pair(algorithm);
        let signature = secret.sign(b"message").unwrap();
        workshop.write("message", b"message");
        workshop.write("signature", &to_openssl(algorithm, &signature));
        workshop.run(&format!(
            "pkeyutl -verify {} -pubin -inkey public.pem -in message -sigfile signature",
            options(algorithm)
        ));
        // The public key travels unchanged too.
        let pem = secret.verifying_key().to_spki_pem().unwrap();
        assert_eq!(String::from_utf8(workshop.read("public.pem")).unwrap(), pem, "{algorithm}");
    }
}

#[test]
fn a_key_of_another_algorithm_is_not_read() {
    for algorithm in Algorithm::ALL {
        let workshop = Workshop::new();
        workshop.key_pair(algorithm);
        let pem = String::from_utf8(workshop.read("secret.pem")).unwrap();
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(
                SigningKey::from_pkcs8_pem(other, &pem).map(|_| ()),
                Err(SignatureError::BadSecretKey),
                "{algorithm} read as {other}"
            );
        }
    }
}

#[test]
fn dgst_signs_with_the_identity_it_is_told_and_another_identity_is_refused() {
    let workshop = Workshop::new();
    let public = workshop.key_pair(Algorithm::Sm2Sm3).verifying_key();
    workshop.write("message", b"message");
    let verified = |identity: &str| {
        let option = if identity.is_empty() { String::new() } else { format!("-sigopt distid:{identity}") };
        workshop.run(&format!("dgst -sm3 -sign secret.pem {option} -out signature message"));
        let signature = signature_from_der(Algorithm::Sm2Sm3, &workshop.read("signature")).unwrap();
        public.verify(b"message", &signature)
    };
    assert_eq!(verified(SM2_IDENTITY), Ok(()));
    assert_eq!(verified("ALICE123@YAHOO.COM"), Err(SignatureError::Refused));
    assert_eq!(verified("1234567812345679"), Err(SignatureError::Refused));
    assert_eq!(verified(""), Err(SignatureError::Refused), "no identity at all");
}

#[test]
fn the_digests_are_equal() {
    let workshop = Workshop::new();
    workshop.write("empty", b"");
    for (hash, name) in [(Hash::Sm3, "sm3"), (Hash::Sha256, "sha256")] {
        assert_eq!(workshop.run(&format!("dgst -{name} -binary empty")), hash.digest(b""));
        for message in messages() {
            workshop.write("message", &message);
            assert_eq!(workshop.run(&format!("dgst -{name} -binary message")), hash.digest(&message));
        }
    }
}

#[test]
fn the_keyed_digests_and_derived_keys_are_equal() {
    let workshop = Workshop::new();
    let key = [0x5a; 32];
    let root = RootKey::from_bytes(key);
    let digits = "5a".repeat(32);
    for (hash, name) in [(Hash::Sm3, "sm3"), (Hash::Sha256, "sha256")] {
        for message in messages() {
            workshop.write("message", &message);
            let mac =
                workshop.run(&format!("dgst -{name} -mac HMAC -macopt hexkey:{digits} -binary message"));
            assert_eq!(mac, hash.hmac(&key, &[&message]));
        }
        let derived = workshop.run(&format!(
            "kdf -keylen 32 -binary -kdfopt digest:{name} -kdfopt hexkey:{digits} \
             -kdfopt salt:yiwang/root/v1 -kdfopt info:a-label HKDF"
        ));
        assert_eq!(derived, *root.derive_with(hash, "a-label"));
    }
}

#[test]
fn sm4_cbc_is_read_both_ways() {
    let workshop = Workshop::new();
    let key: [u8; 16] = *b"0123456789abcdef";
    let iv: [u8; 16] = *b"fedcba9876543210";
    let arguments = format!("enc -sm4-cbc -K {} -iv {}", hex::encode(key), hex::encode(iv));
    for message in messages() {
        workshop.write("message", &message);
        let theirs = workshop.run(&format!("{arguments} -in message"));
        let ours =
            cbc::Encryptor::<sm4::Sm4>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(&message);
        assert_eq!(ours, theirs);
        let read =
            cbc::Decryptor::<sm4::Sm4>::new(&key.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(&theirs);
        assert_eq!(read.unwrap(), message);
        workshop.write("ciphertext", &ours);
        assert_eq!(workshop.run(&format!("{arguments} -d -in ciphertext")), message);
    }
}

#[test]
fn openssl_reads_the_public_key_as_what_it_is() {
    for (algorithm, words) in [
        (Algorithm::Sm2Sm3, "ASN1 OID: SM2"),
        (Algorithm::Es256, "NIST CURVE: P-256"),
        (Algorithm::Ed25519, "ED25519 Public-Key"),
    ] {
        let workshop = Workshop::new();
        let secret = SigningKey::from_bytes(algorithm, &[0x21; 32]).unwrap();
        let public: VerifyingKey = secret.verifying_key();
        workshop.write("public.pem", public.to_spki_pem().unwrap().as_bytes());
        let text = String::from_utf8(workshop.run("pkey -pubin -in public.pem -noout -text")).unwrap();
        assert!(text.contains(words), "{algorithm}: {text}");
    }
}

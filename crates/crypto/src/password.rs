//! Password hashing with argon2id (RFC 9106), stored as PHC strings.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use kernel::entropy::Entropy;
use thiserror::Error;

/// Memory in KiB: 19 MiB, the OWASP minimum for argon2id (Password Storage Cheat Sheet).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// The most memory, passes and lanes that a stored hash may ask for: a hash that someone planted in the store
/// must not stop the node.
const MAX_COST: (u32, u32, u32) = (256 * 1024, 10, 4);

/// Length in bytes of the longest password. Longer ones are refused rather than cut.
pub const MAX_LEN: usize = 1024;

const SALT_LEN: usize = 16;

/// The PHC string of a password, with its parameters and a new salt in it.
pub fn hash(password: &str, entropy: &dyn Entropy) -> Result<String, PasswordError> {
    if password.len() > MAX_LEN {
        return Err(PasswordError::TooLong);
    }
    let mut salt = [0; SALT_LEN];
    entropy.fill(&mut salt);
    let hashed = argon2id()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|_| PasswordError::NotHashed)?;
    Ok(hashed.to_string())
}

/// Whether the password is the one that was hashed. The digests are compared in constant time.
pub fn verify(password: &str, stored: &str) -> Result<bool, PasswordError> {
    if password.len() > MAX_LEN {
        return Err(PasswordError::TooLong);
    }
    let stored = PasswordHash::new(stored).map_err(|_| PasswordError::BadHash)?;
    if stored.algorithm != Algorithm::Argon2id.ident() || stored.hash.is_none() {
        return Err(PasswordError::BadHash);
    }
    let params = Params::try_from(&stored).map_err(|_| PasswordError::BadHash)?;
    let (memory, passes, lanes) = MAX_COST;
    if params.m_cost() > memory || params.t_cost() > passes || params.p_cost() > lanes {
        return Err(PasswordError::TooCostly);
    }
    match argon2id()?.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::BadHash),
    }
}

/// Like [`verify`], for an account that may not exist: without a stored hash the answer is `false` after the same
/// work, so that the time of an answer does not tell which accounts exist.
pub fn verify_account(password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
    if let Some(stored) = stored {
        return verify(password, stored);
    }
    if password.len() > MAX_LEN {
        return Err(PasswordError::TooLong);
    }
    let mut out = [0; 32];
    argon2id()?
        .hash_password_into(password.as_bytes(), &[0; SALT_LEN], &mut out)
        .map_err(|_| PasswordError::NotHashed)?;
    std::hint::black_box(out);
    Ok(false)
}

/// Whether a stored hash was made with other parameters than today's and should be made anew at the next
/// sign-in.
pub fn needs_rehash(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|stored| Params::try_from(&stored).ok());
    params.is_none_or(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES)
    })
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Longer than [`MAX_LEN`] bytes.
    #[error("a password has at most {MAX_LEN} bytes")]
    TooLong,
    /// Not an argon2id PHC string.
    #[error("the stored hash is not an argon2id PHC string")]
    BadHash,
    /// The stored parameters ask for more than this node spends on a sign-in.
    #[error("the stored hash asks for more memory or time than is allowed")]
    TooCostly,
    /// The memory for hashing was refused.
    #[error("the password could not be hashed")]
    NotHashed,
}

fn argon2id() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::NotHashed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn a_password_opens_its_own_hash_only() {
        let entropy = SeededEntropy::new(1);
        let stored = hash("正确的马电池订书钉", &entropy).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify("正确的马电池订书钉", &stored), Ok(true));
        assert_eq!(verify("正确的马电池订书钉 ", &stored), Ok(false));
        assert_eq!(verify("", &stored), Ok(false));
        assert_ne!(stored, hash("正确的马电池订书钉", &entropy).unwrap(), "each hash has a salt of its own");
        assert!(!needs_rehash(&stored));
    }

    #[test]
    fn argon2id_gives_the_reference_vector() {
        // From the test suite of the reference implementation: argon2id, version 19, t=2, m=2^16 KiB, p=1.
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(verify("password", stored), Ok(true));
        assert_eq!(verify("Password", stored), Ok(false));
        assert!(needs_rehash(stored));
    }

    #[test]
    fn a_planted_hash_is_refused_before_it_costs_anything() {
        let tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        for costs in ["m=4000000,t=2,p=1", "m=19456,t=100000,p=1", "m=19456,t=2,p=200"] {
            assert_eq!(verify("x", &format!("$argon2id$v=19${costs}{tail}")), Err(PasswordError::TooCostly));
        }
        for stored in [
            "",
            "password",
            "$argon2d$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
        ] {
            assert_eq!(verify("x", stored), Err(PasswordError::BadHash), "{stored}");
        }
        assert_eq!(verify(&"x".repeat(MAX_LEN + 1), "any"), Err(PasswordError::TooLong));
        assert_eq!(hash(&"x".repeat(MAX_LEN + 1), &SeededEntropy::new(1)), Err(PasswordError::TooLong));
    }

    #[test]
    fn no_password_opens_an_account_that_does_not_exist() {
        let stored = hash("secret", &SeededEntropy::new(1)).unwrap();
        assert_eq!(verify_account("secret", Some(&stored)), Ok(true));
        assert_eq!(verify_account("secret", None), Ok(false));
        assert_eq!(verify_account("", None), Ok(false));
        assert_eq!(verify_account(&"x".repeat(MAX_LEN + 1), None), Err(PasswordError::TooLong));
    }
}

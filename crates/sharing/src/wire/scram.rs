//! One exchange of SCRAM-SHA-256 or SCRAM-SHA-256-PLUS, as PostgreSQL's clients speak it.
//!
//! An unknown user is led through the same exchange with a made-up verifier, the same each time, and fails at its end
//! as a wrong secret does. A client that could bind the channel and was not offered to (because somebody in the
//! middle took the offer out) is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::hash::Hash;
use crypto::scram::{ITERATIONS, Verifier};

/// Without channel binding.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// With it.
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Why an exchange ended without success. What the client is told does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The messages are not those of the protocol.
    Malformed,
    /// The channel is bound to another certificate, or the offer to bind it was taken out.
    Channel,
    /// The secret is wrong, or there is no such user.
    Secret,
}

/// The server's first answer was given; the client's proof is awaited.
#[derive(Debug)]
pub(super) struct Begun {
    verifier: Verifier,
    known: bool,
    nonce: String,
    /// What the client's last message has to bind to, in base64.
    binding: String,
    exchange: String,
}

/// The verifier that an unknown user is tried against: derived from their name, so that asking twice shows the same
/// salt, as it does for a user who is there.
pub(super) fn made_up(key: &[u8; 32], user: &str) -> Verifier {
    let of = |what: &[u8]| Hash::Sha256.hmac(key, &[what, user.as_bytes()]);
    let mut salt = [0; 16];
    salt.iter_mut().zip(of(b"salt")).for_each(|(to, from)| *to = from);
    Verifier { salt, iterations: ITERATIONS, stored_key: of(b"stored"), server_key: of(b"server") }
}

/// Reads the client's first message, and answers it.
///
/// `channel` is the hash of the certificate where the channel can be bound, `nonce` fresh and random.
pub(super) fn begin(
    mechanism: &str,
    message: &[u8],
    channel: Option<&[u8]>,
    verifier: Option<Verifier>,
    made_up: Verifier,
    nonce: &str,
) -> Result<(Begun, String), Failed> {
    let text = std::str::from_utf8(message).map_err(|_| Failed::Malformed)?;
    let (flag, rest) = text.split_once(',').ok_or(Failed::Malformed)?;
    let (authzid, bare) = rest.split_once(',').ok_or(Failed::Malformed)?;
    let header = format!("{flag},{authzid},");
    let bound = match (mechanism, flag, channel) {
        (PLUS, "p=tls-server-end-point", Some(channel)) => [header.as_bytes(), channel].concat(),
        // "I could bind, and think that you cannot": somebody took the offer out.
        (PLAIN, "y", Some(_)) => return Err(Failed::Channel),
        (PLAIN, "n" | "y", _) => header.clone().into_bytes(),
        _ => return Err(Failed::Channel),
    };
    if !authzid.is_empty() {
        return Err(Failed::Malformed);
    }
    // The name in `n=` is left out of account: clients of PostgreSQL give it when they connect.
    let client_nonce = bare.split(',').nth(1).and_then(|part| part.strip_prefix("r=")).unwrap_or_default();
    if !bare.starts_with("n=") || client_nonce.is_empty() || client_nonce.len() > 200 {
        return Err(Failed::Malformed);
    }
    let known = verifier.is_some();
    let verifier = verifier.unwrap_or(made_up);
    let nonce = format!("{client_nonce}{nonce}");
    let answer = format!("r={nonce},s={},i={}", STANDARD.encode(verifier.salt), verifier.iterations);
    let exchange = format!("{bare},{answer}");
    Ok((Begun { verifier, known, nonce, binding: STANDARD.encode(bound), exchange }, answer))
}

impl Begun {
    /// Reads the client's proof, and answers it with the server's.
    pub(super) fn end(self, message: &[u8]) -> Result<String, Failed> {
        let text = std::str::from_utf8(message).map_err(|_| Failed::Malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Failed::Malformed)?;
        let mut parts = without_proof.split(',');
        let binding = parts.next().and_then(|part| part.strip_prefix("c=")).ok_or(Failed::Malformed)?;
        let nonce = parts.next().and_then(|part| part.strip_prefix("r=")).ok_or(Failed::Malformed)?;
        if nonce != self.nonce {
            return Err(Failed::Malformed);
        }
        if binding != self.binding {
            return Err(Failed::Channel);
        }
        let proof = STANDARD.decode(proof).map_err(|_| Failed::Malformed)?;
        let exchange = format!("{},{without_proof}", self.exchange);
        // Both are computed whoever asks, so that the time tells nothing either.
        let accepted = self.verifier.accepts(&exchange, &proof);
        let signature = STANDARD.encode(self.verifier.signature(&exchange));
        match accepted && self.known {
            true => Ok(format!("v={signature}")),
            false => Err(Failed::Secret),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier() -> Verifier {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Verifier::new("pencil", salt.try_into().unwrap(), 4_096)
    }

    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const LAST: &[u8] = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_exchange_of_the_rfc_succeeds() {
        let (begun, answer) =
            begin(PLAIN, FIRST, None, Some(verifier()), made_up(&[0; 32], "user"), NONCE).unwrap();
        assert_eq!(
            answer,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(begun.end(LAST).unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn an_unknown_user_gets_the_same_answers_and_fails_at_the_end() {
        let made_up = made_up(&[7; 32], "nobody");
        let (begun, first) = begin(PLAIN, FIRST, None, None, made_up.clone(), NONCE).unwrap();
        let (_, second) = begin(PLAIN, FIRST, None, None, made_up, NONCE).unwrap();
        assert_eq!(first, second);
        assert_eq!(begun.end(LAST).unwrap_err(), Failed::Secret);
        let (begun, _) = begin(PLAIN, FIRST, None, None, verifier(), NONCE).unwrap();
        assert_eq!(begun.end(LAST).unwrap_err(), Failed::Secret, "not even by guessing what is made up");
    }

    #[test]
    fn an_offer_to_bind_that_was_taken_out_is_noticed() {
        let channel = [1_u8; 32];
        let begin = |mechanism, first: &[u8]| {
            begin(mechanism, first, Some(&channel), Some(verifier()), made_up(&[0; 32], "user"), NONCE)
        };
        assert_eq!(begin(PLAIN, b"y,,n=user,r=abc").unwrap_err(), Failed::Channel);
        assert_eq!(begin(PLUS, b"n,,n=user,r=abc").unwrap_err(), Failed::Channel);
        assert_eq!(begin(PLUS, b"p=tls-unique,,n=user,r=abc").unwrap_err(), Failed::Channel);
        assert_eq!(begin("SCRAM-SHA-1", FIRST).unwrap_err(), Failed::Channel);
        assert!(begin(PLUS, b"p=tls-server-end-point,,n=user,r=abc").is_ok());
        assert!(begin(PLAIN, FIRST).is_ok(), "a client that cannot bind is let in without");
    }

    #[test]
    fn what_is_not_of_the_protocol_is_refused() {
        for first in ["", "n", "n,", "n,,", "n,,n=user", "n,,r=abc", "n,,n=user,r=", "n,a=other,n=user,r=abc"]
        {
            let begun =
                begin(PLAIN, first.as_bytes(), None, Some(verifier()), made_up(&[0; 32], "user"), NONCE);
            assert_eq!(begun.unwrap_err(), Failed::Malformed, "{first}");
        }
        for last in ["", "c=biws", "c=biws,r=other,p=AAAA", "c=biws,r=rOprNGfwEbeRWgbNEkqO,p=AAAA"] {
            let (begun, _) =
                begin(PLAIN, FIRST, None, Some(verifier()), made_up(&[0; 32], "user"), NONCE).unwrap();
            assert_eq!(begun.end(last.as_bytes()).unwrap_err(), Failed::Malformed, "{last}");
        }
    }
}

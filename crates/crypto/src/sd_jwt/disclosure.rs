//! Replacing claims by digests, and putting disclosed claims back (RFC 9901, sections 4.2 and 7.1).

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::entropy::Entropy;
use serde_json::{Map, Value};

use super::{MAX_DISCLOSURES, SdJwtError};
use crate::hash::sha256;

/// Objects and arrays inside each other.
const MAX_DEPTH: usize = 32;

const SALT_LEN: usize = 16;

/// The digest of a disclosure: of its encoded form, not of what it encodes.
fn digest_of(encoded: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(encoded.as_bytes()))
}

/// Replaces the claims at these pointers by digests. Returns what is left and the disclosures.
pub(super) fn conceal(
    payload: Map<String, Value>,
    pointers: &[&str],
    entropy: &dyn Entropy,
) -> Result<(Map<String, Value>, Vec<String>), SdJwtError> {
    if pointers.len() > MAX_DISCLOSURES {
        return Err(SdJwtError::TooLong);
    }
    let mut root = Value::Object(payload);
    refuse_reserved(&root, MAX_DEPTH)?;
    // The deepest first, so that a withheld claim inside a withheld one is already a digest in it.
    let mut pointers = pointers.to_vec();
    pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.matches('/').count()));
    let mut disclosures = Vec::with_capacity(pointers.len());
    for pointer in pointers {
        let missing = || SdJwtError::NoSuchClaim { pointer: pointer.to_owned() };
        let (parent, name) = pointer.rsplit_once('/').ok_or_else(missing)?;
        let name = name.replace("~1", "/").replace("~0", "~");
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt);
        let salt = Value::String(URL_SAFE_NO_PAD.encode(salt));
        match root.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                let value = members.shift_remove(&name).filter(|_| name != "_sd").ok_or_else(missing)?;
                let encoded = encode(&[salt, Value::String(name), value])?;
                insert_digest(members, digest_of(&encoded))?;
                disclosures.push(encoded);
            }
            Some(Value::Array(items)) => {
                let index: usize = name.parse().map_err(|_| missing())?;
                let item = items.get_mut(index).filter(|item| !is_digest(item)).ok_or_else(missing)?;
                let encoded = encode(&[salt, item.take()])?;
                *item = Value::Object(Map::from_iter([("...".to_owned(), digest_of(&encoded).into())]));
                disclosures.push(encoded);
            }
            _ => return Err(missing()),
        }
    }
    match root {
        Value::Object(payload) => Ok((payload, disclosures)),
        _ => Err(SdJwtError::Malformed),
    }
}

/// The disclosures of a credential or a presentation.
pub(super) struct Disclosures<'a> {
    items: Vec<Disclosure<'a>>,
    seen: HashSet<String>,
}

struct Disclosure<'a> {
    encoded: &'a str,
    digest: String,
    /// `None` for an element of an array.
    name: Option<String>,
    value: Value,
    /// Where it was put, and the disclosure around it.
    place: Option<(String, Option<usize>)>,
}

impl<'a> Disclosures<'a> {
    pub(super) fn read(encoded: &[&'a str]) -> Result<Self, SdJwtError> {
        let items = encoded.iter().map(|encoded| Disclosure::read(encoded)).collect::<Result<_, _>>()?;
        Ok(Self { items, seen: HashSet::new() })
    }

    /// Puts every disclosure in its place in the payload. Each must have one, and only one.
    pub(super) fn apply(
        mut self,
        payload: Map<String, Value>,
    ) -> Result<(Map<String, Value>, Self), SdJwtError> {
        let claims = self.object(payload, "", None, MAX_DEPTH)?;
        if self.items.iter().any(|item| item.place.is_none()) {
            return Err(SdJwtError::UnknownDisclosure);
        }
        Ok((claims, self))
    }

    /// Where the disclosures were put, in their order.
    pub(super) fn pointers(&self) -> Vec<String> {
        self.items.iter().filter_map(|item| item.place.as_ref()).map(|(pointer, _)| pointer.clone()).collect()
    }

    /// The disclosures at these pointers with those around them, in their order.
    pub(super) fn select(&self, pointers: &[&str]) -> Result<Vec<&'a str>, SdJwtError> {
        let mut chosen = HashSet::new();
        for pointer in pointers {
            let at = |item: &Disclosure<'_>| item.place.as_ref().is_some_and(|(place, _)| place == pointer);
            let mut next = self.items.iter().position(at);
            if next.is_none() {
                return Err(SdJwtError::NoSuchClaim { pointer: (*pointer).to_owned() });
            }
            while let Some(index) = next.filter(|index| chosen.insert(*index)) {
                next = self
                    .items
                    .get(index)
                    .and_then(|item| item.place.as_ref())
                    .and_then(|(_, around)| *around);
            }
        }
        let shown = self.items.iter().enumerate().filter(|(index, _)| chosen.contains(index));
        Ok(shown.map(|(_, item)| item.encoded).collect())
    }

    fn value(
        &mut self,
        value: Value,
        place: &str,
        around: Option<usize>,
        depth: usize,
    ) -> Result<Value, SdJwtError> {
        let inner = || depth.checked_sub(1).ok_or(SdJwtError::TooDeep);
        Ok(match value {
            Value::Object(members) => Value::Object(self.object(members, place, around, inner()?)?),
            Value::Array(items) => Value::Array(self.array(items, place, around, inner()?)?),
            other => other,
        })
    }

    fn object(
        &mut self,
        mut members: Map<String, Value>,
        place: &str,
        around: Option<usize>,
        depth: usize,
    ) -> Result<Map<String, Value>, SdJwtError> {
        let digests = match members.shift_remove("_sd") {
            None => Vec::new(),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(SdJwtError::Malformed),
        };
        let mut shown = Map::new();
        for (name, value) in members {
            if name == "..." {
                return Err(SdJwtError::Malformed);
            }
            let value = self.value(value, &join(place, &name), around, depth)?;
            shown.insert(name, value);
        }
        for digest in digests {
            let Value::String(digest) = digest else { return Err(SdJwtError::Malformed) };
            let Some(index) = self.take(digest)? else { continue };
            let Some((name, value)) =
                self.items.get(index).map(|item| (item.name.clone(), item.value.clone()))
            else {
                continue;
            };
            let name = name.ok_or(SdJwtError::BadDisclosure)?;
            if name == "_sd" || name == "..." {
                return Err(SdJwtError::BadDisclosure);
            }
            if shown.contains_key(&name) {
                return Err(SdJwtError::Overwrites { name });
            }
            let place = join(place, &name);
            let value = self.value(value, &place, Some(index), depth)?;
            self.put(index, place, around);
            shown.insert(name, value);
        }
        Ok(shown)
    }

    fn array(
        &mut self,
        items: Vec<Value>,
        place: &str,
        around: Option<usize>,
        depth: usize,
    ) -> Result<Vec<Value>, SdJwtError> {
        let mut shown = Vec::with_capacity(items.len());
        for (position, item) in items.into_iter().enumerate() {
            // Positions count withheld elements too, so that a pointer means the same in every presentation.
            let place = join(place, &position.to_string());
            if !is_digest(&item) {
                shown.push(self.value(item, &place, around, depth)?);
                continue;
            }
            let Value::Object(mut members) = item else { return Err(SdJwtError::Malformed) };
            let (Some(Value::String(digest)), true) = (members.shift_remove("..."), members.is_empty())
            else {
                return Err(SdJwtError::Malformed);
            };
            let Some(index) = self.take(digest)? else { continue };
            let Some((name, value)) =
                self.items.get(index).map(|item| (item.name.clone(), item.value.clone()))
            else {
                continue;
            };
            if name.is_some() {
                return Err(SdJwtError::BadDisclosure);
            }
            shown.push(self.value(value, &place, Some(index), depth)?);
            self.put(index, place, around);
        }
        Ok(shown)
    }

    /// The disclosure of a digest, if it is here. A digest that stands twice is refused, disclosed or not.
    fn take(&mut self, digest: String) -> Result<Option<usize>, SdJwtError> {
        let index = self.items.iter().position(|item| item.digest == digest);
        if self.seen.insert(digest) { Ok(index) } else { Err(SdJwtError::TwiceDisclosed) }
    }

    fn put(&mut self, index: usize, place: String, around: Option<usize>) {
        if let Some(item) = self.items.get_mut(index) {
            item.place = Some((place, around));
        }
    }
}

impl<'a> Disclosure<'a> {
    fn read(encoded: &'a str) -> Result<Self, SdJwtError> {
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| SdJwtError::BadDisclosure)?;
        let parts: Vec<Value> = serde_json::from_slice(&json).map_err(|_| SdJwtError::BadDisclosure)?;
        let (name, value) = match <[Value; 3]>::try_from(parts) {
            Ok([Value::String(_), Value::String(name), value]) => (Some(name), value),
            Ok(_) => return Err(SdJwtError::BadDisclosure),
            Err(parts) => match <[Value; 2]>::try_from(parts) {
                Ok([Value::String(_), value]) => (None, value),
                _ => return Err(SdJwtError::BadDisclosure),
            },
        };
        Ok(Self { encoded, digest: digest_of(encoded), name, value, place: None })
    }
}

fn encode(parts: &[Value]) -> Result<String, SdJwtError> {
    serde_json::to_vec(parts).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| SdJwtError::Malformed)
}

/// Adds a digest to the object's `_sd`, in the order of the digests, which tells nothing about the claims'.
fn insert_digest(members: &mut Map<String, Value>, digest: String) -> Result<(), SdJwtError> {
    let Value::Array(digests) = members.entry("_sd").or_insert_with(|| Value::Array(Vec::new())) else {
        return Err(SdJwtError::Malformed);
    };
    let position = digests.partition_point(|other| other.as_str() < Some(&digest));
    digests.insert(position, Value::String(digest));
    Ok(())
}

fn is_digest(item: &Value) -> bool {
    item.as_object().is_some_and(|members| members.contains_key("..."))
}

fn join(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Claims cannot be named like the digests that stand for them.
fn refuse_reserved(value: &Value, depth: usize) -> Result<(), SdJwtError> {
    let inner = || depth.checked_sub(1).ok_or(SdJwtError::TooDeep);
    match value {
        Value::Object(members) => {
            let depth = inner()?;
            members.iter().try_for_each(|(name, value)| {
                if name == "_sd" || name == "..." {
                    return Err(SdJwtError::ReservedClaim { name: name.clone() });
                }
                refuse_reserved(value, depth)
            })
        }
        Value::Array(items) => {
            let depth = inner()?;
            items.iter().try_for_each(|item| refuse_reserved(item, depth))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The disclosures of RFC 9901, section 5.1, with their digests.
    const RFC_9901: [(&str, &str); 10] = [
        (
            "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
            "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
        ),
        (
            "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
            "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
        ),
        (
            "WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImVtYWlsIiwgImpvaG5kb2VAZXhhbXBsZS5jb20iXQ",
            "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE",
        ),
        (
            "WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgInBob25lX251bWJlciIsICIrMS0yMDItNTU1LTAxMDEiXQ",
            "PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI",
        ),
        (
            "WyJRZ19PNjR6cUF4ZTQxMmExMDhpcm9BIiwgInBob25lX251bWJlcl92ZXJpZmllZCIsIHRydWVd",
            "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM",
        ),
        (
            "WyJBSngtMDk1VlBycFR0TjRRTU9xUk9BIiwgImFkZHJlc3MiLCB7InN0cmVldF9hZGRyZXNzIjogIjEyMyBNYWluIFN0IiwgImxvY2FsaXR5IjogIkFueXRvd24iLCAicmVnaW9uIjogIkFueXN0YXRlIiwgImNvdW50cnkiOiAiVVMifV0",
            "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE",
        ),
        (
            "WyJQYzMzSk0yTGNoY1VfbEhnZ3ZfdWZRIiwgImJpcnRoZGF0ZSIsICIxOTQwLTAxLTAxIl0",
            "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM",
        ),
        (
            "WyJHMDJOU3JRZmpGWFE3SW8wOXN5YWpBIiwgInVwZGF0ZWRfYXQiLCAxNTcwMDAwMDAwXQ",
            "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI",
        ),
        ("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0", "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"),
        ("WyJuUHVvUW5rUkZxM0JJZUFtN0FuWEZBIiwgIkRFIl0", "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0"),
    ];

    fn rfc_payload() -> Map<String, Value> {
        let (members, elements) = RFC_9901.split_at(8);
        let digests: Vec<&str> = members.iter().map(|(_, digest)| *digest).collect();
        let nationalities: Vec<Value> = elements.iter().map(|(_, digest)| json!({ "...": digest })).collect();
        let payload = json!({
            "_sd": digests,
            "iss": "https://issuer.example.com",
            "iat": 1683000000,
            "exp": 1883000000,
            "sub": "user_42",
            "nationalities": nationalities,
        });
        payload.as_object().unwrap().clone()
    }

    fn applied(
        payload: Map<String, Value>,
        encoded: &[&str],
    ) -> Result<(Map<String, Value>, Vec<String>), SdJwtError> {
        let (claims, disclosures) = Disclosures::read(encoded)?.apply(payload)?;
        let pointers = disclosures.pointers();
        Ok((claims, pointers))
    }

    #[test]
    fn the_digests_are_those_of_rfc_9901() {
        for (encoded, digest) in RFC_9901 {
            assert_eq!(digest_of(encoded), digest);
        }
        // Sections 4.2.3 and 4.2.4.2.
        let family_name = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        assert_eq!(digest_of(family_name), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
        let element = "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0";
        assert_eq!(digest_of(element), "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs");
    }

    #[test]
    fn the_disclosures_of_rfc_9901_give_back_its_claims() {
        let all: Vec<&str> = RFC_9901.iter().map(|(encoded, _)| *encoded).collect();
        let (claims, pointers) = applied(rfc_payload(), &all).unwrap();
        assert_eq!(
            Value::Object(claims),
            json!({
                "iss": "https://issuer.example.com",
                "iat": 1683000000,
                "exp": 1883000000,
                "sub": "user_42",
                "given_name": "John",
                "family_name": "Doe",
                "email": "johndoe@example.com",
                "phone_number": "+1-202-555-0101",
                "phone_number_verified": true,
                "address": {
                    "street_address": "123 Main St",
                    "locality": "Anytown",
                    "region": "Anystate",
                    "country": "US"
                },
                "birthdate": "1940-01-01",
                "updated_at": 1570000000,
                "nationalities": ["US", "DE"]
            })
        );
        assert_eq!(pointers.first().unwrap(), "/given_name");
        assert_eq!(pointers.last().unwrap(), "/nationalities/1");
        // The presentation of section 5.2 shows four of them.
        let (claims, _) = applied(rfc_payload(), &[all[0], all[1], all[5], all[8]]).unwrap();
        assert_eq!(claims["nationalities"], json!(["US"]));
        assert_eq!(claims["family_name"], json!("Doe"));
        assert!(!claims.contains_key("email") && !claims.contains_key("_sd"));
    }

    #[test]
    fn a_disclosure_that_cheats_is_named() {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let object = |value: Value| value.as_object().unwrap().clone();
        let single = |disclosure: &str| object(json!({ "_sd": [digest_of(disclosure)], "name": "shown" }));

        let stranger = encode(json!(["salt", "role", "mayor"]));
        assert_eq!(applied(object(json!({})), &[&stranger]), Err(SdJwtError::UnknownDisclosure));
        assert_eq!(
            applied(single(&stranger), &[&stranger, &stranger]).unwrap_err(),
            SdJwtError::UnknownDisclosure,
            "given twice"
        );
        let overwriting = encode(json!(["salt", "name", "another"]));
        assert_eq!(
            applied(single(&overwriting), &[&overwriting]),
            Err(SdJwtError::Overwrites { name: "name".into() })
        );
        for name in ["_sd", "..."] {
            let reserved = encode(json!(["salt", name, []]));
            assert_eq!(applied(single(&reserved), &[&reserved]), Err(SdJwtError::BadDisclosure));
        }
        let element = encode(json!(["salt", "value"]));
        assert_eq!(applied(single(&element), &[&element]), Err(SdJwtError::BadDisclosure));
        let in_array = object(json!({ "list": [{ "...": digest_of(&stranger) }] }));
        assert_eq!(applied(in_array, &[&stranger]), Err(SdJwtError::BadDisclosure));

        let twice = object(json!({ "_sd": ["x"], "inner": { "_sd": ["x"] } }));
        assert_eq!(applied(twice, &[]), Err(SdJwtError::TwiceDisclosed));
        for malformed in [
            json!({ "_sd": "x" }),
            json!({ "_sd": [1] }),
            json!({ "...": "x" }),
            json!({ "list": [{ "...": "x", "more": 1 }] }),
            json!({ "list": [{ "...": 1 }] }),
        ] {
            assert_eq!(applied(object(malformed.clone()), &[]), Err(SdJwtError::Malformed), "{malformed}");
        }
        for bad in [
            json!([]),
            json!(["salt"]),
            json!(["a", "b", "c", "d"]),
            json!([1, "b", "c"]),
            json!(["a", 1, 2]),
        ] {
            let bad = encode(bad);
            assert_eq!(applied(single(&bad), &[&bad]), Err(SdJwtError::BadDisclosure));
        }
        assert_eq!(applied(object(json!({})), &["%"]), Err(SdJwtError::BadDisclosure));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(applied(object(json!({ "deep": deep })), &[]), Err(SdJwtError::TooDeep));
    }

    #[test]
    fn a_chain_of_disclosures_is_no_way_around_the_depth() {
        let mut inner = URL_SAFE_NO_PAD.encode(json!(["salt", "x", 1]).to_string());
        let mut all = vec![inner.clone()];
        for _ in 0..40 {
            inner = URL_SAFE_NO_PAD.encode(json!(["salt", "x", { "_sd": [digest_of(&inner)] }]).to_string());
            all.push(inner.clone());
        }
        let payload = json!({ "_sd": [digest_of(&inner)] }).as_object().unwrap().clone();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(applied(payload, &all), Err(SdJwtError::TooDeep));
    }
}

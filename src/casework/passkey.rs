//! What a passkey's signature must say (Web Authentication Level 2, §7), checked by hand for the little of it that is
//! used here: no attestation, the person verified by the device, three kinds of keys. No database, no clock.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::domain::hash::{digest, same};
use crate::store::passkeys::Passkey;

/// ECDSA on P-256 with SHA-256, as COSE numbers it (RFC 9053).
const ES256: i32 = -7;
/// Ed25519.
const EDDSA: i32 = -8;
/// RSA with PKCS#1 v1.5 and SHA-256.
const RS256: i32 = -257;
/// The kinds of keys that can be checked, the best liked first.
pub const ALGORITHMS: [i32; 3] = [ES256, EDDSA, RS256];

/// The longest name an authenticator may give a passkey, in octets.
const LONGEST_NAME: usize = 1023;
/// More than any browser sends for one passkey, in octets.
const LONGEST_CREDENTIAL: usize = 16 * 1024;

/// Flags of authenticator data: the person was there, was verified, and a new key is attached.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTACHED: u8 = 0x40;

/// Before the point of a P-256 key, and before an Ed25519 key, in SubjectPublicKeyInfo (RFC 5480, RFC 8410).
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const ED25519_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// The algorithm of an RSA key there (RFC 3279).
const RSA_NAME: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// The fewest octets of an RSA key of 2048 bits.
const RSA_LEAST: usize = 256;

/// Where we are, as browsers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub origin: String,
    pub host: String,
}

impl Site {
    /// The site people reach at `public_url`.
    #[must_use]
    pub fn of(public_url: &str) -> Self {
        let url = Url::parse(public_url).ok();
        Self {
            origin: url
                .as_ref()
                .map_or_else(String::new, |url| url.origin().ascii_serialization()),
            host: url
                .as_ref()
                .and_then(Url::host_str)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// A passkey a browser has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub credential_id: String,
    pub algorithm: i32,
    /// In the form it is checked with.
    pub public_key: Vec<u8>,
    pub sign_count: i64,
}

/// What `PublicKeyCredential.toJSON()` gives, as far as it is used. It is the browser's document: what else it says is
/// left alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    raw_id: String,
    response: Response,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    #[serde(default)]
    public_key: Option<String>,
    #[serde(default)]
    public_key_algorithm: Option<i32>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    user_handle: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
}

fn octets(written: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(written.trim_end_matches('=')).ok()
}

fn read(credential: &Value) -> Option<Credential> {
    if credential.to_string().len() > LONGEST_CREDENTIAL {
        return None;
    }
    Credential::deserialize(credential).ok()
}

/// The name of the passkey, in one spelling.
#[must_use]
pub fn name_of(credential: &Value) -> Option<String> {
    let name = octets(&read(credential)?.raw_id)?;
    (1..=LONGEST_NAME)
        .contains(&name.len())
        .then(|| URL_SAFE_NO_PAD.encode(name))
}

/// The octets the browser says it was asked with, if they say what they must.
fn client_data(written: &str, kind: &str, challenge: &str, site: &Site) -> Option<Vec<u8>> {
    let bytes = octets(written)?;
    let said: ClientData = serde_json::from_slice(&bytes).ok()?;
    let fits = said.kind == kind
        && same(said.challenge.as_bytes(), challenge.as_bytes())
        && said.origin == site.origin
        && said.cross_origin != Some(true);
    fits.then_some(bytes)
}

/// Flags and counter of authenticator data that is for this site, of a person who was there and verified.
fn authenticator(bytes: &[u8], site: &Site) -> Option<(u8, i64)> {
    let (rp, rest) = bytes.split_at_checked(32)?;
    let (flags, rest) = rest.split_first()?;
    let counter: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let fits =
        same(rp, &digest(site.host.as_bytes())) && flags & PRESENT != 0 && flags & VERIFIED != 0;
    fits.then_some((*flags, i64::from(u32::from_be_bytes(counter))))
}

/// The new passkey, if everything about it fits.
#[must_use]
pub fn made(credential: &Value, challenge: &str, site: &Site) -> Option<Made> {
    let credential_id = name_of(credential)?;
    let said = read(credential)?.response;
    client_data(&said.client_data, "webauthn.create", challenge, site)?;
    let data = octets(&said.authenticator_data)?;
    let (flags, sign_count) = authenticator(&data, site)?;
    // After the head of 37 octets: 16 of the model, the length of the name, the name.
    let length: [u8; 2] = data.get(53..55)?.try_into().ok()?;
    let end = 55 + usize::from(u16::from_be_bytes(length));
    let same_name = URL_SAFE_NO_PAD.encode(data.get(55..end)?) == credential_id;
    if flags & ATTACHED == 0 || !same_name {
        return None;
    }
    let algorithm = said.public_key_algorithm?;
    let public_key = raw_key(algorithm, &octets(&said.public_key?)?)?;
    Some(Made {
        credential_id,
        algorithm,
        public_key,
        sign_count,
    })
}

/// How often the passkey says it has signed, if the signature is its own and everything it says fits.
#[must_use]
pub fn signed(credential: &Value, challenge: &str, site: &Site, key: &Passkey) -> Option<i64> {
    if name_of(credential)? != key.credential_id {
        return None;
    }
    let said = read(credential)?.response;
    let asked = client_data(&said.client_data, "webauthn.get", challenge, site)?;
    let mut message = octets(&said.authenticator_data)?;
    let (_, count) = authenticator(&message, site)?;
    if let Some(handle) = said.user_handle.filter(|h| !h.is_empty())
        && octets(&handle)? != key.person.0.as_bytes()
    {
        return None;
    }
    message.extend_from_slice(&digest(&asked));
    let signature = octets(&said.signature?)?;
    UnparsedPublicKey::new(verifier(key.algorithm)?, &key.public_key)
        .verify(&message, &signature)
        .ok()?;
    // A counter that does not grow belongs to a copy; authenticators that do not count say nothing but 0.
    let grows = count > key.sign_count || (count == 0 && key.sign_count == 0);
    grows.then_some(count)
}

fn verifier(algorithm: i32) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        ES256 => Some(&ECDSA_P256_SHA256_ASN1),
        EDDSA => Some(&ED25519),
        RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        _other => None,
    }
}

/// The key itself out of its SubjectPublicKeyInfo.
fn raw_key(algorithm: i32, spki: &[u8]) -> Option<Vec<u8>> {
    let key = match algorithm {
        ES256 => spki
            .strip_prefix(&P256_HEAD)
            .filter(|point| point.len() == 65 && point[0] == 4)?,
        EDDSA => spki
            .strip_prefix(&ED25519_HEAD)
            .filter(|key| key.len() == 32)?,
        RS256 => {
            let (inner, rest) = der(0x30, spki)?;
            let (bits, after) = der(0x03, inner.strip_prefix(&RSA_NAME)?)?;
            let key = bits.strip_prefix(&[0])?;
            (rest.is_empty() && after.is_empty() && key.len() >= RSA_LEAST).then_some(key)?
        }
        _other => return None,
    };
    Some(key.to_vec())
}

/// The content of a DER element with this tag, and what comes after it.
fn der(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let two: [u8; 2] = rest.get(..2)?.try_into().ok()?;
            (usize::from(u16::from_be_bytes(two)), rest.get(2..)?)
        }
        _longer => return None,
    };
    (*first == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{PasskeyId, PersonId};
    use crate::domain::time::Moment;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use serde_json::json;

    const CHALLENGE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

    enum Device {
        Ecdsa(EcdsaKeyPair),
        Ed(Ed25519KeyPair),
    }

    impl Device {
        fn ecdsa() -> Self {
            let (rng, alg) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
            let key = EcdsaKeyPair::generate_pkcs8(alg, &rng).expect("a key");
            Self::Ecdsa(EcdsaKeyPair::from_pkcs8(alg, key.as_ref(), &rng).expect("a key"))
        }
        fn ed() -> Self {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
            Self::Ed(Ed25519KeyPair::from_pkcs8(key.as_ref()).expect("a key"))
        }
        fn spki(&self) -> (i32, Vec<u8>) {
            match self {
                Self::Ecdsa(key) => (ES256, [&P256_HEAD[..], key.public_key().as_ref()].concat()),
                Self::Ed(key) => (
                    EDDSA,
                    [&ED25519_HEAD[..], key.public_key().as_ref()].concat(),
                ),
            }
        }
        fn sign(&self, message: &[u8]) -> Vec<u8> {
            match self {
                Self::Ecdsa(key) => key
                    .sign(&SystemRandom::new(), message)
                    .expect("a signature")
                    .as_ref()
                    .to_vec(),
                Self::Ed(key) => key.sign(message).as_ref().to_vec(),
            }
        }
    }

    fn here() -> Site {
        Site::of("https://common-ground.example.org")
    }

    fn data(host: &str, flags: u8, count: u32, name: Option<&[u8]>) -> Vec<u8> {
        let mut data = digest(host.as_bytes()).to_vec();
        data.push(flags);
        data.extend(count.to_be_bytes());
        if let Some(name) = name {
            data.extend([0; 16]);
            data.extend((name.len() as u16).to_be_bytes());
            data.extend(name);
        }
        data
    }

    fn said(kind: &str, challenge: &str, origin: &str) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false, "other": 1 })
            .to_string()
            .into_bytes()
    }

    fn written(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn enrolled(device: &Device, person: PersonId) -> Passkey {
        let (alg, spki) = device.spki();
        let site = here();
        let credential = json!({ "id": written("name"), "rawId": written("name"), "type": "public-key", "response": {
            "clientDataJSON": written(said("webauthn.create", CHALLENGE, &site.origin)),
            "authenticatorData": written(data(&site.host, 0x45, 3, Some(b"name"))),
            "publicKey": written(spki), "publicKeyAlgorithm": alg, "transports": ["internal"] } });
        let made = made(&credential, CHALLENGE, &site).expect("a passkey");
        assert!(super::made(&credential, "another", &site).is_none());
        Passkey {
            id: PasskeyId::random(),
            person,
            credential_id: made.credential_id,
            algorithm: made.algorithm,
            public_key: made.public_key,
            sign_count: made.sign_count,
            name: "Telephone".to_owned(),
            created_at: Moment::new("2026-11-21T10:00:00Z".parse().expect("a time")),
            last_used_at: None,
        }
    }

    fn answer(device: &Device, client: &[u8], data: &[u8], person: PersonId) -> Value {
        let message = [data, &digest(client)[..]].concat();
        json!({ "id": written("name"), "rawId": written("name"), "response": {
            "clientDataJSON": written(client), "authenticatorData": written(data),
            "signature": written(device.sign(&message)), "userHandle": written(person.0.as_bytes()) } })
    }

    #[test]
    fn a_passkey_of_either_kind_signs_in_once_and_everything_else_is_refused() {
        for (device, other) in [
            (Device::ecdsa(), Device::ecdsa()),
            (Device::ed(), Device::ed()),
        ] {
            let (site, person) = (here(), PersonId::random());
            let key = enrolled(&device, person);
            let client = said("webauthn.get", CHALLENGE, &site.origin);
            let good = data(&site.host, 0x05, 4, None);
            let right = answer(&device, &client, &good, person);
            assert_eq!(signed(&right, CHALLENGE, &site, &key), Some(4));
            let later = Passkey {
                sign_count: 4,
                ..key.clone()
            };
            assert_eq!(signed(&right, CHALLENGE, &site, &later), None, "replayed");
            assert_eq!(signed(&right, "another", &site, &key), None);
            let elsewhere = said("webauthn.get", CHALLENGE, "https://evil.example");
            let create = said("webauthn.create", CHALLENGE, &site.origin);
            let (unverified, other_site) = (
                data(&site.host, 0x01, 4, None),
                data("evil.example", 0x05, 4, None),
            );
            for (why, wrong) in [
                ("origin", answer(&device, &elsewhere, &good, person)),
                ("kind", answer(&device, &create, &good, person)),
                ("unverified", answer(&device, &client, &unverified, person)),
                ("site", answer(&device, &client, &other_site, person)),
                ("key", answer(&other, &client, &good, person)),
                (
                    "person",
                    answer(&device, &client, &good, PersonId::random()),
                ),
            ] {
                assert_eq!(signed(&wrong, CHALLENGE, &site, &key), None, "{why}");
            }
        }
    }

    #[test]
    fn what_is_no_credential_is_none() {
        for nothing in [json!(null), json!({}), json!([1]), json!({ "rawId": "" })] {
            assert_eq!(name_of(&nothing), None);
            assert_eq!(made(&nothing, CHALLENGE, &here()), None);
        }
        assert!(der(0x30, &[0x30, 0x82, 0x01]).is_none());
    }
}

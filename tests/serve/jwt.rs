//! Callers with a JSON Web Token.

mod fetched;

use std::time::{SystemTime, UNIX_EPOCH};

use base64_simd::URL_SAFE_NO_PAD as BASE64;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Access, Bridge, Caller, Identity, Jwks, JwtIssuer, RunningBridge};
use eset_protect::{Client, Wire};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{self, KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use serde_json::{Value, json};
use tonic::Code;

use crate::{WIRES, client, emulator};

const ISSUER: &str = "https://idp.example/";
const AUDIENCE: &str = "eset-protect";

/// A public example, since ring makes no RSA keys: RFC 7515, A.2.
const RSA: &str = include_str!("jwt/rfc7515-a2.json");

/// A key of an issuer.
enum Key {
    Rsa(rsa::KeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Hmac(hmac::Key),
}

impl Key {
    fn rsa(padding: &'static dyn RsaEncoding) -> Self {
        let key: Value = serde_json::from_str(RSA).unwrap();
        let part = |name: &str| BASE64.decode_to_vec(key[name].as_str().unwrap()).unwrap();
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: part("n"), e: part("e") },
            d: part("d"),
            p: part("p"),
            q: part("q"),
            dP: part("dp"),
            dQ: part("dq"),
            qInv: part("qi"),
        };
        Self::Rsa(rsa::KeyPair::from_components(&components).unwrap(), padding)
    }

    fn ec() -> Self {
        Self::ec_for(&ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    fn ec_for(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    fn ed() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    fn public(&self, id: &str) -> Value {
        match self {
            Self::Rsa(..) => {
                let key: Value = serde_json::from_str(RSA).unwrap();
                json!({ "kty": "RSA", "kid": id, "n": key["n"], "e": key["e"] })
            }
            Self::Hmac(_) => panic!("a secret"),
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (BASE64.encode_to_string(x), BASE64.encode_to_string(y));
                json!({ "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": x, "y": y })
            }
            Self::Ed(key) => {
                let x = BASE64.encode_to_string(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "x": x })
            }
        }
    }

    fn token(&self, head: &Value, claims: &Value) -> String {
        self.token_of(head, claims.to_string().as_bytes())
    }

    fn token_of(&self, head: &Value, claims: &[u8]) -> String {
        let part = |json: &[u8]| BASE64.encode_to_string(json);
        let message = format!("{}.{}", part(head.to_string().as_bytes()), part(claims));
        let (random, bytes) = (SystemRandom::new(), message.as_bytes());
        let signature = match self {
            Self::Rsa(key, padding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*padding, &random, bytes, &mut signature).unwrap();
                signature
            }
            Self::Ec(key) => key.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(bytes).as_ref().to_vec(),
            Self::Hmac(key) => hmac::sign(key, bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", BASE64.encode_to_string(signature))
    }

    fn head(&self, id: &str) -> Value {
        let algorithm = match self {
            Self::Rsa(..) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
            Self::Hmac(_) => "HS256",
        };
        json!({ "alg": algorithm, "kid": id })
    }
}

fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "soar", "exp": in_seconds(60) })
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

async fn bridge(upstream: &str, issuer: JwtIssuer) -> RunningBridge {
    let access = Access::new().tenant("a", client(upstream, Wire::Rest)).jwt(issuer);
    let caller = Caller::new("soar", Identity::Jwt("soar".into())).tenant("a");
    Bridge::new(access.caller(caller).unwrap()).start().await.unwrap()
}

async fn code(client: &Client, token: &str) -> Code {
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let called = call.metadata("authorization", &format!("Bearer {token}")).await;
    called.map_or_else(|error| error.code(), |_| Code::Ok)
}

#[tokio::test]
async fn a_token_names_the_caller() {
    let emulator = emulator().await;
    let (ec, ed) = (Key::ec(), Key::ed());
    let (rsa, pss) = (Key::rsa(&RSA_PKCS1_SHA256), Key::rsa(&RSA_PSS_SHA256));
    let ps256 = json!({ "alg": "PS256", "kid": "4", "typ": "JWT" });
    let asn1 = Key::ec_for(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "3" });
    let keys = [ec.public("1"), ed.public("2"), secret, rsa.public("4"), asn1.public("5")];
    let set = json!({ "keys": keys });
    let modulus = BASE64.decode_to_vec(rsa.public("")["n"].as_str().unwrap()).unwrap();
    let hmac = |secret: &[u8]| Key::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret));
    let issuer = JwtIssuer::new(ISSUER, AUDIENCE, Jwks::parse(set.to_string()).unwrap());
    let bridge = bridge(&emulator.endpoint(), issuer).await;
    let ok = claims();
    let tokens = [
        (Code::Ok, ec.token(&ec.head("1"), &ok)),
        (Code::Ok, ed.token(&ed.head("2"), &ok)),
        (Code::Ok, rsa.token(&rsa.head("4"), &ok)),
        (Code::Ok, pss.token(&ps256, &ok)),
        (Code::Ok, ec.token(&json!({ "alg": "ES256" }), &ok)),
        (Code::Ok, ec.token(&ec.head("1"), &with("aud", json!(["other", AUDIENCE])))),
        // Within the leeway.
        (Code::Ok, ec.token(&ec.head("1"), &with("exp", in_seconds(-5).into()))),
        (Code::Ok, ec.token(&ec.head("1"), &with("nbf", in_seconds(5).into()))),
        // Many groups.
        (Code::Ok, ec.token(&ec.head("1"), &with("groups", "g".repeat(8 * 1024).into()))),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("exp", in_seconds(-60).into()))),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("nbf", in_seconds(60).into()))),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("exp", Value::Null))),
        (
            Code::Unauthenticated,
            ec.token(&ec.head("1"), &with("iss", "https://evil.example/".into())),
        ),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("aud", "other".into()))),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("sub", "other".into()))),
        // The key of another, of another algorithm, or none.
        (Code::Unauthenticated, Key::ec().token(&ec.head("1"), &ok)),
        (Code::Unauthenticated, ed.token(&json!({ "alg": "EdDSA", "kid": "1" }), &ok)),
        (Code::Unauthenticated, ec.token(&ec.head("9"), &ok)),
        (Code::Unauthenticated, ec.token(&rsa.head("4"), &ok)),
        (Code::Unauthenticated, ec.token(&json!({ "alg": "HS256", "kid": "3" }), &ok)),
        (Code::Unauthenticated, hmac(b"secret").token(&json!({ "alg": "HS256", "kid": "3" }), &ok)),
        // A public key as the secret.
        (Code::Unauthenticated, hmac(&modulus).token(&json!({ "alg": "HS256", "kid": "4" }), &ok)),
        (
            Code::Unauthenticated,
            hmac(RSA.as_bytes()).token(&json!({ "alg": "HS256", "kid": "4" }), &ok),
        ),
        // The padding of the other algorithm, and the signature in another form (RFC 7518, 3.4).
        (Code::Unauthenticated, rsa.token(&ps256, &ok)),
        (Code::Unauthenticated, pss.token(&rsa.head("4"), &ok)),
        (Code::Unauthenticated, asn1.token(&asn1.head("5"), &ok)),
        // An extension that must be understood (RFC 7515, 4.1.11).
        (Code::Unauthenticated, ec.token(&json!({ "alg": "ES256", "crit": ["x"], "x": 1 }), &ok)),
        // For another purpose (RFC 8725, 3.11).
        (Code::Ok, ec.token(&json!({ "alg": "ES256", "typ": "application/at+JWT" }), &ok)),
        (Code::Ok, ec.token(&json!({ "alg": "ES256", "typ": "JWT" }), &ok)),
        (Code::Unauthenticated, ec.token(&json!({ "alg": "ES256", "typ": "logout+jwt" }), &ok)),
        (
            Code::Unauthenticated,
            ec.token(&json!({ "alg": "ES256", "typ": "application/secevent+jwt" }), &ok),
        ),
        (Code::Unauthenticated, ec.token(&ec.head("1"), &with("events", json!({})))),
        (Code::Unauthenticated, ec.token(&json!({ "alg": "none" }), &ok)),
        (
            Code::Unauthenticated,
            ec.token(&ec.head("1"), &ok).rsplit_once('.').unwrap().0.to_owned() + ".",
        ),
        (Code::Unauthenticated, "a.b.c".to_owned()),
    ];
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        for (index, (expected, token)) in tokens.iter().enumerate() {
            assert_eq!(code(&client, token).await, *expected, "{index} {front:?}");
        }
    }
}

#[tokio::test]
async fn no_upstream_gets_a_token_of_the_issuer() {
    let upstream = emulator().await;
    let key = Key::ec();
    let set = json!({ "keys": [key.public("0")] }).to_string();
    let nowhere = Jwks::fetched_from("http://127.0.0.1:1/keys").unwrap();
    let ours = |claims: &Value| key.token(&key.head("0"), claims);
    let foreign = ours(&with("iss", "https://upstream.example/".into()));
    for (keys, of_ours) in [
        (Jwks::parse(set).unwrap(), [Code::Ok, Code::Unauthenticated, Code::Unauthenticated]),
        (nowhere, [Code::Unavailable, Code::Unavailable, Code::Unauthenticated]),
    ] {
        let access = Access::new().tenant("a", client(&upstream.endpoint(), Wire::Rest));
        let access = access.jwt(JwtIssuer::new(ISSUER, AUDIENCE, keys));
        let soar = Caller::new("soar", Identity::Jwt("soar".into())).tenant("a");
        let own = Caller::new("own", Identity::OwnToken).tenant("a");
        let access = access.caller(soar).and_then(|access| access.caller(own)).unwrap();
        let bridge = Bridge::new(access).start().await.unwrap();
        for front in WIRES {
            let client = client(&bridge.endpoint(), front);
            let unsigned = key.token(&json!({ "alg": "none" }), &claims());
            let tokens = [ours(&claims()), ours(&with("exp", in_seconds(-60).into())), unsigned];
            for (token, expected) in tokens.iter().zip(of_ours) {
                let before = upstream.log().len();
                assert_eq!(code(&client, token).await, expected);
                let arrived = upstream.log().split_off(before);
                assert_eq!(arrived.len(), usize::from(expected == Code::Ok));
                assert!(arrived.iter().all(|one| !one.headers.contains_key("authorization")));
            }
            // What is no JWT to us may be one to an upstream, or hold one.
            let valid = ours(&claims());
            let (two, _) = valid.rsplit_once('.').unwrap();
            for token in [
                format!("{valid}."),
                format!("{valid}.a.b"),
                format!("{two}==.c2ln"),
                two.to_owned(),
            ] {
                let before = upstream.log().len();
                assert_ne!(code(&client, &token).await, Code::Ok, "{token}");
                assert_eq!(upstream.log().len(), before, "{token}");
            }
            // Claims that others may be able to read.
            let text = claims().to_string();
            let text = text.strip_suffix('}').unwrap();
            for claims in [
                [text.as_bytes(), br#","name":"Anna \ud83d"}"#].concat(),
                [text.as_bytes(), b",\"name\":\"M\xfcller\"}"].concat(),
                [text.as_bytes(), b",\"name\":\"a\tb\"}"].concat(),
                [text.as_bytes(), b",\"n\":1e400}"].concat(),
                [text.as_bytes(), br#","iss":"https://upstream.example/"}"#].concat(),
                [b"\xef\xbb\xbf", text.as_bytes(), b"}"].concat(),
                [text.as_bytes(), b",\"n\":", &*b"[".repeat(200), &b"]".repeat(200), b"}"].concat(),
            ] {
                let before = upstream.log().len();
                let token = key.token_of(&key.head("0"), &claims);
                assert_ne!(code(&client, &token).await, Code::Ok, "{claims:?}");
                assert_eq!(upstream.log().len(), before, "{claims:?}");
            }
            let encrypted = json!({ "alg": "dir", "enc": "A256GCM" }).to_string();
            let encrypted = format!("{}..a.b.c", BASE64.encode_to_string(encrypted));
            for token in [&*foreign, "of-mine", "of.mi.ne", &encrypted] {
                assert_eq!(code(&client, token).await, Code::Ok);
                assert!(upstream.log().pop().unwrap().headers.contains_key("authorization"));
            }
        }
    }
}

#[test]
fn what_is_no_set_of_keys_is_refused() {
    for (text, expected) in [
        ("{", "expected a JSON Web Key Set"),
        ("{\"keys\":[]}", "expected a key for RS256"),
        ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "expected a key for RS256"),
    ] {
        let error = Jwks::parse(text).unwrap_err();
        assert!(error.message().starts_with(expected), "{error}");
    }
    for url in ["http://idp.example/keys", "keys.json", "ftp://localhost/keys"] {
        let error = Jwks::fetched_from(url).unwrap_err();
        assert!(error.message().contains("expected an https address"), "{error}");
    }
    for scheme in ["http", "https"] {
        let error = Jwks::fetched_from(&format!("{scheme}://ada:hunter2@localhost/keys"));
        let expected = "credentials do not belong in an address of keys";
        assert_eq!(error.unwrap_err().message(), expected);
    }
}

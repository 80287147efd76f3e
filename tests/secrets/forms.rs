//! The secrets of the tests, and the forms in which they could leak.

/// With characters that look different in every encoding.
pub const PASSWORD: &str = "pä55 \"w\\ord&=+%/é<9>";
pub const PROXY_PASSWORD: &str = "pr0xy-s3cret-of-the-house";
pub const ACCESS: &str = "acc3ss-t0ken";
pub const REFRESH: &str = "refr3sh-t0ken";
pub const STATIC: &str = "st4tic-t0ken-of-a-service";
pub const OWN: &str = "0wn-t0ken-of-a-call";

/// A cookie that a proxy or service sets in a response.
pub const COOKIE: &str = "c00kie-of-the-house";

pub const SECRETS: [&str; 7] = [PASSWORD, PROXY_PASSWORD, ACCESS, REFRESH, STATIC, OWN, COOKIE];

/// Returns the secrets found in a text, in any form.
pub fn found(text: &str) -> Vec<String> {
    // However many times it was quoted, and with either case of hex digits.
    let bare = |text: &str| text.replace('\\', "").to_lowercase();
    let text = bare(text);
    let forms = SECRETS.iter().flat_map(|secret| forms(secret));
    forms.filter(|form| text.contains(&bare(form))).collect()
}

/// Returns the forms in which programs write a secret.
pub fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let ascii: String = secret
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
        .collect();
    let numbers: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        ascii.replace('\\', "\\\\").replace('"', "\\\""),
        ascii,
        percent(secret, "%20"),
        percent(secret, "+"),
        // As Rust shows text and bytes.
        format!("{secret:?}").trim_matches('"').to_owned(),
        format!("{:?}", bytes::Bytes::copy_from_slice(secret.as_bytes()))
            .trim_start_matches('b')
            .trim_matches('"')
            .to_owned(),
        secret.escape_default().to_string(),
        numbers.join(", "),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    forms.extend(base64(secret));
    forms
}

/// Percent-encodes text as in a form or URL.
pub fn percent(text: &str, space: &str) -> String {
    let byte = |byte: u8| match byte {
        b' ' => space.to_owned(),
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Returns the part of the base64 that does not depend on the surrounding text, for each possible offset of
/// the secret.
fn base64(secret: &str) -> Vec<String> {
    let part = |before: usize| {
        let text = format!("{}{secret}", "x".repeat(before));
        let encoded = base64_simd::STANDARD_NO_PAD.encode_to_string(text.as_bytes());
        let begin = (before * 8).div_ceil(6);
        encoded[begin..text.len() * 8 / 6].to_owned()
    };
    let standard: Vec<_> = (0..3).map(part).collect();
    let url = standard.iter().map(|form| form.replace('+', "-").replace('/', "_"));
    url.clone().chain(standard.clone()).collect()
}

#[test]
fn every_form_is_found_in_the_middle_of_other_text() {
    for secret in SECRETS {
        for form in forms(secret) {
            assert!(form.len() >= secret.len(), "{form} is too short to tell anything");
            assert!(!found(&format!("before{form}after")).is_empty(), "{form}");
        }
        let basic = base64_simd::STANDARD.encode_to_string(format!("ada:{secret}"));
        assert!(!found(&format!("Basic {basic}")).is_empty(), "{basic}");
        let json = serde_json::json!({ "password": secret }).to_string();
        assert!(!found(&json).is_empty() && !found(&format!("{json:?}")).is_empty(), "{json}");
        let debug = format!("{:?}", secret.as_bytes());
        assert!(!found(&debug).is_empty(), "{debug}");
    }
    assert_eq!(found("a password and an access token"), Vec::<String>::new());
}

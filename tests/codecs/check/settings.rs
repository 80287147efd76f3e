//! The settings of a policy are recognized by their content.

use base64_simd::STANDARD;
use eset_protect::policy::{Form, Settings, SettingsError, is_settings};

use super::{PRODUCT, SETTINGS};

/// ESET's own example of `data`
/// (<https://help.eset.com/protect_admin/13.0/en-US/api_v2_policies_post.html>), shortened.
const EXAMPLE: &str = r#"{"policy":{"format":"1","version_major":"4294967295","version_minor":"4294967295",
"version_build":"4294967295","data":{"endpoint":{"plugins":{"ShellExt":{"settings":{"ce_flags":"0","active":
{"ce_flags":"4","ce_type":"0","ce_value":"1"}}}},"gui":{"UI_CONFIG":{"ce_flags":"0"}}}}}}"#;

/// Builds an archive with members of these sizes.
fn archive(sizes: &[usize]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for size in sizes {
        let header =
            format!("{:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", "endpoint.lzma", 0, 0, 0, 644);
        archive.extend(header.bytes());
        archive.extend((0..size.next_multiple_of(2)).map(|byte| byte as u8));
    }
    archive
}

/// Returns settings for every length of base64 padding, with and without an archive.
fn all() -> Vec<Vec<u8>> {
    let mut all = vec![EXAMPLE.as_bytes().to_vec()];
    for length in 0..6 {
        let json =
            format!(r#"{{"policy":{{"format":"1","data":{{"x":"{}"}}}}}}"#, "y".repeat(length));
        all.push(json.clone().into_bytes());
        for sizes in [&[][..], &[3], &[10, 7], &[length]] {
            all.push([json.as_bytes(), &archive(sizes)].concat());
        }
    }
    all
}

fn read(content: impl AsRef<[u8]>) -> Settings {
    let content = content.as_ref();
    Settings::read(content).unwrap_or_else(|error| panic!("{error}: {content:?}"))
}

#[test]
fn plain_settings_are_unchanged() {
    for plain in all() {
        let settings = read(&plain);
        assert_eq!((settings.form, settings.product), (Form::Plain, None));
        assert_eq!(settings.data, plain);
        assert!(is_settings(&plain));
    }
    let marked = [b"\xef\xbb\xbf", SETTINGS].concat();
    assert_eq!(read(marked).data, SETTINGS);
}

#[test]
fn base64_is_decoded_once() {
    for plain in all() {
        let text = STANDARD.encode_to_string(&plain);
        let wrapped: String = text
            .as_bytes()
            .chunks(76)
            .map(|l| format!("{}\r\n", str::from_utf8(l).unwrap()))
            .collect();
        let forms = [
            text.clone(),
            format!("\u{feff} {text}\n"),
            format!("{text:?}\n"),
            text.trim_end_matches('=').to_owned(),
            wrapped,
        ];
        for form in forms {
            let settings = read(&form);
            assert_eq!((settings.form, settings.product), (Form::Base64, None), "{form}");
            assert_eq!(settings.data, plain, "{form}");
        }
    }
}

/// Real policies have up to five layers, each base64 or a JSON string of base64; the product removes them.
#[test]
fn only_one_layer_is_decoded() {
    let mut inner = SETTINGS.to_vec();
    for layer in 1..=5 {
        let text = STANDARD.encode_to_string(&inner);
        let settings = read(&text);
        assert_eq!((settings.form, &settings.data[..]), (Form::Base64, &*inner), "{layer}");
        assert!(is_settings(&inner));
        inner = if layer % 2 == 0 { text.into_bytes() } else { format!("{text:?}").into_bytes() };
    }
    inner = STANDARD.encode_to_string(&inner).into_bytes();
    assert!(!is_settings(&inner));
    assert_eq!(Settings::read(&inner), Err(SettingsError::Base64));
}

#[test]
fn an_export_yields_data_and_product() {
    let products = [
        PRODUCT,
        "eset.local.products.server_security",
        "esets.x",
        "a.b",
        "ab.c-1",
        "abcdefghij.K.l",
    ];
    for plain in all() {
        let text = STANDARD.encode_to_string(&plain);
        let nested = STANDARD.encode_to_string(&text);
        for product in products {
            for (head, end) in [("header\n", "\n"), ("", ""), ("a\r\nb\r\n\r\n", "\r\n\r\n")] {
                let settings = read(format!("{head}{text}{product}{end}"));
                assert_eq!(settings.form, Form::Export);
                assert_eq!(settings.product.as_deref(), Some(product), "{text}");
                assert_eq!(settings.data, plain);
            }
            let settings = read(format!("header\n{nested}{product}"));
            assert_eq!(
                (settings.product.as_deref(), &settings.data[..]),
                (Some(product), text.as_bytes())
            );
        }
    }
    // An export without the product name at its end.
    let settings = read(format!("header line\n{}\n", STANDARD.encode_to_string(SETTINGS)));
    assert_eq!((settings.form, settings.product), (Form::Export, None));
    assert_eq!(settings.data, SETTINGS);
}

#[test]
fn other_content_is_refused_and_described() {
    let base64 = |text: &str| STANDARD.encode_to_string(text);
    for (content, error) in [
        ("", SettingsError::Empty),
        (" \n", SettingsError::Empty),
        (r#"{"policy":{"displayName":"x","features":[]}}"#, SettingsError::Request),
        (r#"{"displayName":"x","features":[]}"#, SettingsError::Request),
        (r#"{"featureId":4294967295,"configuration":{}}"#, SettingsError::Request),
        (r#"{"@type":"type.googleapis.com/x.Y","data":"AAE="}"#, SettingsError::Request),
        (r#"{"policy":{}}"#, SettingsError::Json),
        ("[1]", SettingsError::Json),
        (&base64("settings"), SettingsError::Base64),
        (&base64(r#"{"policies":[]}"#), SettingsError::Base64),
        ("settings of mine", SettingsError::Other),
        ("RVNFVA==.eset.local", SettingsError::Other),
        (&format!("{}{PRODUCT} 2", base64(r#"{"policy":{"format":"1"}}"#)), SettingsError::Other),
        ("....", SettingsError::Other),
    ] {
        assert_eq!(Settings::read(content.as_bytes()), Err(error), "{content}");
        assert!(!is_settings(content.as_bytes()), "{content}");
    }
    assert_eq!(Settings::read(&[0xff, 0xfe, 0]), Err(SettingsError::Other));
    let text = SettingsError::Base64.to_string();
    assert!(text.ends_with("found base64 of something else"), "{text}");
    // An archive that is truncated, has trailing data or an invalid header.
    let whole = [SETTINGS, &archive(&[10, 7])].concat();
    for length in SETTINGS.len() + 1..whole.len() - 1 {
        // A cut between two members leaves a complete archive.
        let is_whole = [8, 8 + 60 + 10].contains(&(length - SETTINGS.len()));
        assert_eq!(is_settings(&whole[..length]), is_whole, "{length}");
    }
    assert!(!is_settings(&[&whole[..], b"x"].concat()));
}

//! Text as programs save it: in UTF-8, and on Windows also in UTF-16.

/// Decodes text in UTF-8 or UTF-16. A byte order mark is optional and left out.
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    let units =
        |of: fn([u8; 2]) -> u16, bytes: &[u8]| {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| of(*pair)).collect();
            match String::from_utf16(&units) {
                Ok(text) if rest.is_empty() => Ok(text),
                _ => Err("expected text, found invalid UTF-16 after a byte order mark of UTF-16"
                    .to_owned()),
            }
        };
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            Err("expected text in UTF-8 or UTF-16, found UTF-32".to_owned())
        }
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        // Text without a mark begins with an ASCII character here, and no text has a NUL.
        [1..=0xff, 0, ..] => units(u16::from_le_bytes, bytes),
        [0, 1..=0xff, ..] => units(u16::from_be_bytes, bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: expected text in UTF-8 or UTF-16, found bytes that are neither")
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_way_to_save_a_text() {
        let text = "{\"a\": \"ä €\u{1d11e}\"}\r\n";
        let marked = format!("\u{feff}{text}");
        let units = |text: &str, of: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(of).collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            units(text, u16::to_le_bytes),
            units(text, u16::to_be_bytes),
            units(&marked, u16::to_le_bytes),
            units(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        for empty in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"] {
            assert_eq!(decode(empty).as_deref(), Ok(""));
        }
    }

    #[test]
    fn what_is_no_text_says_where() {
        for (bytes, expected) in [
            (&b"a\nb\nc\xff"[..], "line 3: expected text in UTF-8 or UTF-16"),
            (b"\xef\xbb\xbfa\n\xe4", "line 2: "),
            (b"\xff\xfea", "invalid UTF-16"),
            (b"\xff\xfe\x00\xd8", "invalid UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "found UTF-32"),
            (b"\0\0\xfe\xff\0\0\0{", "found UTF-32"),
        ] {
            let error = decode(bytes).err().unwrap_or_default();
            assert!(error.contains(expected), "{bytes:?}: {error}");
        }
    }
}

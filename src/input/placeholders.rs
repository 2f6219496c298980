//! Names of actions without their parameters.
//!
//! A name like `read(/data/00001)` is another one for every file, so a model never sees it twice. Log parsers since Drain (He et
//! al. 2017) mask what is surely a parameter before they look at the rest, and so does this: from left to right, the longest of
//! these that stands alone, that is, not beside a letter or digit, is replaced.
//!
//! | what | by |
//! |---|---|
//! | UUID | `<uuid>` |
//! | MAC address, IPv4 address, IPv6 address with a digit in it | `<mac>`, `<ip>` |
//! | `0x` and hexadecimal digits; 8 or more hexadecimal digits, both letters and decimal digits among them | `<hex>` |
//! | decimal digits, with dots between them or not | `<num>` |

use crate::data::dataset::Dataset;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

/// `name` with what is a parameter in it replaced by a placeholder.
///
/// ```
/// use anomaly_train::logs::normalize_name;
///
/// assert_eq!(normalize_name("read(/data/00001)"), "read(/data/<num>)");
/// assert_eq!(normalize_name("connect 10.0.0.7:443"), "connect <ip>:<num>");
/// assert_eq!(normalize_name("s3:GetObject"), "s3:GetObject");
/// ```
#[must_use]
pub fn normalize_name(name: &str) -> Cow<'_, str> {
    let bytes = name.as_bytes();
    let mut written: Option<String> = None;
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        if !is_word(bytes[at]) && bytes[at] != b':' || at > 0 && is_word(bytes[at - 1]) {
            at += 1;
            continue;
        }
        if let Some((length, placeholder)) = parameter(&name[at..]) {
            let written = written.get_or_insert_default();
            written.push_str(&name[kept..at]);
            written.push_str(placeholder);
            at += length;
            kept = at;
        } else {
            at += 1;
        }
    }
    match written {
        None => Cow::Borrowed(name),
        Some(mut written) => {
            written.push_str(&name[kept..]);
            Cow::Owned(written)
        }
    }
}

/// How many names of actions there are in `data`, and how many of them would be different without their parameters.
#[must_use]
pub fn names_without_parameters(data: &Dataset) -> [u64; 2] {
    let names = (0..data.action_count() as u32).map(|action| normalize_name(data.action_name(action)));
    let different: BTreeSet<Cow<'_, str>> = names.collect();
    [data.action_count() as u64, different.len() as u64]
}

/// Letters and digits, also those of other scripts.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The parameter that `text` begins with, if it stands alone: its length, and what it is replaced by.
fn parameter(text: &str) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let run = |allowed: fn(u8) -> bool| bytes.iter().position(|&byte| !allowed(byte)).unwrap_or(bytes.len());
    let alone = |length: usize| bytes.get(length).is_none_or(|&next| !is_word(next));
    let groups = |separator: u8, lengths: &[usize]| {
        let mut end = 0;
        for (place, &length) in lengths.iter().enumerate() {
            if place > 0 {
                if bytes.get(end) != Some(&separator) {
                    return None;
                }
                end += 1;
            }
            let group = bytes.get(end..end + length)?;
            if !group.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            end += length;
        }
        Some(end).filter(|&end| alone(end))
    };
    if let Some(length) = groups(b'-', &[8, 4, 4, 4, 12]) {
        return Some((length, "<uuid>"));
    }
    if let Some(length) = groups(b':', &[2; 6]).filter(|&length| bytes.get(length) != Some(&b':')) {
        return Some((length, "<mac>"));
    }
    let address = run(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
    let address = &text[..address];
    let address = address.trim_end_matches('.');
    if address.matches(':').count() >= 2
        && address.bytes().any(|byte| byte.is_ascii_digit())
        && alone(address.len())
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return Some((address.len(), "<ip>"));
    }
    let dotted = run(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text[..dotted].trim_end_matches('.');
    if !number.is_empty() && alone(number.len()) {
        let octets: Vec<&str> = number.split('.').collect();
        let is_ip = octets.len() == 4 && octets.iter().all(|octet| octet.parse::<u8>().is_ok());
        return Some((number.len(), if is_ip { "<ip>" } else { "<num>" }));
    }
    let word = run(is_word);
    let word = &text[..word];
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let prefixed = word.strip_prefix("0x").is_some_and(is_hex);
    let mixed = word.len() >= 8 && is_hex(word) && word.bytes().any(|byte| byte.is_ascii_digit());
    (prefixed || mixed).then_some((word.len(), "<hex>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_surely_a_parameter_is_replaced_and_nothing_else() {
        for (name, expected) in [
            ("read", "read"),
            ("", ""),
            ("s3.amazonaws.com:GetObject", "s3.amazonaws.com:GetObject"),
            ("sha256_of v2", "sha256_of v2"),
            ("read(/data/00001)", "read(/data/<num>)"),
            (
                "GET /users/7/items/3.14?page=2",
                "GET /users/<num>/items/<num>?page=<num>",
            ),
            ("user_123", "user_<num>"),
            ("rm 6f1c2d3e-0a1b-4c5d-8e9f-001122334455.log", "rm <uuid>.log"),
            ("ping 10.0.0.1.", "ping <ip>."),
            ("ping 10.0.0.256", "ping <num>"),
            ("connect [2001:db8::1]:443", "connect [<ip>]:<num>"),
            ("connect ::1", "connect <ip>"),
            ("std::add", "std::add"),
            ("lease 00:1a:2B:3c:4d:5e", "lease <mac>"),
            ("at 0x7ffd, deadbeef01, deadbeef", "at <hex>, <hex>, deadbeef"),
            ("commit 1234567a", "commit <hex>"),
            ("été7 7é", "été7 7é"),
            ("x7", "x7"),
            ("12", "<num>"),
        ] {
            assert_eq!(normalize_name(name), expected, "{name}");
            assert_eq!(normalize_name(expected), expected, "twice is once: {name}");
        }
    }
}

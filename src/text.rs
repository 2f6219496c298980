//! Text from outside, made fit for a message.

use std::path::Path;

/// Longest piece of the input that a message quotes, in characters.
const QUOTED: usize = 80;

/// Quotes at most 80 characters of `text` with everything escaped that could act on a terminal or reorder its line:
/// control characters, line ends and invisible formatting characters.
#[must_use]
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (index, character) in text.chars().enumerate() {
        if index == QUOTED {
            quoted.push_str("\"...");
            return quoted;
        }
        match character {
            '"' | '\\' | '`' => quoted.extend(['\\', character]),
            _ => push_harmless(&mut quoted, character),
        }
    }
    quoted.push('"');
    quoted
}

/// The name of an action for a sentence: as it is if nothing in it could be taken for a part of the sentence, else quoted.
#[must_use]
pub(crate) fn name(text: &str) -> String {
    let telling = |c: char| c.is_whitespace() || "\"'`\\()<>".contains(c) || is_harmful(c);
    if text.is_empty() || text.contains(telling) || text.chars().count() > QUOTED {
        quote(text)
    } else {
        text.to_owned()
    }
}

/// `text` on one line with the same characters escaped as in `quote`, cut after 400 characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == 5 * QUOTED {
            line.push_str("...");
            break;
        }
        push_harmless(&mut line, character);
    }
    line
}

/// Whether a character can act on a terminal or change how the text around it is shown.
#[must_use]
pub fn is_harmful(character: char) -> bool {
    // Marks and isolates that change the direction of text, joiners, the byte order mark, line and paragraph separators.
    character.is_control()
        // The soft hyphen, Mongolian and other variation selectors, interlinear marks, tags.
        || matches!(character, '\u{ad}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

fn push_harmless(text: &mut String, character: char) {
    if is_harmful(character) {
        text.extend(character.escape_unicode());
    } else {
        text.push(character);
    }
}

/// A path for a message: on one line and not endlessly long.
#[must_use]
pub fn path(path: &Path) -> String {
    let text = one_line(&path.display().to_string());
    let length = text.chars().count();
    if length > 120 {
        let end: String = text.chars().skip(length - 100).collect();
        format!("...{end}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_taken_for_more_than_a_name() {
        assert_eq!(name("git_push:v2/x-y"), "git_push:v2/x-y");
        assert_eq!(name("日本"), "日本");
        assert_eq!(name("a -> b"), "\"a -> b\"");
        assert_eq!(name("(begin)"), "\"(begin)\"");
        assert_eq!(name("x` (seen"), "\"x\\` (seen\"");
        assert_eq!(name("\\u{1b}"), "\"\\\\u{1b}\"");
        assert_eq!(name(""), "\"\"");
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_passes() {
        let hostile = "a\u{1b}[2J\r\n\u{9b}31m\u{202e}\u{feff}\"";
        let quoted = quote(hostile);
        assert_eq!(quoted, r#""a\u{1b}[2J\u{d}\u{a}\u{9b}31m\u{202e}\u{feff}\"""#);
        assert_eq!(quote(&"x".repeat(200)).len(), QUOTED + 5);
        assert!(!one_line(&hostile.repeat(100)).contains('\u{1b}'));
    }
}

//! Text from outside, made fit for a message.

/// Longest piece of the input that a message quotes, in characters.
const QUOTED: usize = 80;

/// Quotes at most 80 characters of `text` with everything escaped that could act on a terminal or reorder its line:
/// control characters, line ends and invisible formatting characters.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (index, character) in text.chars().enumerate() {
        if index == QUOTED {
            quoted.push_str("\"...");
            return quoted;
        }
        match character {
            '"' => quoted.push_str("\\\""),
            _ => push_harmless(&mut quoted, character),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` on one line with the same characters escaped as in [`quote`], cut after 400 characters.
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
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

fn push_harmless(text: &mut String, character: char) {
    if is_harmful(character) {
        text.extend(character.escape_unicode());
    } else {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_passes() {
        let hostile = "a\u{1b}[2J\r\n\u{9b}31m\u{202e}\u{feff}\"";
        let quoted = quote(hostile);
        assert_eq!(quoted, r#""a\u{1b}[2J\u{d}\u{a}\u{9b}31m\u{202e}\u{feff}\"""#);
        assert_eq!(quote(&"x".repeat(200)).len(), QUOTED + 5);
        assert!(!one_line(&hostile.repeat(100)).contains('\u{1b}'));
    }
}

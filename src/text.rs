//! Text from outside, made fit for a message.

use std::cmp::Ordering;
use std::path::Path;

/// Longest piece of the input that a message quotes, in characters.
const QUOTED: usize = 80;

/// Quotes at most 80 characters of `text` with everything escaped that could act on a terminal or reorder its line:
/// those of [`is_harmful`].
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
pub fn name(text: &str) -> String {
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

/// Whether a character can act on a terminal, is not seen there, or changes how the text around it is shown.
///
/// Such are the control characters (general category Cc), the format characters (Cf), the separators of lines and paragraphs
/// (Zl, Zp), all spaces but the usual one (Zs), whatever has the property Default_Ignorable_Code_Point, and the few further
/// characters whose glyph is blank.
#[must_use]
pub fn is_harmful(character: char) -> bool {
    // Most text is this.
    if matches!(character, ' '..='~') {
        return false;
    }
    character.is_control()
        || HARMFUL
            .binary_search_by(|&(first, last)| {
                if last < character {
                    Ordering::Less
                } else if character < first {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                }
            })
            .is_ok()
}

/// What [`is_harmful`] names besides the control characters, of Unicode 17: first and last of each range, ascending.
const HARMFUL: &[(char, char)] = &[
    ('\u{a0}', '\u{a0}'),       // Zs: no-break space
    ('\u{ad}', '\u{ad}'),       // Cf: soft hyphen
    ('\u{34f}', '\u{34f}'),     // default ignorable: combining grapheme joiner
    ('\u{600}', '\u{605}'),     // Cf: Arabic signs before numbers
    ('\u{61c}', '\u{61c}'),     // Cf: Arabic letter mark
    ('\u{6dd}', '\u{6dd}'),     // Cf
    ('\u{70f}', '\u{70f}'),     // Cf
    ('\u{890}', '\u{891}'),     // Cf
    ('\u{8e2}', '\u{8e2}'),     // Cf
    ('\u{115f}', '\u{1160}'),   // default ignorable: Hangul fillers
    ('\u{1680}', '\u{1680}'),   // Zs
    ('\u{17b4}', '\u{17b5}'),   // default ignorable: Khmer inherent vowels
    ('\u{180b}', '\u{180f}'),   // Cf and default ignorable: Mongolian selectors
    ('\u{2000}', '\u{200f}'),   // Zs and Cf: spaces, joiners, marks of direction
    ('\u{2028}', '\u{202f}'),   // Zl, Zp, Cf, Zs: line ends, embeddings, narrow space
    ('\u{205f}', '\u{206f}'),   // Zs, Cf and default ignorable: invisible operators, isolates
    ('\u{2800}', '\u{2800}'),   // blank: Braille without dots
    ('\u{3000}', '\u{3000}'),   // Zs: ideographic space
    ('\u{3164}', '\u{3164}'),   // default ignorable: Hangul filler
    ('\u{fe00}', '\u{fe0f}'),   // default ignorable: variation selectors
    ('\u{feff}', '\u{feff}'),   // Cf: byte order mark
    ('\u{ffa0}', '\u{ffa0}'),   // default ignorable: halfwidth Hangul filler
    ('\u{fff0}', '\u{fffb}'),   // default ignorable, and Cf: interlinear marks
    ('\u{110bd}', '\u{110bd}'), // Cf
    ('\u{110cd}', '\u{110cd}'), // Cf
    ('\u{13430}', '\u{1343f}'), // Cf: joiners of hieroglyphs
    ('\u{13441}', '\u{13442}'), // blank: hieroglyphs without a picture
    ('\u{16fe4}', '\u{16fe4}'), // blank: Khitan filler
    ('\u{1bca0}', '\u{1bca3}'), // Cf: shorthand controls
    ('\u{1d159}', '\u{1d159}'), // blank: null notehead
    ('\u{1d173}', '\u{1d17a}'), // Cf: musical controls
    ('\u{e0000}', '\u{e0fff}'), // default ignorable: tags, further variation selectors
];

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
    fn the_ranges_are_sorted_and_apart() {
        assert!(HARMFUL.iter().all(|(first, last)| first <= last));
        assert!(HARMFUL.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn letters_marks_and_signs_of_all_scripts_are_shown_as_they_are() {
        let shown = "naïve Ελλάδα Журнал עברית العربية हिन्दी ไทย 日本語 한국어 🙂 a\u{301}";
        assert_eq!(one_line(shown), shown);
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

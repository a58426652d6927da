//! What a server wrote, made fit to be printed.

/// `text` without control characters and other characters that change how a terminal shows a line, and no longer than
/// `limit` characters.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let text = text.trim();
    let mut shown = String::with_capacity(text.len().min(limit));
    for (count, character) in text.chars().enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            _ if is_unsafe(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

/// Control characters (ANSI escapes start with one), and those that reorder or hide text.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_terminal_are_shown_not_obeyed() {
        assert_eq!(clean("a\x1b[31mred\u{202e}b\u{9b}c", 99), "a\\u{1b}[31mred\\u{202e}b\\u{9b}c");
        assert_eq!(clean(" line\r\nline\t ", 99), "line  line");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clean("äöü", 2), "äö…");
        assert_eq!(clean("äö", 2), "äö");
        assert_eq!(clean(&"\u{1b}".repeat(10), 1), "\\u{1b}…");
    }
}

//! `--exclude` and `--include`: which files and objects take part.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The filters in the order of the command line: the last one that matches decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters(Vec<Filter>);

#[derive(Clone, Debug)]
struct Filter {
    pattern: Vec<char>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Include,
    Exclude,
}

impl Filters {
    /// Whether the file with this path, relative to the source and with `/` between its parts, takes part.
    pub(crate) fn admits(&self, relative_path: &str) -> bool {
        let path: Vec<char> = relative_path.chars().collect();
        let decides = self.0.iter().rev().find(|filter| matches(&filter.pattern, &path));
        decides.is_none_or(|filter| filter.verdict == Verdict::Include)
    }

    /// Whether there is no filter.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// By hand, since the order between two options counts, and the derive keeps each option's own order only.
impl FromArgMatches for Filters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut filters = Vec::new();
        for (name, verdict) in [("exclude", Verdict::Exclude), ("include", Verdict::Include)] {
            let indices = matches.indices_of(name).into_iter().flatten();
            let patterns = matches.get_many::<String>(name).into_iter().flatten();
            filters.extend(
                indices.zip(patterns).map(|(index, text)| (index, Filter { pattern: text.chars().collect(), verdict })),
            );
        }
        filters.sort_by_key(|(index, _)| *index);
        Ok(Self(filters.into_iter().map(|(_, filter)| filter).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Filters {
    fn augment_args(command: Command) -> Command {
        let pattern = |name: &'static str| Arg::new(name).long(name).value_name("PATTERN").action(ArgAction::Append);
        command
            .arg(pattern("exclude").help(
                "Leave out what matches: `*` any characters, `?` one, `[ab]` one of them; relative to the source",
            ))
            .arg(pattern("include").help("Take back what matches; of all filters the last that matches decides"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Whether `text` matches a pattern of `*`, `?`, `[abc]`, `[a-z]` and `[!a]`; `*` spans slashes. Takes time linear in both
/// lengths multiplied, whatever the pattern.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where to go on when the characters after the last star turn out not to match.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, position));
                at += 1;
                continue;
            }
            None if position == text.len() => return true,
            None => None,
            Some(_) => text.get(position).and_then(|character| match_one(&pattern[at..], *character)),
        };
        match (step, &mut retry) {
            (Some(width), _) => {
                at += width;
                position += 1;
            }
            (None, Some((after_star, from))) if *from < text.len() => {
                *from += 1;
                (at, position) = (*after_star, *from);
            }
            (None, _) => return false,
        }
    }
}

/// How many characters of the pattern's start match `character`; `None` where they do not.
fn match_one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match bracket(rest, character) {
            Some((matched, width)) => matched.then_some(width + 1),
            // No closing bracket: the character itself.
            None => (character == '[').then_some(1),
        },
        [literal, ..] => (*literal == character).then_some(1),
        [] => None,
    }
}

/// Whether `character` is in the set that starts after `[`, and how long that set is with its `]`.
fn bracket(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let negated = pattern.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` in the first place is a member.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|member| *member == ']')?;
    let mut members = &pattern[start..end];
    let mut found = false;
    while let [first, rest @ ..] = members {
        if let ['-', last, after @ ..] = rest {
            found |= (*first..=*last).contains(&character);
            members = after;
        } else {
            found |= *first == character;
            members = rest;
        }
    }
    Some((found != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str, text: &str) -> bool {
        matches(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a/b"),
            ("*.txt", "a/b.txt"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a]x", "bx"),
            ("[]]", "]"),
            ("a*b*c", "a--b--b-c"),
            ("é*", "éa"),
            ("[a", "[a"),
            ("", ""),
            ("[a-]", "-"),
            ("**a", "bba"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("*.txt", "a.txt.gz"),
            ("a?c", "ac"),
            ("[!a]x", "ax"),
            ("[a-c]", "d"),
            ("a", "ab"),
            ("a*b", "a"),
            ("?", ""),
        ] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!glob(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!glob(&format!("{}b", "*a".repeat(50)), &"a".repeat(2_000)));
    }

    #[test]
    fn the_last_filter_that_matches_decides() {
        let command = Filters::augment_args(Command::new("cp"));
        let read = |line: &[&str]| {
            Filters::from_arg_matches(&command.clone().get_matches_from([&["cp"], line].concat())).unwrap()
        };
        let text_only = read(&["--exclude", "*", "--include", "*.txt"]);
        assert!(text_only.admits("a.txt") && !text_only.admits("a.bin"));
        let nothing = read(&["--include", "*.txt", "--exclude", "*"]);
        assert!(!nothing.admits("a.txt"));
        assert!(read(&[]).is_empty() && read(&[]).admits("a"));
    }
}

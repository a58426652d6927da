//! The licence of each package that a published crate needs: one of those that `deny.toml` allows.

use std::fs;

use crate::run::{Outcome, root};
use crate::workspace::Workspace;

pub fn check(workspace: &Workspace) -> Outcome {
    let text = fs::read_to_string(root().join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = allowed(&text);
    if allowed.is_empty() {
        return Err("deny.toml allows no licence: expected `allow = [...]` under [licenses]".to_owned());
    }
    let packages = workspace.needed_by_published();
    let mut wrong = Vec::new();
    for package in &packages {
        match (&package.license, &package.license_file) {
            (Some(expression), _) if satisfied(expression, &allowed) => {}
            (Some(expression), _) => {
                wrong.push(format!("{} {}: {expression} is not allowed by deny.toml", package.name, package.version));
            }
            (None, file) => wrong.push(format!(
                "{} {} names no licence ({})",
                package.name,
                package.version,
                file.as_deref().unwrap_or("and no licence file")
            )),
        }
    }
    println!("{} packages, {} licences allowed", packages.len(), allowed.len());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The strings of `allow = [...]` in the table `[licenses]`.
fn allowed(text: &str) -> Vec<String> {
    let Some((_, table)) = text.split_once("[licenses]") else { return Vec::new() };
    let Some((_, list)) = table.split_once("allow = [") else { return Vec::new() };
    let Some((list, _)) = list.split_once(']') else { return Vec::new() };
    let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// Whether an SPDX expression can be met with allowed licences. `AND` binds stronger than `OR`; `/` is an old `OR`.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = either(&mut rest, allowed);
    // What is left over was not understood: not allowed.
    met && rest.is_empty()
}

fn either(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = both(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = either(words, allowed);
            match *words {
                [")", rest @ ..] => *words = rest,
                _ => return false,
            }
            met
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            let name = format!("{licence} WITH {exception}");
            allowed.contains(&name)
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.iter().any(|name| name == licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_by_allowed_licences_only() {
        let allowed: Vec<String> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND ISC", true),
            ("GPL-3.0 OR MIT AND ISC", true),
            ("(GPL-3.0 OR MIT) AND ISC", true),
            ("(MIT OR ISC) AND GPL-3.0", false),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
            ("(MIT", false),
            ("MIT ISC", false),
            ("", false),
        ] {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn the_list_is_read_with_its_comments() {
        let text =
            "[bans]\nallow = [\"x\"]\n[licenses]\n# allow\nallow = [\n    \"MIT\", # \"not this\"\n    \"ISC\",\n]\n";
        assert_eq!(allowed(text), ["MIT", "ISC"]);
        assert_eq!(allowed("[bans]\n"), Vec::<String>::new());
    }
}

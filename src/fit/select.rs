//! Choosing numbers of a fit by name or pattern.

use crate::error::{Error, Result};
use crate::lang::nearest;

/// The places of the names that a pattern chooses, each once, in the order of the names. No pattern chooses all.
///
/// A pattern is a printed name (`a_tank[1]`), the name before the brackets (`a_tank`: all its elements), or either with
/// `*` for any text and `?` for any one character; brackets stand for themselves.
///
/// # Errors
///
/// A user error for a pattern that chooses nothing, with the nearest name.
pub fn select(names: &[&str], patterns: &[String]) -> Result<Vec<usize>> {
    let mut chosen = vec![patterns.is_empty(); names.len()];
    for pattern in patterns {
        let mut found = false;
        for (place, name) in names.iter().enumerate() {
            if matches(pattern, name) || matches(pattern, stem(name)) {
                chosen[place] = true;
                found = true;
            }
        }
        if !found {
            return Err(unknown(names, pattern));
        }
    }
    Ok((0..names.len()).filter(|&place| chosen[place]).collect())
}

/// A printed name without its subscripts.
fn stem(name: &str) -> &str {
    name.split_once('[').map_or(name, |(stem, _)| stem)
}

fn unknown(names: &[&str], pattern: &str) -> Error {
    let mut stems: Vec<&str> = Vec::new();
    for name in names {
        if !stems.contains(&stem(name)) {
            stems.push(stem(name));
        }
    }
    let error = Error::user(format!("no parameter of this fit is named `{pattern}`"));
    let has_brackets = pattern.contains('[');
    let near = match has_brackets {
        true => nearest(pattern, names.iter().copied()),
        false => nearest(pattern, stems.iter().copied()),
    };
    match near {
        Some(name) => error.with_help(format!("did you mean `{name}`?")),
        None => error.with_help(format!("there are: {}", stems.join(", "))),
    }
}

/// Whether `text` as a whole fits `pattern`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and the text from which it is tried next.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["a_tank[1]", "a_tank[12]", "a", "sigma", "sigma_block"];

    fn chosen(patterns: &[&str]) -> Vec<&'static str> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let places = select(&NAMES, &patterns).expect("names that exist");
        places.into_iter().map(|place| NAMES[place]).collect()
    }

    #[test]
    fn names_stems_and_patterns_choose() {
        assert_eq!(chosen(&[]), NAMES);
        assert_eq!(chosen(&["a_tank"]), ["a_tank[1]", "a_tank[12]"]);
        assert_eq!(chosen(&["a_tank[1]"]), ["a_tank[1]"]);
        assert_eq!(chosen(&["a"]), ["a"]);
        assert_eq!(chosen(&["sigma*"]), ["sigma", "sigma_block"]);
        assert_eq!(chosen(&["*block", "a"]), ["a", "sigma_block"]);
        assert_eq!(chosen(&["a_tank[?]"]), ["a_tank[1]"]);
        assert_eq!(chosen(&["*"]), NAMES);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let error = select(&NAMES, &["sigmb".to_owned()]).unwrap_err();
        assert_eq!(error.message(), "no parameter of this fit is named `sigmb`");
        assert_eq!(error.help(), Some("did you mean `sigma`?"));
        let error = select(&NAMES, &["zzzzzzzz".to_owned()]).unwrap_err();
        assert_eq!(error.help(), Some("there are: a_tank, a, sigma, sigma_block"));
    }

    #[test]
    fn stars_backtrack() {
        assert!(matches("*ab*b", "aabab"));
        assert!(!matches("*ab*c", "aabab"));
        assert!(matches("**", ""));
        assert!(!matches("?", ""));
    }
}

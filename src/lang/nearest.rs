//! The nearest known name for a mistyped one.

/// The candidate that `name` most likely stands for: the fewest edits (insert, delete, replace, swap neighbours; a
/// change of case counts half), at most a third of the name's length but one edit in any case. Ties go to the first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(MAX_COMPARED + 1).collect();
    if name.len() > MAX_COMPARED {
        return None;
    }
    // In half edits.
    let limit = 2 * (name.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().take(MAX_COMPARED + 1).collect();
        if other.len() > MAX_COMPARED || 2 * name.len().abs_diff(other.len()) > limit {
            continue;
        }
        let distance = half_edits(&name, &other);
        // Replacing every character of a short name is no likeness.
        if distance <= limit && distance < 2 * other.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longest names that are compared; beyond it a suggestion would not fit a line.
const MAX_COMPARED: usize = 100;

/// Damerau–Levenshtein distance (optimal string alignment) in half edits.
fn half_edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).map(|j| 2 * j).collect();
    for i in 1..=a.len() {
        let mut row = vec![2 * i];
        for j in 1..=b.len() {
            let replace = last[j - 1] + replacement(a[i - 1], b[j - 1]);
            let mut least = replace.min(last[j] + 2).min(row[j - 1] + 2);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 2);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn replacement(a: char, b: char) -> usize {
    if a == b {
        0
    } else if a.to_lowercase().eq(b.to_lowercase()) {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_edits_win() {
        let known = ["Normal", "LogNormal", "Cauchy", "HalfCauchy"];
        assert_eq!(nearest("Norml", known), Some("Normal"));
        assert_eq!(nearest("normal", known), Some("Normal"));
        assert_eq!(nearest("Halfcauchy", known), Some("HalfCauchy"));
        assert_eq!(nearest("Cuachy", known), Some("Cauchy"));
    }

    #[test]
    fn what_is_not_alike_is_not_offered() {
        assert_eq!(nearest("tank", ["density", "pred"]), None);
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("x", ["X"]), Some("X"));
        assert_eq!(nearest(&"x".repeat(10_000), ["x"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }

    #[test]
    fn a_swap_counts_one_edit() {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        assert_eq!(half_edits(&chars("surv"), &chars("sruv")), 2);
        assert_eq!(half_edits(&chars("kitten"), &chars("sitting")), 6);
        assert_eq!(half_edits(&chars(""), &chars("abc")), 6);
    }
}

//! Words of a question or a service, as the search compares them.

use pinyin::ToPinyin;
use unicode_normalization::UnicodeNormalization;

/// What people put around the thing that they look for. Taken out before comparing.
const FILLERS: [&str; 27] = [
    "我想要",
    "我想",
    "我要",
    "我们",
    "想要",
    "需要",
    "怎么",
    "如何",
    "怎样",
    "哪里",
    "哪儿",
    "在哪",
    "可以",
    "能不能",
    "能否",
    "请问",
    "什么",
    "一个",
    "一下",
    "个",
    "的",
    "吗",
    "呢",
    "了",
    "想",
    "要",
    "去",
];

/// English words of the same kind.
const ENGLISH_FILLERS: [&str; 22] = [
    "a", "an", "the", "i", "my", "to", "for", "of", "how", "do", "can", "want", "need", "get", "where", "in",
    "is", "and", "or", "on", "with", "please",
];

/// One way of writing: width, case, spaces.
pub(super) fn normal(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect::<String>().trim().to_owned()
}

/// The question without its fillers; all of it when nothing else is in it.
pub(super) fn essence(question: &str) -> String {
    let whole = normal(question);
    let mut rest = whole.clone();
    for filler in FILLERS {
        rest = rest.replace(filler, "");
    }
    let kept: Vec<&str> = rest
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !ENGLISH_FILLERS.contains(word))
        .collect();
    if kept.is_empty() { whole } else { kept.join(" ") }
}

/// What is compared: pairs of neighbouring Han characters, a lone one by itself, whole other words.
pub(super) fn features(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for run in runs(text) {
        let letters: Vec<char> = run.chars().collect();
        match letters.as_slice() {
            [] => {}
            [only] if is_han(*only) => found.push(only.to_string()),
            [first, ..] if is_han(*first) => {
                found.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
            _ => found.push(stem(&run)),
        }
    }
    found
}

/// Runs of Han characters and runs of other letters and digits.
fn runs(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut last = None;
    for letter in text.chars() {
        let kind = if is_han(letter) {
            Some(true)
        } else if letter.is_alphanumeric() {
            Some(false)
        } else {
            None
        };
        match (kind, last == kind, runs.last_mut()) {
            (None, _, _) => {}
            (Some(_), true, Some(run)) => run.push(letter),
            (Some(_), _, _) => runs.push(letter.to_string()),
        }
        last = kind;
    }
    runs
}

/// An English plural is the same word.
fn stem(word: &str) -> String {
    match word.strip_suffix("ies") {
        Some(head) if word.len() > 4 => format!("{head}y"),
        _ => match word.strip_suffix('s') {
            Some(head) if word.len() > 3 && !head.ends_with('s') => head.to_owned(),
            _ => word.to_owned(),
        },
    }
}

pub(super) fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// How a text sounds: its syllables with a space on each side, and their first letters.
pub(super) fn sound(text: &str) -> (String, String) {
    let (mut syllables, mut initials) = (String::from(" "), String::new());
    let mut word = String::new();
    for letter in text.chars() {
        if let Some(syllable) = letter.to_pinyin() {
            finish(&mut word, &mut syllables, &mut initials);
            syllables.push_str(syllable.plain());
            syllables.push(' ');
            initials.push_str(syllable.first_letter());
        } else if letter.is_alphanumeric() {
            word.push(letter);
        } else {
            finish(&mut word, &mut syllables, &mut initials);
        }
    }
    finish(&mut word, &mut syllables, &mut initials);
    (syllables, initials)
}

fn finish(word: &mut String, syllables: &mut String, initials: &mut String) {
    if word.is_empty() {
        return;
    }
    initials.extend(word.chars().next());
    syllables.push_str(word);
    syllables.push(' ');
    word.clear();
}

/// Whether two words differ by at most `most` letters put in, left out, or changed.
pub(super) fn within_edits(left: &str, right: &str, most: usize) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > most {
        return false;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let diagonal = row.get(j).copied().unwrap_or(usize::MAX - 1);
            let before = next.last().copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().is_some_and(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_the_thing_is_taken_out_but_never_everything() {
        assert_eq!(essence("我想开个小店"), "开小店");
        assert_eq!(essence("How do I get married?"), "married");
        assert_eq!(essence("怎么"), "怎么");
        assert_eq!(essence("  ＡＢＣ "), "abc");
    }

    #[test]
    fn han_is_compared_in_pairs_and_other_words_whole() {
        assert_eq!(features("开小店"), ["开小", "小店"]);
        assert_eq!(features("店 subsidies 2026"), ["店", "subsidy", "2026"]);
        assert_eq!(features("办license"), ["办", "license"]);
    }

    #[test]
    fn a_homophone_sounds_the_same() {
        assert_eq!(sound("结婚").0, sound("结昏").0);
        assert_eq!(sound("个体户"), (" ge ti hu ".to_owned(), "gth".to_owned()));
    }

    #[test]
    fn edits_are_counted() {
        assert!(within_edits("marriage", "mariage", 1));
        assert!(within_edits("subsidy", "subsdiy", 2));
        assert!(!within_edits("shop", "sheep", 1));
    }
}

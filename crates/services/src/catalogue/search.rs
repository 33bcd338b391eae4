//! Finding a service by everyday words.
//!
//! The index lies in memory and is made from the pack at start; a question takes well under a millisecond.
//! A service is scored by what its question and its texts have in common:
//!
//! 1. **Features**: pairs of neighbouring Han characters and whole other words, each weighted by the best
//!    field that holds it (name, keyword, theme, summary, the rest) and by how rare it is. The sum counts in
//!    proportion to how much of the question was found, so that one shared pair of many does not win.
//! 2. **Phrase**: the question stands in a name or keyword, or a keyword stands in the question.
//! 3. **Synonyms**: `data/synonyms.txt` has groups of everyday words; a service that holds another word of a
//!    group that the question names.
//! 4. **Sound**: the question sounds like a part of a name or keyword (a wrong character of the same sound,
//!    pinyin, or its initials).
//! 5. **Spelling**: an English word that nobody uses stands for its nearest neighbour by one or two letters.
//!
//! Whatever scores less than a fifth of the best is left out: a short list that fits beats a long one. Each
//! hit says why it was found.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use packs::model::Words;
use packs::{Item, Pack};

use super::text::{essence, features, is_han, normal, sound, within_edits};

const NAME: f32 = 8.0;
const KEYWORD: f32 = 6.0;
const THEME: f32 = 4.0;
const SUMMARY: f32 = 1.5;
const REST: f32 = 0.8;

const PHRASE: f32 = 12.0;
const SYNONYM: f32 = 0.7;
const SOUND: f32 = 7.0;

/// Hits below this part of the best are left out.
const CUT: f32 = 0.2;
/// Without a phrase, a synonym or a sound, so much of the question must be found.
const COVERAGE: f32 = 0.34;
/// Longer questions are cut: nobody types more, and a hostile one must not cost more.
const LONGEST: usize = 100;

const SYNONYMS: &str = include_str!("../../data/synonyms.txt");

/// Why a service was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The question stands in its name.
    Name,
    /// A keyword of its file.
    Keyword(String),
    /// A word that means the same as one of the question.
    Alike(String),
    /// It sounds the same.
    Sound(String),
    /// Parts of the question stand in its texts.
    Text,
}

/// A service that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The service.
    pub item: Arc<Item>,
    /// How well it fits; comparable within one question only.
    pub score: f32,
    /// Why.
    pub why: Why,
}

/// Words that mean the same, and who holds one of them: the service, the weight, the word.
type Group = (Vec<String>, Vec<(usize, f32, String)>);

/// Everything that is searched.
pub struct Index {
    docs: Vec<Doc>,
    /// Where a feature stands: the service and the weight of its best field.
    postings: HashMap<String, Vec<(usize, f32)>>,
    /// For each group of words: which services hold one of them, with which weight, and the word.
    alike: Vec<Group>,
}

struct Doc {
    item: Arc<Item>,
    name: Words,
    /// Name and keywords, each with how it sounds.
    terms: Vec<Term>,
}

struct Term {
    text: String,
    shown: String,
    is_name: bool,
    syllables: String,
    joined: String,
    initials: String,
}

impl Index {
    /// The index of a pack's items.
    pub fn of(pack: &Pack) -> Self {
        let themes: HashMap<&str, &Words> =
            pack.node().themes.iter().map(|theme| (theme.id.as_str(), &theme.name)).collect();
        let mut index = Self { docs: Vec::new(), postings: HashMap::new(), alike: Vec::new() };
        let mut texts: Vec<Vec<(String, f32)>> = Vec::new();
        for item in pack.items() {
            let fields = fields_of(item, pack, &themes);
            let number = index.docs.len();
            let mut best: BTreeMap<String, f32> = BTreeMap::new();
            for (text, weight) in &fields {
                for feature in features(text) {
                    let present = best.entry(feature).or_insert(0.0);
                    *present = present.max(*weight);
                }
                // A single character is asked for now and then (婚, 店): names and keywords answer it.
                if *weight >= KEYWORD {
                    for letter in text.chars().filter(|letter| is_han(*letter)) {
                        let present = best.entry(letter.to_string()).or_insert(0.0);
                        *present = present.max(*weight / 3.0);
                    }
                }
            }
            for (feature, weight) in best {
                index.postings.entry(feature).or_default().push((number, weight));
            }
            index.docs.push(Doc::of(item));
            texts.push(fields);
        }
        index.alike = groups(&texts);
        index
    }

    /// The services that answer a question, best first.
    pub fn search(&self, question: &str, most: usize) -> Vec<Hit> {
        let question: String = question.chars().take(LONGEST).collect();
        let essence = essence(&question);
        if essence.is_empty() {
            return Vec::new();
        }
        let mut scores: Vec<(f32, Why)> = self.docs.iter().map(|_| (0.0, Why::Text)).collect();
        self.by_features(&essence, &mut scores);
        self.by_synonyms(&normal(&question), &essence, &mut scores);
        self.by_terms(&essence, &mut scores);
        let best = scores.iter().map(|(score, _)| *score).fold(0.0, f32::max);
        let mut hits: Vec<Hit> = self
            .docs
            .iter()
            .zip(scores)
            .filter(|(_, (score, _))| *score > 0.0 && *score >= best * CUT)
            .map(|(doc, (score, why))| Hit { item: doc.item.clone(), score, why })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.item.id.cmp(&b.item.id)));
        hits.truncate(most);
        hits
    }

    /// Names and keywords that a question may be meant to become, best first.
    pub fn suggest(&self, typed: &str, most: usize) -> Vec<String> {
        let typed = normal(&typed.chars().take(LONGEST).collect::<String>());
        if typed.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u8, usize, &str)> = Vec::new();
        for term in self.docs.iter().flat_map(|doc| &doc.terms) {
            let rank = if term.text.starts_with(&typed) {
                0
            } else if typed.is_ascii() && term.joined.starts_with(&typed) {
                1
            } else if typed.len() >= 2 && term.initials.starts_with(&typed) {
                2
            } else if term.text.contains(&typed) {
                3
            } else {
                continue;
            };
            found.push((rank, term.text.chars().count(), &term.shown));
        }
        found.sort_unstable();
        found.dedup_by_key(|(_, _, shown)| *shown);
        found.into_iter().take(most).map(|(_, _, shown)| shown.to_owned()).collect()
    }

    fn by_features(&self, essence: &str, scores: &mut [(f32, Why)]) {
        let wanted = features(essence);
        let mut found: Vec<(f32, u32)> = scores.iter().map(|_| (0.0, 0)).collect();
        for feature in &wanted {
            let (postings, trust) = match self.postings.get(feature) {
                Some(postings) => (Some(postings), 1.0),
                None => (self.nearest(feature).and_then(|near| self.postings.get(near)), 0.6),
            };
            for (doc, weight) in postings.into_iter().flatten() {
                if let Some((sum, count)) = found.get_mut(*doc) {
                    *sum += weight * trust * self.rarity(postings.map_or(0, Vec::len));
                    *count += 1;
                }
            }
        }
        let all = u16::try_from(wanted.len().max(1)).map_or(f32::MAX, f32::from);
        for ((sum, count), (score, _)) in found.into_iter().zip(scores) {
            let coverage = u16::try_from(count).map_or(0.0, f32::from) / all;
            if coverage >= COVERAGE {
                *score += sum / all.sqrt() * coverage;
            }
        }
    }

    /// The spelling that was probably meant.
    fn nearest(&self, word: &str) -> Option<&str> {
        let most = match word.chars().count() {
            0..=3 => return None,
            4..=7 => 1,
            _ => 2,
        };
        if word.chars().any(is_han) {
            return None;
        }
        self.postings.keys().map(String::as_str).filter(|known| within_edits(word, known, most)).min()
    }

    fn rarity(&self, holders: usize) -> f32 {
        let part = holders as f32 / self.docs.len().max(1) as f32;
        1.0 - 0.7 * part
    }

    fn by_synonyms(&self, whole: &str, essence: &str, scores: &mut [(f32, Why)]) {
        let words: Vec<String> = features(essence);
        for (group, holders) in &self.alike {
            let named = group.iter().any(|word| match word.is_ascii() {
                true => words.iter().any(|asked| asked == word),
                false => {
                    word.chars().count() > 1
                        && (whole.contains(word.as_str()) || essence.contains(word.as_str()))
                }
            });
            if !named {
                continue;
            }
            for (doc, weight, word) in holders {
                if let Some((score, why)) = scores.get_mut(*doc) {
                    *score += weight * SYNONYM * self.rarity(holders.len());
                    if *why == Why::Text {
                        *why = Why::Alike(word.clone());
                    }
                }
            }
        }
    }

    fn by_terms(&self, essence: &str, scores: &mut [(f32, Why)]) {
        let length = essence.chars().count();
        let (syllables, _) = sound(essence);
        let latin = essence.is_ascii().then(|| essence.replace(' ', ""));
        for (doc, (score, why)) in self.docs.iter().zip(scores) {
            let mut best: Option<(f32, Why)> = None;
            for term in &doc.terms {
                let Some((part, how)) = term.fits(essence, length, &syllables, latin.as_deref()) else {
                    continue;
                };
                if best.as_ref().is_none_or(|(present, _)| part > *present) {
                    best = Some((part, how));
                }
            }
            if let Some((part, how)) = best {
                *score += part;
                *why = how;
            }
        }
    }
}

impl Doc {
    fn of(item: &Arc<Item>) -> Self {
        let names = [(&item.name.zh, true), (&item.name.en, true)];
        let keywords = item.keywords.iter().map(|keyword| (keyword, false));
        let terms =
            names.into_iter().chain(keywords).map(|(shown, is_name)| Term::of(shown, is_name)).collect();
        Self { item: item.clone(), name: item.name.clone(), terms }
    }
}

impl Term {
    fn of(shown: &str, is_name: bool) -> Self {
        let text = normal(shown);
        let (syllables, initials) = sound(&text);
        let joined = syllables.replace(' ', "");
        Self { text, shown: shown.to_owned(), is_name, syllables, joined, initials }
    }

    fn fits(&self, essence: &str, length: usize, syllables: &str, latin: Option<&str>) -> Option<(f32, Why)> {
        let named = || if self.is_name { Why::Name } else { Why::Keyword(self.shown.clone()) };
        let part = |short: usize, long: usize| (short as f32 / long.max(1) as f32).sqrt();
        let own = self.text.chars().count();
        if self.text == essence {
            return Some((PHRASE * 1.5, named()));
        }
        if length > 1 && self.text.contains(essence) {
            return Some((PHRASE * part(length, own), named()));
        }
        if own > 1
            && essence.contains(&self.text)
            && (!self.text.is_ascii() || whole_word(essence, &self.text))
        {
            return Some((PHRASE * part(own, length), named()));
        }
        let heard = match latin {
            Some(latin) => {
                let starts = latin.len() >= 3 && self.initials.starts_with(latin) && !self.text.is_ascii();
                starts || latin.len() >= 4 && self.joined.contains(latin) && !self.text.is_ascii()
            }
            None => length > 1 && self.syllables.contains(syllables),
        };
        heard.then(|| (SOUND, Why::Sound(self.shown.clone())))
    }
}

fn whole_word(text: &str, word: &str) -> bool {
    format!(" {text} ").contains(&format!(" {word} "))
}

/// Every text of an item with the weight of its field.
fn fields_of(item: &Item, pack: &Pack, themes: &HashMap<&str, &Words>) -> Vec<(String, f32)> {
    let mut fields = Vec::new();
    let mut add = |words: &Words, weight| {
        fields.push((normal(&words.zh), weight));
        fields.push((normal(&words.en), weight));
    };
    add(&item.name, NAME);
    for theme in item.themes.iter().filter_map(|id| themes.get(id.as_str())) {
        add(theme, THEME);
    }
    add(&item.summary, SUMMARY);
    for condition in &item.conditions {
        add(&condition.text, REST);
    }
    for material in &item.materials {
        add(&material.name, REST);
    }
    for question in item.eligibility.iter().flat_map(|eligibility| &eligibility.questions) {
        add(&question.label, REST);
    }
    if let Some(licence) = item.result.licence.as_deref().and_then(|id| pack.licence_type(id)) {
        add(&licence.name, THEME);
    }
    if let Some(org) = pack.org(&item.authority) {
        add(&org.name, REST);
    }
    fields.extend(item.keywords.iter().map(|keyword| (normal(keyword), KEYWORD)));
    fields
}

/// The groups of synonyms, each with the services that hold one of its words.
fn groups(texts: &[Vec<(String, f32)>]) -> Vec<Group> {
    let lines = SYNONYMS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let words: Vec<String> = line.split_whitespace().map(normal).collect();
            let mut holders = Vec::new();
            for (doc, fields) in texts.iter().enumerate() {
                let mut best: Option<(f32, &String)> = None;
                for word in words.iter().filter(|word| word.chars().count() > 1) {
                    let holds = |text: &str| match word.is_ascii() {
                        true => whole_word(text, word),
                        false => text.contains(word.as_str()),
                    };
                    for (_, weight) in fields.iter().filter(|(text, weight)| *weight > SUMMARY && holds(text))
                    {
                        if best.is_none_or(|(present, _)| *weight > present) {
                            best = Some((*weight, word));
                        }
                    }
                }
                if let Some((weight, word)) = best {
                    holders.push((doc, weight, word.clone()));
                }
            }
            (words, holders)
        })
        .collect()
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.docs.iter().map(|doc| doc.name.zh.as_str()).collect();
        f.debug_struct("Index").field("items", &names).field("features", &self.postings.len()).finish()
    }
}

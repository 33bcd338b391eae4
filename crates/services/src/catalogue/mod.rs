//! The catalogue: what is offered today, and every version that something still runs under.

mod guide;
mod search;
pub(crate) mod text;
mod versions;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use packs::model::{Audience, Theme, ThemeKind};
use packs::{Item, Pack};

pub(crate) use guide::yuan;
pub use guide::{guide, held_materials};
pub use search::{Hit, Index, Why};
pub use versions::{VersionError, item_version, procedure_version, publish};

/// The pack with its search index.
#[derive(Debug)]
pub struct Catalogue {
    pack: Arc<Pack>,
    index: Index,
}

impl Catalogue {
    /// The catalogue of a pack; made once for each pack.
    pub fn of(pack: &Arc<Pack>) -> Arc<Self> {
        static MADE: Mutex<Vec<(Weak<Pack>, Arc<Catalogue>)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = made.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(pack))) {
            return known.clone();
        }
        // Beside this entry only the catalogue itself holds its pack: nobody asks for it any more.
        made.retain(|(of, _)| of.strong_count() > 1);
        let fresh = Arc::new(Self { pack: pack.clone(), index: Index::of(pack) });
        made.push((Arc::downgrade(pack), fresh.clone()));
        fresh
    }

    /// What a question finds, within a theme and for an audience where they are named.
    pub fn search(&self, question: &str, theme: Option<&str>, audience: Option<Audience>) -> Vec<Hit> {
        let fits = |item: &Item| {
            theme.is_none_or(|theme| item.themes.iter().any(|own| own == theme))
                && audience.is_none_or(|audience| item.audience.contains(&audience))
        };
        let hits = if question.trim().is_empty() {
            let all = self.pack.items().map(|item| Hit { item: item.clone(), score: 0.0, why: Why::Name });
            all.collect()
        } else {
            self.index.search(question, usize::MAX)
        };
        hits.into_iter().filter(|hit| fits(&hit.item)).collect()
    }

    /// Names and keywords that begin like what was typed.
    pub fn suggest(&self, typed: &str) -> Vec<String> {
        self.index.suggest(typed, 8)
    }

    /// Themes of one kind that have items.
    pub fn themes(&self, kind: ThemeKind) -> Vec<(&Theme, Vec<&Arc<Item>>)> {
        let themes = self.pack.node().themes.iter().filter(|theme| theme.kind == kind);
        themes
            .map(|theme| {
                let within = |item: &&Arc<Item>| item.themes.contains(&theme.id);
                (theme, self.pack.items().filter(within).collect::<Vec<_>>())
            })
            .filter(|(_, items)| !items.is_empty())
            .collect()
    }

    /// The item of that id as it is offered today.
    pub fn item(&self, id: &str) -> Option<&Arc<Item>> {
        self.pack.item(id)
    }

    /// Every item, in the order of ids.
    pub fn items(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.pack.items()
    }
}

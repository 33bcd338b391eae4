//! Pages from templates: one [`Renderer`] holds every template of every crate, parsed at start.
//!
//! A crate adds its own with [`Builder::add_templates`] and [`Builder::add_locales`]; its files are
//! then called `<crate>/<file>.html`. Everything is escaped as HTML. `templates/README.md` tells the
//! authors of pages what the layout expects, which functions and filters exist and which macros there
//! are.
//!
//! The GOV.UK macros (PyPI govuk-frontend-jinja 4.1.0, unmodified) are registered under the name that
//! they use among themselves: `govuk_frontend_jinja/components/button/macro.html`. They only work with
//! lenient undefined values, so a misspelt variable renders as nothing: every page needs a test that
//! looks for its contents.

mod filters;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, context};
use rust_embed::RustEmbed;

use crate::assets::Assets;
use crate::i18n::{Arg, I18nError, Lang, Languages, Source};

/// The unmodified macros of govuk-frontend-jinja.
#[derive(RustEmbed)]
#[folder = "assets/vendor/govuk_frontend_jinja"]
struct GovukTemplates;

/// The layout and its parts.
#[derive(RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// The texts of the layout and its parts.
#[derive(RustEmbed)]
#[folder = "locales"]
pub struct Locales;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template does not parse, does not exist, or failed while it ran.
    #[error("template `{name}` failed")]
    Template {
        /// The template asked for.
        name: String,
        /// What went wrong, with the line.
        #[source]
        source: minijinja::Error,
    },
    /// What a page is given is called like a function that the layout calls.
    #[error("what `{name}` is given has a member `{member}`, which hides a function of the layout")]
    Shadows {
        /// The template asked for.
        name: String,
        /// The member.
        member: &'static str,
    },
    /// A file of texts is bad.
    #[error("the texts cannot be read")]
    Texts(#[from] I18nError),
    /// A file of texts is not named after a language.
    #[error("`{0}` is not named after a language, such as `zh-CN.ftl`")]
    NotALanguage(String),
    /// Two files claim one name.
    #[error("template `{0}` is registered twice")]
    Twice(String),
}

/// Every template and every text, ready to make pages.
pub struct Renderer {
    env: Environment<'static>,
    languages: Arc<Languages>,
}

impl Renderer {
    /// Starts with the GOV.UK macros and this crate's own layout, macros and texts.
    pub fn builder(assets: Arc<Assets>) -> Builder {
        // Their page template stays out: the layout is ours, and MiniJinja does not read its nested blocks.
        let govuk = embedded::<GovukTemplates>().into_iter().filter(|(path, _)| path.contains('/'));
        Builder { assets, templates: Vec::new(), locales: Vec::new() }
            .add_templates("govuk_frontend_jinja", govuk)
            .add_templates("web", embedded::<Templates>())
            .add_locales("web", embedded::<Locales>())
    }

    /// Makes the page `name` in `lang` from `ctx`, which holds `page` and whatever the template reads.
    pub fn render<S: serde::Serialize>(
        &self,
        name: &str,
        lang: Lang,
        ctx: &S,
    ) -> Result<String, RenderError> {
        self.render_value(name, lang, Value::from(Serde(ctx)))
    }

    /// As [`Renderer::render`], from a template value such as `minijinja::context!` makes.
    pub fn render_value(&self, name: &str, lang: Lang, ctx: Value) -> Result<String, RenderError> {
        let failed = |source| RenderError::Template { name: name.to_owned(), source };
        let template = self.env.get_template(name).map_err(failed)?;
        if let Some(shadowed) = FUNCTIONS.iter().find(|function| hides(&ctx, function)) {
            return Err(RenderError::Shadows { name: name.to_owned(), member: shadowed });
        }
        template.render(context! { lang => lang.as_str(), ..ctx }).map_err(failed)
    }

    /// The texts, for code that speaks outside a template.
    pub fn languages(&self) -> &Languages {
        &self.languages
    }

    /// The text of `key` in `lang`; see [`Languages::text`].
    pub fn text(&self, lang: Lang, key: &str, args: &[(&str, Arg)]) -> Result<String, I18nError> {
        self.languages.text(lang, key, args)
    }

    /// Whether a template of this name exists.
    pub fn has_template(&self, name: &str) -> bool {
        self.env.get_template(name).is_ok()
    }

    /// The names of all templates.
    pub fn template_names(&self) -> Vec<String> {
        self.env.templates().map(|(name, _)| name.to_owned()).collect()
    }
}

/// Collects templates and texts before the first page.
pub struct Builder {
    assets: Arc<Assets>,
    templates: Vec<(String, String)>,
    locales: Vec<(String, String)>,
}

impl Builder {
    /// Adds a crate's templates as `<area>/<path>`; a path that already begins with `<area>/` stays.
    ///
    /// Only `.html` files are templates; notes beside them are left out.
    #[must_use]
    pub fn add_templates<N, T>(mut self, area: &str, templates: impl IntoIterator<Item = (N, T)>) -> Self
    where
        N: Into<String>,
        T: Into<String>,
    {
        let templates = templates.into_iter().map(|(path, text)| (in_area(area, &path.into()), text.into()));
        self.templates.extend(templates.filter(|(path, _)| path.ends_with(".html")));
        self
    }

    /// Adds a crate's texts: pairs of a file name such as `zh-CN.ftl` and its contents.
    #[must_use]
    pub fn add_locales<N, T>(mut self, area: &str, files: impl IntoIterator<Item = (N, T)>) -> Self
    where
        N: Into<String>,
        T: Into<String>,
    {
        self.locales.extend(files.into_iter().map(|(path, text)| (in_area(area, &path.into()), text.into())));
        self
    }

    /// Adds a crate's embedded `templates/` and `locales/` folders in one call.
    #[must_use]
    pub fn add_area<Templates: RustEmbed, Locales: RustEmbed>(self, area: &str) -> Self {
        self.add_templates(area, embedded::<Templates>()).add_locales(area, embedded::<Locales>())
    }

    /// Parses everything; the first mistake is reported with its file.
    pub fn build(self) -> Result<Renderer, RenderError> {
        let languages = Arc::new(Languages::read(&sources(self.locales)?)?);
        let mut env = Environment::new();
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        env.set_undefined_behavior(UndefinedBehavior::Lenient);
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        filters::add(&mut env, &languages);
        add_functions(&mut env, &languages, self.assets);

        let mut seen = BTreeMap::new();
        for (name, text) in self.templates {
            if seen.insert(name.clone(), ()).is_some() {
                return Err(RenderError::Twice(name));
            }
            env.add_template_owned(name.clone(), text)
                .map_err(|source| RenderError::Template { name, source })?;
        }
        Ok(Renderer { env, languages })
    }
}

/// The files of an embedded folder as pairs of path and text; what is not text is left out.
pub fn embedded<E: RustEmbed>() -> Vec<(String, String)> {
    E::iter()
        .filter_map(|path| {
            let file = E::get(&path)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((path.into_owned(), text))
        })
        .collect()
}

/// The files of texts as [`Source`]s, their languages read from their names.
pub fn sources(files: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Source>, RenderError> {
    files
        .into_iter()
        .map(|(name, text)| {
            let stem = name.rsplit('/').next().and_then(|file| file.strip_suffix(".ftl"));
            match stem.and_then(Lang::parse) {
                Some(lang) => Ok(Source { name, lang, text }),
                None => Err(RenderError::NotALanguage(name)),
            }
        })
        .collect()
}

fn in_area(area: &str, path: &str) -> String {
    match path.strip_prefix(area) {
        Some(rest) if rest.starts_with('/') => path.to_owned(),
        _ => format!("{area}/{path}"),
    }
}

/// The language of the page that is being made.
fn lang_of(state: &State<'_, '_>) -> Lang {
    state.lookup("lang").and_then(|lang| lang.as_str().and_then(Lang::parse)).unwrap_or_default()
}

/// What templates call; see [`add_functions`].
const FUNCTIONS: [&str; 3] = ["t", "known", "asset"];

/// Whether a context has a member of that name.
fn hides(ctx: &Value, function: &str) -> bool {
    ctx.get_attr(function).is_ok_and(|member| !member.is_undefined())
}

fn add_functions(env: &mut Environment<'static>, languages: &Arc<Languages>, assets: Arc<Assets>) {
    let texts = Arc::clone(languages);
    env.add_function("t", move |state: &mut State, key: &str, kwargs: Kwargs| -> Result<String, Error> {
        let mut args = Vec::new();
        for name in kwargs.args() {
            args.push((name, argument(key, name, &kwargs.get::<Value>(name)?)?));
        }
        texts.text(lang_of(state), key, &args).map_err(|error| invalid(error.to_string()))
    });
    let texts = Arc::clone(languages);
    env.add_function("known", move |state: &mut State, key: &str| texts.has(lang_of(state), key));
    env.add_function("asset", move |name: &str| -> Result<String, Error> {
        assets.url(name).map(str::to_owned).ok_or_else(|| invalid(format!("no asset `{name}`")))
    });
}

/// Numbers stay numbers so that they choose plural forms; anything else is shown as it is.
fn argument(key: &str, name: &str, value: &Value) -> Result<Arg, Error> {
    match value.kind() {
        ValueKind::Number => Ok(Arg::Number(f64::try_from(value.clone())?)),
        ValueKind::Undefined | ValueKind::None => {
            Err(invalid(format!("the text `{key}` was given no value for `{name}`")))
        }
        _ => Ok(Arg::Text(value.to_string())),
    }
}

fn invalid(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

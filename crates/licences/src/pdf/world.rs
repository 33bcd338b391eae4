//! The world that typst sees: one template, one JSON document, three fonts, and nothing else.

use std::path::{Path, PathBuf};

use kernel::time::Timestamp;
use thiserror::Error;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Smart, Str, Value};
use typst::syntax::{FileId, Source, VirtualPath};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::{PdfError, instant};

/// The template: part of the program, written by us.
const TEMPLATE: &str = include_str!("../../typst/licence.typ");

/// Families that the template names; the collections of Noto CJK hold more than thirty.
const FAMILIES: [&str; 2] = ["Noto Serif CJK SC", "Noto Sans CJK SC"];

/// Where Debian's package `fonts-noto-cjk` puts its files, and where others do.
const FOLDERS: [&str; 4] = [
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/local/share/fonts/noto",
];

/// Files of a folder that are read: the regular and bold weights of Noto CJK.
const FILES: [&str; 3] = ["NotoSerifCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc", "NotoSansCJK-Regular.ttc"];

/// Where the fonts are. They are read for each page and given back, because they are large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fonts {
    folder: PathBuf,
}

/// Why there are no fonts.
#[derive(Debug, Error)]
pub enum FontError {
    /// No folder that is looked into has them.
    #[error("no folder has the fonts of `fonts-noto-cjk`; name one in YIWANG_FONTS")]
    NotFound,
    /// A file cannot be read.
    #[error("the font `{path}` cannot be read")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The files are there but hold other fonts.
    #[error("`{0}` holds no font that licences are set in")]
    Other(String),
}

impl Fonts {
    /// The fonts of this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Result<Self, FontError> {
        let folder = folder.into();
        let whole = FILES.iter().all(|file| folder.join(file).is_file());
        if whole { Ok(Self { folder }) } else { Err(FontError::NotFound) }
    }

    /// The folder that `YIWANG_FONTS` names, or the first usual one that has the fonts.
    pub fn find() -> Result<Self, FontError> {
        let named = std::env::var_os("YIWANG_FONTS").map(PathBuf::from);
        match named {
            Some(folder) => Self::in_folder(folder),
            None => FOLDERS
                .iter()
                .find_map(|folder| Self::in_folder(Path::new(folder)).ok())
                .ok_or(FontError::NotFound),
        }
    }

    fn read(&self) -> Result<Vec<Font>, FontError> {
        let mut fonts = Vec::new();
        for file in FILES {
            let path = self.folder.join(file);
            let bytes = std::fs::read(&path)
                .map_err(|source| FontError::File { path: path.display().to_string(), source })?;
            let wanted = |font: &Font| FAMILIES.contains(&font.info().family.as_str());
            fonts.extend(Font::iter(Bytes::new(bytes)).filter(wanted));
        }
        if fonts.is_empty() { Err(FontError::Other(self.folder.display().to_string())) } else { Ok(fonts) }
    }
}

/// One page to be set.
pub(super) struct Page {
    /// What it says, as JSON.
    pub(super) data: String,
    /// The signed document.
    pub(super) attached: Vec<u8>,
    /// The QR code as SVG; none where the licence is too long for one.
    pub(super) code: Option<String>,
    /// The date of the document.
    pub(super) made_at: Timestamp,
    /// What tells it from every other document.
    pub(super) id: String,
}

impl Page {
    /// Sets the page and writes it as PDF/A-3b; as plain PDF where a rare character has no glyph, because a
    /// name that cannot be archived must still be printed.
    pub(super) fn set(self, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
        let Self { data, attached, code, made_at, id } = self;
        let mut inputs = Dict::new();
        inputs.insert(Str::from("data"), Value::Bytes(Bytes::new(data.into_bytes())));
        inputs.insert(Str::from("attached"), Value::Bytes(Bytes::new(attached)));
        let code = code.map_or(Value::None, |code| Value::Bytes(Bytes::new(code.into_bytes())));
        inputs.insert(Str::from("code"), code);
        let loaded = fonts.read()?;
        let world = Paperwork {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            book: LazyHash::new(FontBook::from_fonts(&loaded)),
            fonts: loaded,
            template: Source::detached(TEMPLATE),
        };
        let compiled = typst::compile::<PagedDocument>(&world).output.map_err(|errors| told(&errors));
        let made = compiled.and_then(|document| {
            let options = |standards| PdfOptions {
                ident: Smart::Custom(id.clone()),
                creator: Smart::Custom(Some("Yiwang".to_owned())),
                timestamp: instant(made_at),
                standards,
                ..PdfOptions::default()
            };
            let archival = PdfStandards::new(&[PdfStandard::A_3b])
                .map_err(|error| PdfError::Typst(error.message().to_string()))?;
            typst_pdf::pdf(&document, &options(archival))
                .or_else(|_| typst_pdf::pdf(&document, &options(PdfStandards::default())))
                .map_err(|errors| told(&errors))
        });
        // What was remembered of the page holds its fonts.
        typst::comemo::evict(0);
        made
    }
}

fn told(errors: &[typst::diag::SourceDiagnostic]) -> PdfError {
    let texts: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    PdfError::Typst(texts.join("; "))
}

struct Paperwork {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
}

impl World for Paperwork {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(absent(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        Err(absent(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        // A page says the dates of its record and no other.
        None
    }
}

fn absent(id: FileId) -> FileError {
    let path: &VirtualPath = id.vpath();
    FileError::NotFound(path.get_without_slash().into())
}

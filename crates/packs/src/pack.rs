//! Loading a content folder: every file, every mistake, then one consistent pack.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::error::{PackError, Place};
use crate::item::Item;
use crate::lint::{self, World};
use crate::model::{
    BaseDoc, LicenceType, NodeDoc, Org, OrgDirectory, Post, Procedure, RuleRow, RuleSet, ShareCatalogue,
};
use crate::problem::Problems;
use crate::read::{Document, read};
use crate::rules::Rules;
use crate::shape::FileKind;
use crate::version::{Content, Version, Versioned};
use crate::yaml;

/// Folders that hold no content of the node itself: schemas for editors, and files that show how
/// bad content is refused.
const NOT_CONTENT: [&str; 2] = ["schema", "refused"];

/// All content of a node, checked as a whole.
#[derive(Debug)]
pub struct Pack {
    node: NodeDoc,
    rules: Rules,
    orgs: OrgDirectory,
    sharing: ShareCatalogue,
    licences: BTreeMap<String, Versioned<LicenceType>>,
    procedures: BTreeMap<String, Versioned<Procedure>>,
    items: BTreeMap<String, Arc<Item>>,
}

impl Pack {
    /// Loads and checks a content folder.
    ///
    /// # Errors
    /// Every mistake of every file, in the order of files and lines.
    pub fn load(dir: &Path) -> Result<Self, Vec<PackError>> {
        Self::load_with(dir, &[])
    }

    /// Loads a content folder and further item files as if they stood in it.
    ///
    /// # Errors
    /// Every mistake of every file, in the order of files and lines.
    pub fn load_with(dir: &Path, more_items: &[PathBuf]) -> Result<Self, Vec<PackError>> {
        let mut errors = Vec::new();
        let mut files = find_files(dir, &mut errors);
        files.extend(more_items.iter().map(|path| {
            let shown =
                path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into());
            Found { path: path.clone(), shown, kind: FileKind::Item }
        }));
        let documents: Vec<Document> =
            files.iter().filter_map(|found| read_file(found, &mut errors)).collect();
        let pack = assemble(&documents, &mut errors);
        if let (Some(pack), true) = (pack, errors.is_empty()) {
            return Ok(pack);
        }
        errors.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        Err(errors)
    }

    /// The node.
    pub fn node(&self) -> &NodeDoc {
        &self.node
    }

    /// The dated rule rows.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Roles and organisations.
    pub fn orgs(&self) -> &OrgDirectory {
        &self.orgs
    }

    /// The organisation of that code.
    pub fn org(&self, code: &str) -> Option<&Org> {
        self.orgs.orgs.iter().find(|org| org.code == code)
    }

    /// The post of that code with its organisation.
    pub fn post(&self, code: &str) -> Option<(&Org, &Post)> {
        let mut posts = self.orgs.orgs.iter().flat_map(|org| org.posts.iter().map(move |post| (org, post)));
        posts.find(|(_, post)| post.code == code)
    }

    /// The share catalogue.
    pub fn sharing(&self) -> &ShareCatalogue {
        &self.sharing
    }

    /// Licence types in the order of ids.
    pub fn licence_types(&self) -> impl Iterator<Item = &Versioned<LicenceType>> {
        self.licences.values()
    }

    /// The latest version of a licence type.
    pub fn licence_type(&self, id: &str) -> Option<&Versioned<LicenceType>> {
        self.licences.get(id)
    }

    /// Procedures in the order of ids.
    pub fn procedures(&self) -> impl Iterator<Item = &Versioned<Procedure>> {
        self.procedures.values()
    }

    /// The latest version of a procedure.
    pub fn procedure(&self, id: &str) -> Option<&Versioned<Procedure>> {
        self.procedures.get(id)
    }

    /// Items in the order of ids.
    pub fn items(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.items.values()
    }

    /// The latest version of an item.
    pub fn item(&self, id: &str) -> Option<&Arc<Item>> {
        self.items.get(id)
    }

    /// Every version that decisions may run under, to be stored once each.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        let items = self.items.values().map(|i| i.version());
        let procedures = self.procedures.values().map(Versioned::version);
        items.chain(procedures).chain(self.licences.values().map(Versioned::version))
    }
}

struct Found {
    path: PathBuf,
    shown: String,
    kind: FileKind,
}

fn find_files(dir: &Path, errors: &mut Vec<PackError>) -> Vec<Found> {
    let mut found = Vec::new();
    for kind in FileKind::ALL {
        let folder = dir.join(kind.folder());
        let mut paths: Vec<PathBuf> = match fs::read_dir(&folder) {
            Ok(entries) => entries.filter_map(|e| e.ok().map(|e| e.path())).collect(),
            Err(_) if kind != FileKind::Node => continue,
            Err(error) => {
                errors.push(unreadable(&dir.display().to_string(), &error));
                continue;
            }
        };
        paths.sort();
        for path in paths {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
            let shown = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            match kind {
                FileKind::Node if path.is_dir() => refuse_unknown_folder(&name, errors),
                FileKind::Node if yaml && name != "node.yaml" => errors.push(Place::top(&shown).error(
                    "pack.unknown_kind",
                    "顶层只放 node.yaml".to_owned(),
                    "only node.yaml stands at the top".to_owned(),
                )),
                _ if yaml && path.is_file() => found.push(Found { path, shown, kind }),
                _ => {}
            }
        }
    }
    found
}

fn refuse_unknown_folder(name: &str, errors: &mut Vec<PackError>) {
    let known = FileKind::ALL.iter().any(|k| k.folder() == name) || NOT_CONTENT.contains(&name);
    if !known && !name.starts_with('.') {
        let folders: Vec<&str> = FileKind::ALL.iter().map(|k| k.folder()).filter(|f| !f.is_empty()).collect();
        errors.push(Place::top(name).error(
            "pack.unknown_kind",
            format!("不认识文件夹 `{name}`；应为 {}", folders.join("、")),
            format!("unknown folder `{name}`; known are {}", folders.join(", ")),
        ));
    }
}

fn read_file(found: &Found, errors: &mut Vec<PackError>) -> Option<Document> {
    let text = match fs::metadata(&found.path) {
        // Asked before reading, so that a huge file never enters memory.
        Ok(meta) if meta.len() > yaml::MAX_FILE_BYTES as u64 => {
            errors.push(yaml::too_large(&found.shown, meta.len()));
            return None;
        }
        _ => match fs::read_to_string(&found.path) {
            Ok(text) => text,
            Err(error) => {
                errors.push(unreadable(&found.shown, &error));
                return None;
            }
        },
    };
    match yaml::parse(&found.shown, &text) {
        Ok(node) => read(&found.shown, found.kind, &node, errors),
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> PackError {
    Place::top(file).error(
        "pack.unreadable",
        format!("无法读取：{error}"),
        format!("cannot be read: {error}"),
    )
}

fn assemble(documents: &[Document], errors: &mut Vec<PackError>) -> Option<Pack> {
    let world = build_world(documents, errors);
    check_world(documents, &world, errors);
    let mut items: BTreeMap<String, Arc<Item>> = BTreeMap::new();
    for document in documents.iter().filter(|d| d.kind == FileKind::Item) {
        if let Some(item) = load_item(document, &world, errors)
            && items.insert(item.id.clone(), Arc::new(item)).is_some()
        {
            errors.push(duplicate(document, "/id"));
        }
    }
    let World { node, rules, orgs, sharing, licences, procedures, .. } = world;
    if node.is_none() {
        errors.push(Place::top("node.yaml").error(
            "pack.no_node",
            "缺少 node.yaml".to_owned(),
            "node.yaml is missing or not usable".to_owned(),
        ));
    }
    Some(Pack { node: node?, rules, orgs, sharing, licences, procedures, items })
}

fn build_world(documents: &[Document], errors: &mut Vec<PackError>) -> World {
    let mut world = World::default();
    let mut rows: Vec<RuleRow> = Vec::new();
    for document in documents {
        match document.kind {
            FileKind::Node => world.node = typed::<NodeDoc>(document, errors),
            FileKind::Rules => {
                rows.extend(typed::<RuleSet>(document, errors).into_iter().flat_map(|s| s.rules))
            }
            FileKind::Orgs => {
                if let Some(directory) = typed::<OrgDirectory>(document, errors) {
                    world.orgs.roles.extend(directory.roles);
                    world.orgs.orgs.extend(directory.orgs);
                }
            }
            FileKind::Sharing => {
                if let Some(catalogue) = typed::<ShareCatalogue>(document, errors) {
                    world.sharing.sources.extend(catalogue.sources);
                    world.sharing.checks.extend(catalogue.checks);
                }
            }
            FileKind::Licence => insert_versioned(document, &mut world.licences, errors),
            FileKind::Procedure => insert_versioned(document, &mut world.procedures, errors),
            FileKind::Base => {
                if let Some(base) = typed::<BaseDoc>(document, errors)
                    && world.bases.insert(base.id.clone(), base).is_some()
                {
                    errors.push(duplicate(document, "/id"));
                }
            }
            FileKind::Item => {}
        }
    }
    world.rules = Rules::new(rows);
    world
}

fn insert_versioned<T: Content>(
    document: &Document,
    into: &mut BTreeMap<String, Versioned<T>>,
    errors: &mut Vec<PackError>,
) {
    let Some(doc) = typed::<T>(document, errors) else { return };
    let id = doc.id().to_owned();
    match Versioned::new(doc) {
        Ok(versioned) => {
            if into.insert(id, versioned).is_some() {
                errors.push(duplicate(document, "/id"));
            }
        }
        Err(error) => errors.push(mismatch(document, &error)),
    }
}

fn check_world(documents: &[Document], world: &World, errors: &mut Vec<PackError>) {
    let rows: Vec<RuleRow> = world.rules.rows().cloned().collect();
    for document in documents {
        let mut problems = Problems::default();
        // What is not typed has been reported when the world was built.
        match document.kind {
            FileKind::Node => {
                if let Some(node) = &world.node {
                    lint::node(node, world, &mut problems);
                }
            }
            FileKind::Rules => {
                if let Ok(set) = typed_quietly::<RuleSet>(document) {
                    lint::rules(&set, &rows, &mut problems);
                }
            }
            FileKind::Orgs => {
                if let Ok(directory) = typed_quietly::<OrgDirectory>(document) {
                    lint::orgs(&directory, world, &mut problems);
                }
            }
            FileKind::Sharing => {
                if let Ok(catalogue) = typed_quietly::<ShareCatalogue>(document) {
                    lint::sharing(&catalogue, &mut problems);
                }
            }
            FileKind::Licence => {
                if let Ok(licence) = typed_quietly::<LicenceType>(document) {
                    lint::licence(&licence, world, &mut problems);
                }
            }
            FileKind::Procedure => {
                if let Ok(procedure) = typed_quietly::<Procedure>(document) {
                    lint::procedure(&procedure, world, &mut problems);
                }
            }
            FileKind::Base => {
                if let Ok(base) = typed_quietly::<BaseDoc>(document) {
                    lint::limits(&base.limits, &base.legal_basis, base.case_type, base.visits, &mut problems);
                    lint::materials(&base.materials, world, &mut problems);
                }
            }
            FileKind::Item => {}
        }
        place(document, problems, errors);
    }
}

fn load_item(document: &Document, world: &World, errors: &mut Vec<PackError>) -> Option<Item> {
    let mut problems = Problems::default();
    let base = inherited_base(document, world, &mut problems);
    let json = base.map_or_else(|| document.json.clone(), |base| inherit(&document.json, base));
    if !problems.0.is_empty() {
        place(document, problems, errors);
        return None;
    }
    let doc = match serde_json::from_value(json) {
        Ok(doc) => doc,
        Err(error) => {
            errors.push(mismatch(document, &error));
            return None;
        }
    };
    let item = Item::from_author(doc, &world.rules.units(), &mut problems);
    if let Some(item) = &item {
        lint::item(item, world, &mut problems);
        if let Some(base) = base {
            lint::tightens_base(item, base, &mut problems);
        }
        for failed in item.failing_examples(&world.rules) {
            problems.add(
                format!("/examples/{}/{}", failed.index, failed.key),
                "pack.example_failed",
                format!("试办“{}”不成立：应得 {}，实得 {}", failed.name.zh, failed.wanted, failed.got),
                format!(
                    "the example `{}` fails: it says {}, it gives {}",
                    failed.name.en, failed.wanted, failed.got
                ),
            );
        }
    }
    place(document, problems, errors);
    item
}

fn inherited_base<'a>(document: &Document, world: &'a World, problems: &mut Problems) -> Option<&'a BaseDoc> {
    let id = document.json.get("base")?.as_str()?;
    let base = world.bases.get(id);
    if base.is_none() {
        problems.add(
            "/base",
            "pack.unknown_reference",
            format!("没有国家基本目录事项 `{id}`"),
            format!("there is no base item `{id}`"),
        );
    }
    base
}

/// Takes over from the base what the local file does not say, and every legal basis.
fn inherit(local: &Json, base: &BaseDoc) -> Json {
    let mut merged = local.clone();
    let (Some(merged_map), Ok(Json::Object(national))) = (merged.as_object_mut(), serde_json::to_value(base))
    else {
        return merged;
    };
    for (key, value) in national {
        match (key.as_str(), merged_map.get_mut(&key)) {
            ("id" | "name", _) => {}
            ("legal_basis", Some(Json::Array(own))) => {
                let named: Vec<Json> = own.iter().filter_map(|b| b.get("id").cloned()).collect();
                let inherited = value.as_array().into_iter().flatten();
                own.extend(inherited.filter(|b| b.get("id").is_none_or(|id| !named.contains(id))).cloned());
            }
            (_, None) => {
                merged_map.insert(key, value);
            }
            _ => {}
        }
    }
    merged
}

fn typed<T: DeserializeOwned>(document: &Document, errors: &mut Vec<PackError>) -> Option<T> {
    typed_quietly(document).map_err(|error| errors.push(mismatch(document, &error))).ok()
}

fn typed_quietly<T: DeserializeOwned>(document: &Document) -> Result<T, serde_json::Error> {
    T::deserialize(&document.json)
}

fn mismatch(document: &Document, error: &serde_json::Error) -> PackError {
    document.place("").error(
        "pack.wrong_type",
        format!("内容与类型不符：{error}"),
        format!("the content does not have its type: {error}"),
    )
}

fn duplicate(document: &Document, pointer: &str) -> PackError {
    let id = document.json.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    document.place(pointer).error(
        "pack.duplicate_id",
        format!("编号 `{id}` 已在别的文件中使用"),
        format!("the id `{id}` is used by another file"),
    )
}

fn place(document: &Document, problems: Problems, errors: &mut Vec<PackError>) {
    for problem in problems.0 {
        errors.push(document.place(&problem.pointer).error(problem.code, problem.zh, problem.en));
    }
}

//! Pages of the documentation: what stands between their fences.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A page, cut into its fenced blocks.
#[derive(Clone, Debug)]
pub struct Page {
    name: String,
    blocks: Vec<(String, String)>,
}

impl Page {
    /// Reads a page, by its path from `docs/clients/`.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(name: &str) -> Result<Self> {
        let file = folder().join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("no page {}", file.display()))?;
        // Every second part stands between fences; its first line is its language.
        let fenced = text.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
        let blocks = fenced.map(|(language, code)| (language.to_owned(), code.to_owned())).collect();
        Ok(Self { name: name.to_owned(), blocks })
    }

    /// The names of all pages but the table of contents.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names() -> Result<Vec<String>> {
        let files = fs::read_dir(folder())?;
        let names: Vec<String> =
            files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
        Ok(names.into_iter().filter(|name| name != "README.md").collect())
    }

    /// The blocks of a language, in their order.
    pub fn blocks(&self, language: &str) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |(given, _)| given == language).map(|(_, code)| code.as_str())
    }

    /// The first block of a language.
    ///
    /// # Errors
    /// When there is none.
    pub fn block(&self, language: &str) -> Result<&str> {
        self.blocks(language).next().with_context(|| format!("{}: no {language}", self.name))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients")
}

//! Key-value stores and SQLite databases, as files under the state folder.
//!
//! Nothing is answered before it is on the disk, and what waits for the disk at the same moment goes there
//! together: see [`Database`].

mod database;
mod statement;
mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use database::{Database, DatabaseStats};
pub use statement::{Rows, SqlError, Value};
pub use worker::SqlLimits;

/// All stores of one running application, opened when first used.
pub struct Stores {
    folder: PathBuf,
    limits: SqlLimits,
    open: Mutex<HashMap<PathBuf, Arc<Database>>>,
}

impl Stores {
    /// Stores under a folder, which is made if it is not there.
    pub fn new(folder: &Path, limits: SqlLimits) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder.join("sqlite"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            limits,
            open: Mutex::default(),
        })
    }

    /// The SQLite database of this name. Labels come from the manifest, so they are safe file names.
    pub fn sqlite(&self, name: &str) -> Result<Arc<Database>, SqlError> {
        self.open(self.folder.join("sqlite").join(format!("{name}.db")), None)
    }

    /// The database that holds every key-value store, one row a key.
    pub fn key_value(&self) -> Result<Arc<Database>, SqlError> {
        const TABLE: &str = "CREATE TABLE IF NOT EXISTS key_value (\
            store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
            PRIMARY KEY (store, key)) WITHOUT ROWID";
        self.open(self.folder.join("key-value.db"), Some(TABLE))
    }

    /// What was written so far, over all open databases.
    pub fn stats(&self) -> DatabaseStats {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values()
            .fold(DatabaseStats::default(), |sum, database| {
                sum + database.stats()
            })
    }

    /// Waits for everything queued to be written, then closes the files.
    pub fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for database in open.values() {
            database.close();
        }
    }

    fn open(&self, file: PathBuf, schema: Option<&str>) -> Result<Arc<Database>, SqlError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = open.get(&file) {
            return Ok(database.clone());
        }
        let database = Arc::new(Database::open(&file, schema, self.limits)?);
        open.insert(file, database.clone());
        Ok(database)
    }
}

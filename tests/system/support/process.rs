//! `sluice` processes: started, killed, asked to end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::components;

/// A `sluice` process. Killed when dropped.
pub struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it and reads what it logs until a line says what is waited for.
    pub fn start<T>(mut command: Command, said: impl Fn(&str) -> Option<T>) -> (Self, T) {
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut found = None;
        while found.is_none() {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.wait();
                panic!("the process ended: {:?}", log.lock().unwrap());
            };
            found = said(&line);
            log.lock().unwrap().push(line);
        }
        let rest = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push(line);
            }
        });
        (Self { child, log }, found.unwrap())
    }

    /// `sluice up` on the manifest and the state of this folder, and where it listens.
    pub fn up(
        folder: &Path,
        variables: &BTreeMap<String, String>,
        listen: SocketAddr,
    ) -> (Self, SocketAddr) {
        let named = variables
            .iter()
            .map(|(name, value)| (format!("SPIN_VARIABLE_{}", name.to_uppercase()), value));
        let mut command = up(folder, listen);
        command.envs(named);
        Self::start(command, listening)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; whether it ended well.
    pub fn terminate(&mut self) -> bool {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().success()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line of `sluice up` on the manifest and the state of this folder.
pub fn up(folder: &Path, listen: SocketAddr) -> Command {
    share_compiled(&folder.join("state"));
    let mut command = components::sluice();
    command
        .args(["up", "--log-format", "json", "--state", "state"])
        .args(["--listen", &listen.to_string()])
        .current_dir(folder);
    command
}

/// Compiled code is the same for every test.
fn share_compiled(state: &Path) {
    std::fs::create_dir_all(state).unwrap();
    std::fs::create_dir_all(components::compiled()).unwrap();
    let link = state.join("compiled");
    if !link.exists() {
        std::os::unix::fs::symlink(components::compiled(), link).unwrap();
    }
}

/// The address, if this line says where `sluice up` listens.
pub fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    rest[..rest.find('"')?].parse().ok()
}

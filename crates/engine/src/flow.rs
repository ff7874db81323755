//! What a flow is: a source, a target, and what lies between, said once.

use sluice_core::{Directory, Fault, Kind, Ports, Result, Source, Target};

/// One direction of sync between two systems for one kind of record.
pub struct Flow {
    pub name: &'static str,
    /// The mapping built into the component; a file mounted at `/mapping.toml` replaces it.
    pub mapping: &'static str,
    pub source: Box<dyn Source>,
    pub target: Box<dyn Target>,
    /// The section of the mapping that describes the target record.
    pub section: &'static str,
    pub resolvers: Vec<(&'static str, Resolver)>,
    pub on_leave: Policy,
    pub on_delete: Policy,
    pub writes_back: bool,
}

/// How a link of the mapping is found when it is not known yet.
pub enum Resolver {
    /// By bringing the target's counterpart of the source record in line first. The mapping section has
    /// the link's name; parents of the same kind come before their children.
    Parent {
        source: Box<dyn Source>,
        target: Box<dyn Target>,
    },
    /// By making the target's counterpart of a part of the record itself: a buyer that no request gives but
    /// the order's. The mapping section has the link's name and reads the record that holds it.
    Part {
        source: Kind,
        target: Box<dyn Target>,
    },
    /// By the natural key the mapping names.
    NaturalKey {
        source: Kind,
        directory: Box<dyn Directory>,
    },
}

/// What to do with the target of a record that left the flow's scope or was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Leave the target as it is.
    Ignore,
    /// Close it.
    Close,
    /// Let a person decide.
    DeadLetter,
}

/// Starts a flow's description: which record it reads.
pub fn flow(name: &'static str, mapping: &'static str) -> Builder {
    Builder { name, mapping }
}

/// A flow that has a name and a mapping; it needs a source next.
pub struct Builder {
    name: &'static str,
    mapping: &'static str,
}

impl Builder {
    /// From where to where; `section` of the mapping describes the target record.
    pub fn sync(
        self,
        source: impl Source + 'static,
        section: &'static str,
        target: impl Target + 'static,
    ) -> Flow {
        Flow {
            name: self.name,
            mapping: self.mapping,
            source: Box::new(source),
            target: Box::new(target),
            section,
            resolvers: Vec::new(),
            on_leave: Policy::DeadLetter,
            on_delete: Policy::DeadLetter,
            writes_back: false,
        }
    }
}

impl Flow {
    /// How the mapping's link of this name is found.
    pub fn resolve(mut self, link: &'static str, resolver: Resolver) -> Self {
        self.resolvers.push((link, resolver));
        self
    }

    /// What happens when a record is no longer in scope. Default: a person decides.
    pub fn on_leave(mut self, policy: Policy) -> Self {
        self.on_leave = policy;
        self
    }

    /// What happens when a record was deleted or merged. Default: a person decides.
    pub fn on_delete(mut self, policy: Policy) -> Self {
        self.on_delete = policy;
        self
    }

    /// Sets the `write_back` fields of the mapping in the source record.
    pub fn write_back(mut self) -> Self {
        self.writes_back = true;
        self
    }

    /// Every variable that any part of the flow lacks, in one fault.
    pub fn check(&self, ports: &Ports) -> Result<()> {
        let mut checks = vec![self.source.check(ports), self.target.check(ports)];
        for (_, resolver) in &self.resolvers {
            match resolver {
                Resolver::Parent { source, target } => {
                    checks.extend([source.check(ports), target.check(ports)]);
                }
                Resolver::Part { target, .. } => checks.push(target.check(ports)),
                Resolver::NaturalKey { directory, .. } => checks.push(directory.check(ports)),
            }
        }
        let mut faults = checks.into_iter().filter_map(Result::err);
        let Some(mut first) = faults.next() else {
            return Ok(());
        };
        for mut fault in faults {
            fault.fields.retain(|field| !first.fields.contains(field));
            first.fields.append(&mut fault.fields);
        }
        Err(first)
    }
}

/// A [`Resolver::Parent`].
pub fn parent(source: impl Source + 'static, target: impl Target + 'static) -> Resolver {
    Resolver::Parent {
        source: Box::new(source),
        target: Box::new(target),
    }
}

/// A [`Resolver::Part`]: what the record says of `source` becomes a record of the target, once for each id.
pub fn part(source: Kind, target: impl Target + 'static) -> Resolver {
    Resolver::Part {
        source,
        target: Box::new(target),
    }
}

/// A [`Resolver::NaturalKey`]: records of `source` are found in the directory by the key of the mapping.
pub fn natural_key(source: Kind, directory: impl Directory + 'static) -> Resolver {
    Resolver::NaturalKey {
        source,
        directory: Box::new(directory),
    }
}

impl Resolver {
    /// The kind of source record the link starts from, and the kind of target it leads to.
    pub fn kinds(&self) -> (Kind, Kind) {
        match self {
            Self::Parent { source, target } => (source.kind(), target.kind()),
            Self::Part { source, target } => (*source, target.kind()),
            Self::NaturalKey { source, directory } => (*source, directory.kind()),
        }
    }
}

/// The fault for a mapping and a flow that do not fit.
pub(crate) fn misfit(message: String) -> Fault {
    Fault::stop_flow(sluice_core::code::MAPPING_INVALID, message)
}

//! The form of a target body: dotted paths joined into one tree, so that each object is built once.

use crate::path;

/// An object of the target, its keys in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub keys: Vec<(String, Node)>,
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub enum Node {
    Object(Shape),
    /// The field at this position.
    Field(usize),
    /// The list at this position.
    List(usize),
}

impl Shape {
    /// Puts a leaf at a dotted path. `Err` says why it can't stand there.
    pub fn place(&mut self, target: &str, leaf: Node) -> Result<(), String> {
        let mut names = path::split(target)?;
        let Some(last) = names.pop() else {
            return Err("the path is empty".to_owned());
        };
        let mut shape = self;
        for name in names {
            let at = match shape.keys.iter().position(|(key, _)| *key == name) {
                Some(at) => at,
                None => {
                    shape
                        .keys
                        .push((name.clone(), Node::Object(Self::default())));
                    shape.keys.len() - 1
                }
            };
            match &mut shape.keys[at].1 {
                Node::Object(inner) => shape = inner,
                _ => {
                    return Err(format!(
                        "`{target}` can't be set: another line sets all of `{name}`"
                    ));
                }
            }
        }
        if shape.keys.iter().any(|(key, _)| *key == last) {
            return Err(format!("`{target}` is set by another line already"));
        }
        shape.keys.push((last, leaf));
        Ok(())
    }
}

//! A block of fields and lists, worked through for one record or one element.

use serde_json::{Map, Value};

use crate::link::Linking;
use crate::list::List;
use crate::rule::Field;
use crate::scope::{BadFields, Scope};
use crate::shape::{Node, Shape};

/// Target fields and lists, and the form of the object they make.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub fields: Vec<Field>,
    pub lists: Vec<List>,
    pub shape: Shape,
}

impl Block {
    /// The target object. Bad fields are noted, and their keys left out.
    pub fn apply(
        &self,
        scope: &Scope,
        linking: &mut Linking,
        bad: &mut BadFields,
    ) -> Map<String, Value> {
        self.object(&self.shape, scope, linking, bad)
    }

    fn object(
        &self,
        shape: &Shape,
        scope: &Scope,
        linking: &mut Linking,
        bad: &mut BadFields,
    ) -> Map<String, Value> {
        let mut object = Map::new();
        for (key, node) in &shape.keys {
            let value = match node {
                Node::Field(index) => self.field(&self.fields[*index], scope, linking, bad),
                Node::List(index) => self.lists[*index].apply(scope, linking, bad),
                Node::Object(inner) => {
                    let inner = self.object(inner, scope, linking, bad);
                    // An object of absent fields is absent, too.
                    (!inner.is_empty()).then_some(Value::Object(inner))
                }
            };
            if let Some(value) = value {
                object.insert(key.clone(), value);
            }
        }
        object
    }

    fn field(
        &self,
        field: &Field,
        scope: &Scope,
        linking: &mut Linking,
        bad: &mut BadFields,
    ) -> Option<Value> {
        match field.value(scope, linking) {
            Ok(value) => value,
            Err(reason) => {
                bad.add(scope.target(&field.target), reason);
                None
            }
        }
    }
}

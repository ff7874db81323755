//! What a type looks like to a client that asks.

use serde_json::{Value as Json, json};

use super::schema::{Access, Field, Kind, Object};

/// The short form, as in the list of all types.
pub(super) fn summary(object: &Object, version: &str) -> Json {
    let base = format!("/services/data/{version}/sobjects/{}", object.name);
    json!({
        "name": object.name,
        "label": object.label,
        "labelPlural": format!("{}s", object.label),
        "keyPrefix": object.prefix,
        "custom": false,
        "createable": object.writable,
        "updateable": object.writable,
        "deletable": object.writable,
        "queryable": true,
        "retrieveable": true,
        "replicateable": true,
        "searchable": false,
        "triggerable": object.writable,
        "urls": {
            "sobject": base,
            "describe": format!("{base}/describe"),
            "rowTemplate": format!("{base}/{{ID}}"),
        },
    })
}

/// The full form, fields and child relationships inside.
pub(super) fn whole(object: &Object, version: &str) -> Json {
    let mut described = summary(object, version);
    let children: Vec<Json> = object
        .children
        .iter()
        .map(|child| {
            json!({
                "relationshipName": child.relationship,
                "childSObject": child.object,
                "field": child.field,
                "cascadeDelete": child.cascades,
            })
        })
        .collect();
    let fields: Vec<Json> = object.fields.iter().map(field).collect();
    described["fields"] = Json::from(fields);
    described["childRelationships"] = Json::from(children);
    described["recordTypeInfos"] = json!([]);
    described
}

fn field(field: &Field) -> Json {
    let (kind, soap_type, length, precision, scale) = match field.kind {
        Kind::Id => ("id", "tns:ID", 18, 0, 0),
        Kind::Text(length) => ("string", "xsd:string", length, 0, 0),
        Kind::LongText(length) => ("textarea", "xsd:string", length, 0, 0),
        Kind::Picklist { .. } => ("picklist", "xsd:string", 255, 0, 0),
        Kind::Boolean => ("boolean", "xsd:boolean", 0, 0, 0),
        Kind::Int => ("int", "xsd:int", 0, 0, 0),
        Kind::Currency(precision, scale) => ("currency", "xsd:double", 0, precision, scale),
        Kind::Double(precision, scale) => ("double", "xsd:double", 0, precision, scale),
        Kind::Date => ("date", "xsd:date", 0, 0, 0),
        Kind::DateTime => ("datetime", "xsd:dateTime", 0, 0, 0),
        Kind::Reference { .. } => ("reference", "tns:ID", 18, 0, 0),
    };
    let (values, restricted) = match field.kind {
        Kind::Picklist { values, restricted } => (values, restricted),
        _ => (&[] as &[&str], false),
    };
    let values: Vec<Json> = values
        .iter()
        .map(|value| json!({"value": value, "label": value, "active": true, "defaultValue": false}))
        .collect();
    let (target, relationship) = match field.kind {
        Kind::Reference {
            object,
            relationship,
        } => (vec![object], Json::from(relationship)),
        _ => (Vec::new(), Json::Null),
    };
    let long = matches!(field.kind, Kind::LongText(_));
    json!({
        "name": field.name,
        "label": field.label,
        "type": kind,
        "soapType": soap_type,
        "length": length,
        "precision": precision,
        "scale": scale,
        "custom": field.name.ends_with("__c"),
        "createable": field.access != Access::ReadOnly,
        "updateable": field.access == Access::Writable,
        "nillable": !field.required && field.kind != Kind::Boolean,
        "defaultedOnCreate": field.kind == Kind::Boolean,
        "externalId": field.external_id,
        "idLookup": field.external_id || field.kind == Kind::Id,
        "unique": field.unique,
        "filterable": !long,
        "sortable": !long,
        "picklistValues": values,
        "restrictedPicklist": restricted,
        "referenceTo": target,
        "relationshipName": relationship,
    })
}

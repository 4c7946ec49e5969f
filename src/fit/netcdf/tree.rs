//! Between NetCDF's dimensions and HDF5's dimension scales.
//!
//! A dimension is an HDF5 dimension scale ("NetCDF-4 File Format", Unidata, appendix of the NetCDF User's Guide): the
//! data set of its own name, which is the coordinate variable where there is one. Booleans are bytes with the
//! attribute `dtype = "bool"`, as xarray writes and reads them.

use std::borrow::Cow;

use super::{Attribute, File, Group, Values, Variable};
use crate::error::{Error, Result};
use crate::fit::hdf5::{self, Body, Data, Object, ObjectId, Tree};

/// NAME of a scale that has no variable; libnetcdf knows it by these words and a ten-character length.
const NO_VARIABLE: &str = "This is a netCDF dimension but not a netCDF variable.";
/// The attribute and its value that mark a byte variable as boolean.
const BOOL_MARK: (&str, &str) = ("dtype", "bool");
/// Attributes that the file format itself uses.
const OWN_ATTRIBUTES: [&str; 5] = [
    "CLASS",
    "NAME",
    "_Netcdf4Dimid",
    "DIMENSION_LIST",
    "REFERENCE_LIST",
];

/// The HDF5 objects of a file.
pub(super) fn to_tree<'a>(file: &'a File<'_>) -> Result<Tree<'a>> {
    let mut tree = Tree {
        objects: vec![Object {
            attributes: attributes(&file.attributes),
            body: Body::Group(Vec::new()),
        }],
    };
    let mut members = Vec::new();
    let mut dimension_id = 0;
    for group in &file.groups {
        let id = ObjectId(tree.objects.len());
        members.push((group.name.clone(), id));
        add_group(&mut tree, group, &mut dimension_id)?;
    }
    tree.objects[0].body = Body::Group(members);
    Ok(tree)
}

/// Adds the group, then its dimensions, then the variables that are no coordinates.
fn add_group<'a>(tree: &mut Tree<'a>, group: &'a Group<'_>, dimension_id: &mut i32) -> Result<()> {
    let group_at = tree.objects.len();
    let first_scale = group_at + 1;
    tree.objects.push(Object {
        attributes: attributes(&group.attributes),
        body: Body::Group(Vec::new()),
    });
    let mut members = Vec::new();
    let mut uses = vec![Vec::new(); group.dimensions.len()];
    for (name, length) in &group.dimensions {
        members.push((name.clone(), ObjectId(tree.objects.len())));
        let (mut own, data, label) = match group.variable(name) {
            Some(variable) => {
                check_shape(group, variable, std::slice::from_ref(name))?;
                (
                    variable_attributes(variable),
                    data(&variable.values),
                    name.clone(),
                )
            }
            None => (Vec::new(), Data::Absent, format!("{NO_VARIABLE}{length:10}")),
        };
        own.extend([
            (
                "CLASS".to_owned(),
                hdf5::Attribute::FixedText("DIMENSION_SCALE".to_owned()),
            ),
            ("NAME".to_owned(), hdf5::Attribute::FixedText(label)),
            ("_Netcdf4Dimid".to_owned(), hdf5::Attribute::I32(*dimension_id)),
        ]);
        *dimension_id += 1;
        tree.objects.push(Object {
            attributes: own,
            body: Body::Dataset {
                shape: vec![*length as u64],
                data,
            },
        });
    }
    let is_coordinate = |variable: &Variable| group.dimensions.iter().any(|(name, _)| *name == variable.name);
    for variable in group.variables.iter().filter(|variable| !is_coordinate(variable)) {
        let id = ObjectId(tree.objects.len());
        members.push((variable.name.clone(), id));
        let axes = check_shape(group, variable, &variable.dimensions)?;
        for (axis, dimension) in axes.iter().enumerate() {
            uses[*dimension].push((id, axis as i32));
        }
        let mut own = variable_attributes(variable);
        if !axes.is_empty() {
            let scales = axes.iter().map(|dimension| ObjectId(first_scale + dimension));
            own.push((
                "DIMENSION_LIST".to_owned(),
                hdf5::Attribute::Scales(scales.collect()),
            ));
        }
        tree.objects.push(Object {
            attributes: own,
            body: Body::Dataset {
                shape: axes
                    .iter()
                    .map(|dimension| group.dimensions[*dimension].1 as u64)
                    .collect(),
                data: data(&variable.values),
            },
        });
    }
    for (dimension, uses) in uses.into_iter().enumerate() {
        if !uses.is_empty() {
            let scale = &mut tree.objects[first_scale + dimension];
            scale
                .attributes
                .push(("REFERENCE_LIST".to_owned(), hdf5::Attribute::Uses(uses)));
        }
    }
    tree.objects[group_at].body = Body::Group(members);
    Ok(())
}

/// The places of the variable's dimensions, which must be the ones expected and multiply to its length.
fn check_shape(group: &Group, variable: &Variable, expected: &[String]) -> Result<Vec<usize>> {
    let place = |name: &String| group.dimensions.iter().position(|(own, _)| own == name);
    let axes: Option<Vec<usize>> = variable.dimensions.iter().map(place).collect();
    let wrong = || {
        Error::bug(format!(
            "`{}/{}` has {} values for the dimensions {:?} of {:?}",
            group.name,
            variable.name,
            variable.values.len(),
            variable.dimensions,
            group.dimensions,
        ))
    };
    let axes = axes
        .filter(|_| variable.dimensions == expected)
        .ok_or_else(wrong)?;
    let product: usize = axes
        .iter()
        .map(|dimension| group.dimensions[*dimension].1)
        .product();
    if product == variable.values.len() {
        Ok(axes)
    } else {
        Err(wrong())
    }
}

fn attributes(attributes: &[(String, Attribute)]) -> Vec<(String, hdf5::Attribute)> {
    let convert = |(name, value): &(String, Attribute)| {
        let value = match value {
            Attribute::Text(text) => hdf5::Attribute::Text(text.clone()),
            Attribute::I64(x) => hdf5::Attribute::I64(*x),
            Attribute::U64(x) => hdf5::Attribute::U64(*x),
            Attribute::F64(x) => hdf5::Attribute::F64(*x),
        };
        (name.clone(), value)
    };
    attributes.iter().map(convert).collect()
}

fn variable_attributes(variable: &Variable) -> Vec<(String, hdf5::Attribute)> {
    let mut all = attributes(&variable.attributes);
    if let Values::Bool(_) = variable.values {
        all.push((
            BOOL_MARK.0.to_owned(),
            hdf5::Attribute::Text(BOOL_MARK.1.to_owned()),
        ));
    }
    all
}

fn data<'a>(values: &'a Values<'_>) -> Data<'a> {
    match values {
        Values::F64(values) => Data::F64(Cow::Borrowed(values)),
        Values::F32(values) => Data::F32(values.into()),
        Values::I64(values) => Data::I64(values.into()),
        Values::Bool(values) => Data::I8(values.iter().map(|x| i8::from(*x)).collect()),
        Values::Text(values) => Data::Text(values.into()),
    }
}

/// The file in a tree, or what is wrong with it.
pub(super) fn from_tree(tree: Tree<'static>) -> std::result::Result<File<'static>, String> {
    let mut objects: Vec<Option<Object<'static>>> = tree.objects.into_iter().map(Some).collect();
    let again = |name: &str| format!("the object `{name}` is linked twice");
    let Some(root) = objects[0].take() else {
        return Err(again("/"));
    };
    let Body::Group(members) = root.body else {
        return Err("its root is no group".to_owned());
    };
    let mut file = File {
        attributes: plain_attributes(root.attributes),
        groups: Vec::new(),
    };
    for (name, id) in members {
        let object = objects[id.0].take().ok_or_else(|| again(&name))?;
        let Body::Group(children) = object.body else {
            return Err(format!("the variable `{name}` lies outside of all groups"));
        };
        let mut group = Group {
            name,
            attributes: plain_attributes(object.attributes),
            ..Group::default()
        };
        let names: Vec<(ObjectId, String)> = children.iter().map(|(name, id)| (*id, name.clone())).collect();
        for (name, id) in children {
            let child = objects[id.0].take().ok_or_else(|| again(&name))?;
            add_member(&mut group, name, child, &names)?;
        }
        file.groups.push(group);
    }
    Ok(file)
}

fn add_member(
    group: &mut Group<'static>,
    name: String,
    object: Object<'static>,
    names: &[(ObjectId, String)],
) -> std::result::Result<(), String> {
    let Body::Dataset { shape, data } = object.body else {
        return Err(format!("the group `{name}` lies inside another group"));
    };
    let mut dimensions = Vec::new();
    for (own, value) in &object.attributes {
        match value {
            hdf5::Attribute::FixedText(text) if own == "CLASS" && text == "DIMENSION_SCALE" => {
                let [length] = shape.as_slice() else {
                    return Err(format!("the dimension `{name}` has several axes"));
                };
                // The reader has checked the length against the file or found nothing stored.
                group.dimensions.push((name.clone(), *length as usize));
                dimensions = vec![name.clone()];
            }
            hdf5::Attribute::Scales(scales) => {
                let find = |id: &ObjectId| {
                    names
                        .iter()
                        .find(|(own, _)| own == id)
                        .map(|(_, name)| name.clone())
                };
                let found: Option<Vec<String>> = scales.iter().map(find).collect();
                dimensions = found.ok_or_else(|| format!("`{name}` uses a dimension of another group"))?;
            }
            hdf5::Attribute::FixedText(_)
            | hdf5::Attribute::Text(_)
            | hdf5::Attribute::I32(_)
            | hdf5::Attribute::I64(_)
            | hdf5::Attribute::U64(_)
            | hdf5::Attribute::F64(_)
            | hdf5::Attribute::Uses(_) => {}
        }
    }
    if dimensions.len() != shape.len() {
        return Err(format!("`{name}` has axes without names"));
    }
    if object
        .attributes
        .iter()
        .any(|(own, value)| own == "NAME" && is_no_variable(value))
    {
        return Ok(());
    }
    let mut attributes = plain_attributes(object.attributes);
    let values = match data {
        Data::F64(values) => Values::F64(values),
        Data::F32(values) => Values::F32(values.into_owned()),
        Data::I64(values) => Values::I64(values.into_owned()),
        Data::I8(values) => {
            attributes.retain(|(own, _)| own != BOOL_MARK.0);
            Values::Bool(values.iter().map(|x| *x != 0).collect())
        }
        Data::Text(values) => Values::Text(values.into_owned()),
        Data::Absent => return Err(format!("the values of `{name}` are missing")),
    };
    group.variables.push(Variable {
        name,
        dimensions,
        values,
        attributes,
    });
    Ok(())
}

/// Whether the scale's NAME says that it is no variable.
fn is_no_variable(label: &hdf5::Attribute) -> bool {
    matches!(label, hdf5::Attribute::FixedText(text) if text.starts_with(NO_VARIABLE))
}

/// Attributes other than the format's own.
fn plain_attributes(attributes: Vec<(String, hdf5::Attribute)>) -> Vec<(String, Attribute)> {
    let convert = |(name, value): (String, hdf5::Attribute)| {
        if OWN_ATTRIBUTES.contains(&name.as_str()) {
            return None;
        }
        let value = match value {
            hdf5::Attribute::Text(text) | hdf5::Attribute::FixedText(text) => Attribute::Text(text),
            hdf5::Attribute::I32(x) => Attribute::I64(i64::from(x)),
            hdf5::Attribute::I64(x) => Attribute::I64(x),
            hdf5::Attribute::U64(x) => Attribute::U64(x),
            hdf5::Attribute::F64(x) => Attribute::F64(x),
            hdf5::Attribute::Scales(_) | hdf5::Attribute::Uses(_) => return None,
        };
        Some((name, value))
    };
    attributes.into_iter().filter_map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File<'static> {
        let variable = |name: &str, dimensions: &[&str], values| Variable {
            name: name.to_owned(),
            dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
            values,
            attributes: vec![("unit".to_owned(), Attribute::Text(name.to_uppercase()))],
        };
        File {
            attributes: vec![
                (
                    "model".to_owned(),
                    Attribute::Text("σ ~ Exponential(1)\n".to_owned()),
                ),
                ("seed".to_owned(), Attribute::U64(u64::MAX)),
            ],
            groups: vec![Group {
                name: "posterior".to_owned(),
                attributes: vec![("prob".to_owned(), Attribute::F64(0.89))],
                dimensions: vec![
                    ("tank".to_owned(), 2),
                    ("free".to_owned(), 3),
                    ("none".to_owned(), 0),
                ],
                variables: vec![
                    variable(
                        "tank",
                        &["tank"],
                        Values::Text(vec!["a".to_owned(), String::new()]),
                    ),
                    variable(
                        "x",
                        &["free", "tank"],
                        Values::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0, f64::INFINITY].into()),
                    ),
                    variable("flag", &["tank"], Values::Bool(vec![true, false])),
                    variable("count", &[], Values::I64(vec![-7])),
                    variable("single", &["free"], Values::F32(vec![0.1, 0.2, 0.3])),
                    variable("empty", &["none"], Values::F64(vec![].into())),
                ],
            }],
        }
    }

    #[test]
    fn a_file_goes_through_a_tree_unchanged() {
        let original = file();
        let tree = to_tree(&original).expect("consistent shapes");
        let mut bytes = Vec::new();
        hdf5::write(&tree, &mut bytes).expect("memory takes all");
        assert_eq!(from_tree(hdf5::read(&bytes).expect("just written")), Ok(original));
    }

    #[test]
    fn a_shape_that_disagrees_is_a_bug() {
        let mut broken = file();
        broken.groups[0].variables[1].values = Values::F64(vec![0.0; 5].into());
        let error = to_tree(&broken).expect_err("five values for six places");
        assert_eq!(error.kind(), crate::error::Kind::Bug);
        assert!(error.message().contains("`posterior/x` has 5 values"), "{error}");
    }
}

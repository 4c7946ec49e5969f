//! `tadpool plot`: pictures of fits, as files.

use std::fs;
use std::path::{Path, PathBuf};

use super::Outcome;
use super::args::{Files, PlotArgs, Wanted};
use super::inputs::{read_fit, read_table};
use super::output::{Notes, print};
use crate::error::{Error, Kind as Blame, Result};
use crate::fit::Fit;
use crate::plot::{Drawn, Kind, Options, Source, draw};

/// Reads the fits, draws, writes the files, prints their paths.
pub(super) fn run(args: &PlotArgs) -> Result<Outcome> {
    let notes = Notes { quiet: false };
    is_folder(&args.out)?;
    let fits = args
        .fits
        .iter()
        .map(|path| read_fit(path, notes))
        .collect::<Result<Vec<Fit>>>()?;
    let names = names(&args.fits, &fits);
    let sources: Vec<Source<'_>> = fits
        .iter()
        .zip(&names)
        .map(|(fit, name)| Source { fit, name })
        .collect();
    let options = args.options(
        args.truth
            .as_deref()
            .map(read_truth)
            .transpose()?
            .unwrap_or_default(),
    );
    let mut kinds: Vec<Kind> = Vec::new();
    let is_all = args.kinds.0.contains(&Wanted::All);
    for kind in Kind::ALL {
        if is_all || args.kinds.0.contains(&Wanted::One(kind)) {
            kinds.push(kind);
        }
    }
    let mut drawn = Vec::new();
    for kind in kinds {
        match draw(kind, &sources, &options) {
            Ok(pictures) => drawn.extend(pictures),
            // What was not asked for by name may be left out, if the remedy is not another word on the command line.
            Err(error)
                if is_all
                    && !args.kinds.0.contains(&Wanted::One(kind))
                    && error.kind() == Blame::User
                    && knows_all(&sources, &options) =>
            {
                let remedy = error.help().map_or_else(String::new, |help| format!("; {help}"));
                notes.say(&format!(
                    "no picture `{}`: {}{remedy}",
                    kind.name(),
                    error.message()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    fs::create_dir_all(&args.out).map_err(|fault| unwritable(&args.out, &fault))?;
    let mut paths = String::new();
    for picture in &drawn {
        for path in write(&args.out, picture, args.format)? {
            paths.push_str(&format!("{}\n", path.display()));
        }
    }
    print(&paths)?;
    Ok(Outcome::Done)
}

/// Checks that the pictures' folder is not named as a picture is, and is no file.
fn is_folder(out: &Path) -> Result<()> {
    let end = out.extension().map(|end| end.to_string_lossy().to_lowercase());
    let is_picture = end.is_some_and(|end| ["svg", "png", "pdf", "jpg"].contains(&end.as_str()));
    let what = match (out.is_dir(), out.exists(), is_picture) {
        (true, _, _) | (false, false, false) => return Ok(()),
        (false, true, _) => "is a file",
        (false, false, true) => "is the name of a picture",
    };
    Err(
        Error::user(format!("`--out` names a folder, and {} {what}", out.display()))
            .with_help("the pictures are KIND.svg and KIND.png in the folder that `--out DIR` names"),
    )
}

/// True values by name.
fn read_truth(path: &Path) -> Result<Vec<(String, f64)>> {
    let table = read_table(path)?;
    let names = table.labels("name")?;
    let values = table.numeric("value")?;
    Ok(names.into_iter().zip(values.iter().copied()).collect())
}

/// Whether every pattern chooses something of some fit: else no picture can be what was meant.
fn knows_all(sources: &[Source<'_>], options: &Options) -> bool {
    options
        .vars
        .iter()
        .all(|pattern| sources.iter().any(|source| source.knows(pattern)))
}

/// What fits are called: their models' names, or their files' where models share one.
pub(super) fn names(paths: &[PathBuf], fits: &[Fit]) -> Vec<String> {
    let models: Vec<&str> = fits.iter().map(|fit| fit.run.model_name.as_str()).collect();
    let stems: Vec<String> = paths
        .iter()
        .map(|path| {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let is_alone = |names: &[&str], name: &str| names.iter().filter(|other| **other == name).count() == 1;
    let stems_ref: Vec<&str> = stems.iter().map(String::as_str).collect();
    (0..fits.len())
        .map(|place| {
            if is_alone(&models, models[place]) {
                models[place].to_owned()
            } else if is_alone(&stems_ref, &stems[place]) {
                stems[place].clone()
            } else {
                format!("{}-{}", stems[place], place + 1)
            }
        })
        .collect()
}

/// Writes a picture's files and tells their paths.
fn write(folder: &Path, drawn: &Drawn, files: Files) -> Result<Vec<PathBuf>> {
    let svg = (drawn.picture.svg.as_bytes(), "svg");
    let png = (drawn.picture.png.as_slice(), "png");
    let wanted = match files {
        Files::Svg => vec![svg],
        Files::Png => vec![png],
        Files::Both => vec![svg, png],
    };
    wanted
        .into_iter()
        .map(|(bytes, extension)| {
            let path = folder.join(format!("{}.{extension}", drawn.stem));
            fs::write(&path, bytes).map_err(|fault| unwritable(&path, &fault))?;
            Ok(path)
        })
        .collect()
}

fn unwritable(path: &Path, fault: &std::io::Error) -> Error {
    Error::environment(format!("{} cannot be written: {fault}", path.display()))
        .with_help("name a folder that can be written with `--out DIR`")
}

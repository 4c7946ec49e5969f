//! `report`: a page that holds all it says, and that names cannot break.

use std::fs;

use roxmltree::{Document, Node, ParsingOptions};

use crate::harness::{Folder, REED_FROGS};

/// The page as XML, which it is too.
fn parsed(text: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).expect("a well-formed page")
}

fn texts(document: &Document<'_>, tag: &str) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(tag))
        .map(|node| inside(node))
        .collect()
}

fn inside(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter_map(|part| part.text().filter(|_| part.is_text()))
        .collect()
}

#[test]
fn the_page_holds_what_a_reader_needs() {
    let folder = Folder::new("report");
    folder.fit(&["--quiet"]).exits(0);
    let ran = folder.run(["report", "m12_2.nc", "--out", "frogs.html"]).exits(0);
    assert_eq!(ran.out, "frogs.html\n");
    let page = fs::read_to_string(folder.path("frogs.html")).expect("a page");
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    let document = parsed(&page);
    let titles = texts(&document, "h2");
    assert_eq!(
        titles,
        [
            "Model",
            "Data",
            "Parameters",
            "Diagnostics",
            "Predictions",
            "Pictures",
            "How well it predicts",
            "How to reproduce"
        ]
    );
    let code = texts(&document, "code");
    for wanted in ["a_tank[1]", "a_tank[48]", "sigma", "HalfCauchy(1)"] {
        assert!(code.iter().any(|text| text == wanted), "{wanted}");
    }
    // The model as written, the command, the fingerprint of the data.
    let command = format!(
        "tadpool {} --warmup 200 --draws 200 --quiet",
        REED_FROGS.join(" ")
    );
    assert!(code.contains(&command), "{command}: {code:?}");
    let model = fs::read_to_string(folder.path(REED_FROGS[1])).expect("the model");
    assert!(code.iter().any(|text| text.trim() == model.trim()));
    let cells = texts(&document, "td");
    assert!(
        cells
            .iter()
            .any(|cell| cell.len() >= 16 && cell.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "no fingerprint"
    );
    // What a fit with the row cannot tell of a fit without it is said with its remedy.
    assert!(
        texts(&document, "li")
            .iter()
            .any(|text| text.contains("each row has its own a_tank[tank]"))
    );
    let svgs = document
        .descendants()
        .filter(|node| node.tag_name().name() == "svg")
        .count();
    assert!(svgs >= 7, "{svgs} pictures");
    for attribute in ["src", "srcset", "action"] {
        assert!(
            document
                .descendants()
                .all(|node| node.attribute(attribute).is_none()),
            "{attribute}"
        );
    }
    let links = document.descendants().filter_map(|node| node.attribute("href"));
    assert!(links.clone().count() > 5);
    for link in links {
        assert!(link.starts_with('#') || link == "data:,", "{link}");
    }
    // The same fit gives the same page.
    folder.run(["report", "m12_2.nc", "--out", "again.html"]).exits(0);
    assert_eq!(
        fs::read_to_string(folder.path("again.html")).expect("a page"),
        page
    );
}

#[test]
fn names_from_model_and_data_stay_text() {
    let folder = Folder::new("report_names");
    let mut csv = String::from("y,\"<b>x&\",g\n");
    for row in 0..24 {
        let label = ["<script>alert(1)</script>", "a'\"&amp;", "]]>"][row % 3];
        csv.push_str(&format!(
            "{},{},\"{}\"\n",
            row % 5,
            row % 7,
            label.replace('"', "\"\"")
        ));
    }
    fs::write(folder.path("d&<i>.csv"), csv).expect("a table");
    let model = "# <script>alert(2)</script>\ny ~ Normal(mu, s)\nmu = b * `<b>x&` + a[g]\na[g] ~ Normal(0, 2)\nb ~ \
                 Normal(0, 1)\ns ~ Exponential(1)\n";
    fs::write(folder.path("<m>.tad"), model).expect("a model");
    let args = [
        "fit",
        "<m>.tad",
        "--data",
        "d&<i>.csv",
        "--out",
        "f.nc",
        "--quiet",
        "--warmup",
        "200",
        "--draws",
        "200",
    ];
    folder.run(args).exits(0);
    folder.run(["report", "f.nc", "--out", "p.html"]).exits(0);
    let page = fs::read_to_string(folder.path("p.html")).expect("a page");
    let document = parsed(&page);
    assert_eq!(texts(&document, "h1"), ["<m>"]);
    assert!(
        texts(&document, "code")
            .iter()
            .any(|text| text == "a[<script>alert(1)</script>]")
    );
    let scripts = texts(&document, "script");
    assert_eq!(scripts.len(), 1);
    assert!(!scripts[0].contains("alert"));
    // Nothing but what the page's own writers use.
    for node in document.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        assert!(
            !["b", "i", "m", "iframe", "object", "img"].contains(&tag),
            "<{tag}>"
        );
    }
}

#[test]
fn several_fits_are_compared_first() {
    let folder = Folder::new("report_several");
    for seed in ["1", "2"] {
        let out = format!("s{seed}.nc");
        folder.fit(&["--quiet", "--seed", seed, "--out", &out]).exits(0);
    }
    folder.run(["report", "s1.nc", "s2.nc"]).exits(0);
    let page = fs::read_to_string(folder.path("report.html")).expect("a page");
    let document = parsed(&page);
    assert_eq!(texts(&document, "h2"), ["Comparison", "s1", "s2"]);
    let heads = texts(&document, "th");
    assert!(heads.iter().any(|head| head == "behind the best"), "{heads:?}");
}

#[test]
fn other_files_are_kept() {
    let folder = Folder::new("report_kept");
    folder.fit(&["--quiet"]).exits(0);
    fs::write(folder.path("notes.txt"), "mine").expect("a file");
    let ran = folder.run(["report", "m12_2.nc", "--out", "notes.txt"]).exits(3);
    assert!(
        ran.err.contains("notes.txt exists and is no page of HTML"),
        "{}",
        ran.err
    );
    assert_eq!(
        fs::read_to_string(folder.path("notes.txt")).expect("a file"),
        "mine"
    );
    let before = fs::read(folder.path("m12_2.nc")).expect("a fit");
    folder.run(["report", "m12_2.nc", "--out", "m12_2.nc"]).exits(3);
    assert_eq!(fs::read(folder.path("m12_2.nc")).expect("a fit"), before);
    let ran = folder
        .run(["report", "m12_2.nc", "--out", "no/such/folder.html"])
        .exits(1);
    assert!(ran.err.contains("cannot be written"), "{}", ran.err);
    // An older page is replaced, and nothing is left beside it.
    fs::write(folder.path("old.html"), "<!doctype html><p>old</p>").expect("a file");
    folder.run(["report", "m12_2.nc", "--out", "old.html"]).exits(0);
    assert!(
        fs::read_to_string(folder.path("old.html"))
            .expect("a page")
            .contains("m12_2")
    );
    let left = fs::read_dir(folder.path("")).expect("a folder").count();
    assert_eq!(
        left,
        3 + usize::from(folder.path("data").exists()),
        "a part of a file is left over"
    );
}

//! Signs that people bring from R, Python, Stan and typeset pages, with what to write instead.

/// Spellings of other languages and of typesetting, with what to write instead.
pub(super) const MISTAKEN: [(&str, &str); 21] = [
    ("<<-", "write `=` or `<-`"),
    ("%%", "the remainder is written `%`; it binds like `*`"),
    ("%in%", "compare with each value: `x == \"a\" || x == \"b\"`"),
    ("%*%", "write the sum out: `b[1]*x1 + b[2]*x2`"),
    ("%/%", "write `floor(a / b)`"),
    ("**", "a power is written `^`"),
    ("//", "a comment begins with `#`"),
    ("/*", "a comment begins with `#` and ends with the line"),
    ("::", "names have no package prefix here"),
    (":=", "write `=`"),
    (";", "put each relation on a line of its own"),
    ("&", "write `&&`"),
    ("$", "name the column itself: `height` instead of `d$height`"),
    ("−", "this is a typographic minus; write `-`"),
    ("–", "this is a dash; write `-`"),
    ("—", "this is a dash; write `-`"),
    ("×", "write `*`"),
    ("·", "write `*`"),
    ("∼", "this is a mathematical tilde; write `~`"),
    ("←", "write `=` or `<-`"),
    (
        "?",
        "a choice is written with comparisons: `(x > 0)*a + (x <= 0)*b`",
    ),
];

/// Typographic quotes.
pub(super) const CURLY: [char; 6] = ['“', '”', '„', '‘', '’', '´'];

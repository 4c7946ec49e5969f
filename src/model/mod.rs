//! A model over its data, compiled (stand-in).

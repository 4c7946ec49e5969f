//! The crate's error type: three kinds that are never mixed.
//!
//! - [`Kind::User`]: the model text, the data or the command's values are wrong (exit code 3);
//! - [`Kind::Environment`]: no adapter, an unwritable folder, a full disk (exit code 1);
//! - [`Kind::Bug`]: tadpool broke one of its own rules (exit code 1).
//!
//! Divergent trajectories and non-finite densities are statistics, never errors.

use std::fmt;

/// Who can mend the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The model, the data or a value on the command line.
    User,
    /// The machine: adapters, files, memory.
    Environment,
    /// A broken invariant of tadpool itself.
    Bug,
}

/// An error with its cause and, where there is one, its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    help: Option<String>,
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error in the user's model, data or values.
    pub fn user(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::User,
            message: message.into(),
            help: None,
        }
    }

    /// An error of the machine that tadpool runs on.
    pub fn environment(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Environment,
            message: message.into(),
            help: None,
        }
    }

    /// A broken invariant of tadpool.
    pub fn bug(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Bug,
            message: message.into(),
            help: None,
        }
    }

    /// The same error with a remedy, printed as a `help:` line.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Who can mend it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What went wrong, without the remedy.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The remedy, if one is known.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The exit code that the command line gives for this error.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::User => 3,
            Kind::Environment | Kind::Bug => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // Reports on the model text are rendered whole, with their own heading.
            Kind::User | Kind::Environment if self.message.starts_with("error:") => {
                f.write_str(&self.message)?
            }
            Kind::User | Kind::Environment => write!(f, "error: {}", self.message)?,
            Kind::Bug => write!(
                f,
                "internal error: {}\nThis is a fault of tadpool, not of your model.",
                self.message
            )?,
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

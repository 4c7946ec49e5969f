//! Values on the command line: their words, their ranges, and what is said about one that does not fit.

use std::ops::RangeInclusive;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::diag::Prob;
use crate::error::Error;

/// One of a few words, each standing for a value.
pub(super) fn choice<T: Copy + Send + Sync>(
    words: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words.iter().map(|(word, _)| *word)).try_map(|given| {
        words
            .iter()
            .find(|(word, _)| *word == given)
            .map(|(_, value)| *value)
            .ok_or("it is none of the words that stand for a value")
    })
}

/// A probability strictly between 0 and 1.
pub(super) fn probability(text: &str) -> Result<Prob, String> {
    let number = fraction(text).map_err(|message| match text.parse::<f64>() {
        Ok(percent) if (1.0..100.0).contains(&percent) => {
            format!("{message}; for {percent} % give {}", percent / 100.0)
        }
        Ok(_) | Err(_) => message,
    })?;
    Prob::new(number).map_err(|error| error.message().to_owned())
}

/// A number strictly between 0 and 1.
pub(super) fn fraction(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number < 1.0 => Ok(number),
        Ok(_) | Err(_) => Err("expected a number between 0 and 1, such as 0.89".to_owned()),
    }
}

/// A standard error of a mean in posterior standard deviations, above 0 and below 1.
pub(super) fn precision(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number < 1.0 => Ok(number),
        Ok(_) | Err(_) => Err(
            "expected a part of the posterior sd, above 0 and below 1; 0.02 takes about 2500 effective draws, 0.05 \
             about 400"
                .to_owned(),
        ),
    }
}

/// A length of time, above 0.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        Ok(_) | Err(_) => Err("expected a number of seconds above 0, such as 60".to_owned()),
    }
}

/// The width of a picture.
pub(super) fn pixels(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (400.0..=4000.0).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err("expected a number of pixels from 400 to 4000, such as 760".to_owned()),
    }
}

/// The factor by which a picture's pixels are multiplied.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.5..=8.0).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err("expected a number from 0.5 to 8, such as 2".to_owned()),
    }
}

/// A count of 1 or more.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    whole(text, 1..=u64::from(u32::MAX)).map(|number| number as usize)
}

/// A count of iterations, possibly 0.
pub(super) fn iterations(text: &str) -> Result<u32, String> {
    whole(text, 0..=u64::from(u32::MAX)).map(|number| number as u32)
}

/// A count of iterations of 1 or more.
pub(super) fn stride(text: &str) -> Result<u32, String> {
    whole(text, 1..=u64::from(u32::MAX)).map(|number| number as u32)
}

fn whole(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(number) if number > *range.end() => Err(format!("expected at most {}", range.end())),
        Ok(_) | Err(_) => Err(format!("expected a whole number, at least {}", range.start())),
    }
}

/// What an error says, remedy and all.
pub(super) fn said(error: Error) -> String {
    match error.help() {
        Some(help) => format!("{}; {help}", error.message()),
        None => error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_fractions_and_percentages_are_shown_as_such() {
        assert_eq!(probability("0.5").map(Prob::get), Ok(0.5));
        for bad in ["0", "1", "-0.1", "nan", "inf", "half", ""] {
            assert!(probability(bad).is_err(), "{bad}");
        }
        let message = probability("89").unwrap_err();
        assert!(message.ends_with("for 89 % give 0.89"), "{message}");
    }

    #[test]
    fn precisions_and_times_are_positive() {
        assert_eq!((precision("0.02"), seconds("1.5")), (Ok(0.02), Ok(1.5)));
        for bad in ["0", "1", "2", "-0.1", "nan", "inf", "fine", ""] {
            assert!(precision(bad).is_err(), "{bad}");
        }
        for bad in ["0", "-1", "nan", "inf", "1 h", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_have_their_least_value() {
        assert_eq!(at_least_one("1"), Ok(1));
        assert_eq!(iterations("0"), Ok(0));
        for bad in ["0", "-1", "1.5", "many", "99999999999"] {
            assert!(at_least_one(bad).is_err() && stride(bad).is_err(), "{bad}");
        }
        assert_eq!(
            iterations("4294967296").unwrap_err(),
            "expected at most 4294967295"
        );
    }
}

//! The rows as a picture: gradients per second against chains.

mod chart;

use super::machine::Machine;
use super::row::Row;
use crate::error::Result;
use crate::plot::Picture;

/// Pixels of the PNG for each of the SVG's.
const SCALE: f64 = 2.0;

/// Gradients per second against chains, one panel for each model, one line for each driver on each adapter.
///
/// # Errors
///
/// Only faults of tadpool: a picture of no size.
pub fn gradients(machine: &Machine, rows: &[Row]) -> Result<Picture> {
    chart::scene(&machine.to_string(), rows).picture(SCALE)
}

#[cfg(test)]
mod tests {
    use super::super::Driver;
    use super::*;

    fn row(driver: Driver, chains: usize, rate: f64) -> Row {
        Row {
            driver,
            model: "m12_2".into(),
            chains,
            gradients_per_second: rate,
            gradients_per_core_second: None,
            ess_per_second: None,
            ess_per_second_with_warmup: None,
            time_to_first_draw_seconds: None,
            seconds_to_ess_1000: None,
            warmup_seconds: None,
            warmup: 0,
            draws: 4,
            ess_per_gradient: None,
            ess_measured_at_chains: None,
            bytes: 0,
        }
    }

    #[test]
    fn svg_and_png_show_every_driver() {
        let rows = [
            row(Driver::Scalar, 64, 1e6),
            row(Driver::Scalar, 1024, 2e6),
            row(Driver::Simd, 64, 1e7),
        ];
        let picture = gradients(&Machine::this(), &rows).unwrap();
        for word in ["CPU scalar", "CPU simd", "m12_2", "1024", "gradients per second"] {
            assert!(picture.svg.contains(word), "{word} is not in the picture");
        }
        let lines = picture.svg.matches("stroke-width=\"2\"").count();
        assert_eq!(
            lines, 3,
            "one between two numbers of chains, and two in the legend"
        );
        let marks = picture.svg.matches("<circle").count();
        assert_eq!(marks, 5, "three rows, and two in the legend");
        assert_eq!(picture.png[1..4], *b"PNG");
    }

    #[test]
    fn a_picture_of_nothing_is_a_picture() {
        assert!(gradients(&Machine::this(), &[]).is_ok());
    }
}

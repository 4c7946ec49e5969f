//! Tables survive a round through CSV, and no bytes make the reader panic.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::{collection, sample};
use tadpool::data::{Column, Delimiter, Table, fingerprint};

/// Cells of every kind, delimiters, quotes, line ends and blanks among them.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>().prop_map(|x| format!("{x:e}")),
        any::<i32>().prop_map(|x| x.to_string()),
        sample::select(vec![
            "",
            "NA",
            "nan",
            "Inf",
            "3,5",
            "\"",
            "a\"\"b",
            "two\nlines",
            "\r\n",
            " x ",
            "é"
        ])
        .prop_map(str::to_owned),
        "[a-z,;\"\t .0-9]{0,6}",
    ]
}

fn delimiter() -> impl Strategy<Value = Delimiter> {
    prop_oneof![
        Just(Delimiter::Comma),
        Just(Delimiter::Semicolon),
        Just(Delimiter::Tab)
    ]
}

/// Rows of cells, all of one width of at least two: a single column has no delimiter to recognise.
fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2_usize..5).prop_flat_map(|width| collection::vec(collection::vec(cell(), width), 1..12))
}

/// Bytes that look like a table, and bytes that do not.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let table_like = sample::select(b"ab1.,;\t\"\r\n -eNA".to_vec());
    prop_oneof![
        collection::vec(any::<u8>(), 0..64),
        collection::vec(table_like, 0..64),
        (collection::vec(any::<u8>(), 0..24))
            .prop_map(|tail| [b"\xEF\xBB\xBFa,b\n1,2\n".to_vec(), tail].concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_written_to_csv_reads_back_equal(rows in rows(), delimiter in delimiter(), feed in any::<bool>()) {
        let names: Vec<String> = (0..rows[0].len()).map(|place| format!("x{place}")).collect();
        let terminator = if feed { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter.byte())
            .terminator(terminator)
            .from_writer(Vec::new());
        writer.write_record(&names).expect("memory");
        for row in &rows {
            writer.write_record(row).expect("memory");
        }
        let written = writer.into_inner().expect("memory");

        let found = Table::from_bytes("t.csv", &written).expect("a written table reads back");
        let columns: Vec<Column> = names
            .iter()
            .enumerate()
            .map(|(place, name)| Column::from_cells(name, rows.iter().map(|row| row[place].as_str())))
            .collect();
        prop_assert_eq!(found.delimiter(), delimiter);
        prop_assert_eq!(found.columns(), &columns[..]);
        let (read, made): (Vec<&Column>, Vec<&Column>) = (found.columns().iter().collect(), columns.iter().collect());
        prop_assert_eq!(fingerprint(&read), fingerprint(&made));
        // A row begins one line below the end of the row before it; the cells' own line ends are inside quotes.
        let mut line = 2;
        for (row, cells) in rows.iter().enumerate() {
            prop_assert_eq!(found.line_of(row), line);
            line += 1 + cells.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes in bytes()) {
        if let Ok(table) = Table::from_bytes("t.csv", &bytes) {
            for name in table.names() {
                let complete = table.complete_numeric(name).is_ok();
                prop_assert_eq!(complete && table.numeric(name).is_err(), false);
                prop_assert_eq!(table.labels(name).is_ok(), table.factor(name).is_ok());
                if let Ok(factor) = table.factor(name) {
                    prop_assert_eq!(factor.encode(&table.labels(name).expect("as the factor")),
                        factor.codes().iter().map(|&code| Some(code)).collect::<Vec<_>>());
                }
            }
        }
    }
}

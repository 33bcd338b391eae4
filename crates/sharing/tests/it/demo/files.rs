//! The files of the demonstration, read by somebody else's reader.

use jiff::civil::Date;
use kernel::uscc::Uscc;
use sharing::demo::{Reject, RejectReason, Scale, faulty_permits, resources, write_csv};

#[test]
fn a_file_reads_back_as_its_rows() {
    for resource in resources() {
        let mut file = Vec::new();
        write_csv(&resource, Scale::default(), &mut file).unwrap();
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let titles: Vec<&str> = resource.columns.iter().map(|column| column.title.zh).collect();
        assert_eq!(reader.headers().unwrap(), titles, "{}", resource.id);
        let rows = resource.rows(Scale::default()).flat_map(Result::unwrap);
        let mut read = 0;
        for (line, row) in reader.records().zip(rows) {
            let kinds = resource.columns.iter().map(|column| column.column.kind);
            let written: Vec<String> = row.iter().zip(kinds).map(|(cell, kind)| cell.written(kind)).collect();
            assert_eq!(line.unwrap(), written, "{}", resource.id);
            read += 1;
        }
        assert_eq!(read, resource.rows, "{}", resource.id);
    }
}

#[test]
fn the_faulty_file_has_exactly_the_faults_that_it_says() {
    let (text, rejects) = faulty_permits().unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().len();
    let mut found = Vec::new();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        rows += 1;
        let line = usize::try_from(record.position().unwrap().line()).unwrap();
        let fault = |column, reason| Reject { line, column, reason };
        if record.len() < columns {
            found.push(fault(None, RejectReason::TooFewCells));
            continue;
        }
        if record.len() > columns {
            found.push(fault(None, RejectReason::TooManyCells));
            continue;
        }
        if Uscc::parse(&record[2]).is_err() {
            found.push(fault(Some("uscc"), RejectReason::CheckCharacter));
        }
        if record[4].parse::<f64>().is_err() {
            found.push(fault(Some("area"), RejectReason::NotANumber));
        }
        for (place, name) in [(5, "issued_on"), (6, "expires_on")] {
            if record[place].parse::<Date>().is_err() {
                found.push(fault(Some(name), RejectReason::NotADate));
            }
        }
    }
    assert_eq!(found, rejects);
    assert_eq!(rejects.len(), 5);
    assert!(rows > 100, "{rows}");
}

//! What finding a place promises.
use super::postcode::{OUTWARD, SECTORS};
use super::*;
use proptest::prelude::*;

fn names(codes: &[LocalityCode]) -> Vec<&'static str> {
    codes.iter().map(|c| c.locality().name.as_str()).collect()
}

fn found(said: &str) -> Vec<&'static str> {
    match find(said) {
        Found::Postcode(_, places) | Found::Nothing(places) => names(&places),
        Found::Named(named) => names(&named.places),
        other => panic!("{said}: {other:?}"),
    }
}

#[test]
fn the_tables_are_sorted_and_every_line_is_found() {
    for table in [SECTORS, OUTWARD, SHAPES] {
        let keys: Vec<&str> = table
            .lines()
            .skip(1)
            .filter_map(|l| Some(l.split_once(',')?.0))
            .collect();
        assert!(
            keys.windows(2)
                .all(|pair| pair[0].as_bytes() < pair[1].as_bytes())
        );
        for key in &keys {
            assert!(line_of(table, key).is_some(), "{key}");
        }
        for nobody in ["", "A", "ZZ99 9", "zz", "FY1 ", "€"] {
            assert_eq!(line_of(table, nobody), None, "{nobody}");
        }
    }
    for code in localities(None, None).filter_map(code_of) {
        let shape = outline(&code).expect("every council has an outline");
        assert!(!shape.rings().is_empty());
        assert!(
            neighbours(&code)
                .iter()
                .all(|n| neighbours(n).contains(&code))
        );
    }
    let all: usize = regional_counts().values().sum();
    assert_eq!(
        (all, regional_counts().len(), regions().count()),
        (361, 12, 12)
    );
    assert!(regions().all(|(name, _)| !in_region(name).is_empty()));
}

#[test]
fn a_postcode_is_read_as_people_type_it() {
    for said in [
        "FY1 4AB",
        "fy1 4ab",
        "FY14AB",
        " fy14 ab ",
        "fy1-4ab",
        "FY1 4",
        "fy1",
        "FY14",
        "FY1 OAB",
    ] {
        assert_eq!(found(said).first(), Some(&"Blackpool"), "{said}");
    }
    assert_eq!(found("FY7 6"), ["Wyre"]);
    assert_eq!(
        Postcode::read("sw1a1aa").map(|p| p.to_string()),
        Some("SW1A 1AA".to_owned())
    );
    assert!(matches!(find("BT1 5GS"), Found::NorthernIreland(_)));
    assert!(matches!(find("bt48"), Found::NorthernIreland(_)));
    assert!(
        matches!(find("ZZ1 1ZZ"), Found::NoSuchPostcode(code) if code.to_string() == "ZZ1 1ZZ")
    );
    for not_one in [
        "",
        "Wyre",
        "FY",
        "1FY",
        "FY1 4ABC",
        "FY1 4A!",
        "FYX 1AA",
        "ＦＹ１",
    ] {
        assert_eq!(Postcode::read(not_one), None, "{not_one}");
    }
}

#[test]
fn a_council_is_found_by_any_name_it_had() {
    assert_eq!(found("wyre").first(), Some(&"Wyre"));
    assert_eq!(found("Wyre Council"), found("WYRE"));
    assert_eq!(found("kings lynn"), ["King's Lynn and West Norfolk"]);
    assert_eq!(found("ynys mon").len() + found("anglesey").len(), 1);
    assert_eq!(found("city of bradford"), ["Bradford"]);
    assert_eq!(found("Blackpol"), ["Blackpool"]);
    assert_eq!(found("tower & hamlets").len(), 0);
    assert_eq!(found("brighton & hove"), ["Brighton and Hove"]);
    let Found::Named(named) = find("Wyre Council") else {
        panic!("a name")
    };
    assert_eq!(
        named.exact.map(|c| c.locality().name.as_str()),
        Some("Wyre")
    );
    assert!(names(&named.places).contains(&"Wyre Forest"));
    let Found::Named(named) = find("Poole") else {
        panic!("a name")
    };
    assert_eq!(
        names(&named.places),
        ["Bournemouth, Christchurch and Poole"]
    );
    assert_eq!(named.former[0].name, "Poole");
    let Found::Named(named) = find("lancashire county council") else {
        panic!("a name")
    };
    assert_eq!(named.county.map(|c| c.districts.len()), Some(12));
    assert_eq!(find("northern ireland"), Found::Region("Northern Ireland"));
    for nothing in ["", " ", "x", "%", "council of the moon", "'; drop table"] {
        assert!(matches!(find(nothing), Found::Nothing(_)), "{nothing}");
    }
}

#[test]
fn a_family_of_councils_has_no_sisters() {
    let together = LocalityCode::parse("E06000058").expect("a council");
    let family = kin(&together);
    assert!(
        ["E06000028", "E06000029", "E06000058"]
            .iter()
            .all(|c| family.contains(*c))
    );
    let wyre = LocalityCode::parse("E07000128").expect("a council");
    assert_eq!(kin(&wyre).len(), 1);
    assert_eq!(
        former("E06000028").map(|f| f.successors.as_slice()),
        Some([together].as_slice())
    );
}

proptest! {
    #[test]
    fn finding_never_panics(said in "\\PC{0,40}", code in "[a-zA-Z]{1,2}[0-9oO][a-zA-Z0-9]? ?[0-9oO]?[a-zA-Z]{0,3}") {
        let _ = (find(&said), find(&code), rings(&said));
        if let Some(read) = Postcode::read(&code) { prop_assert_eq!(Postcode::read(&read.to_string()), Some(read)); }
    }

    #[test]
    fn spaces_and_capitals_change_nothing(line in 1..12_000usize, unit in "[A-Z]{2}") {
        let sector = SECTORS.lines().nth(line).and_then(|l| Some(l.split_once(',')?.0)).expect("a sector");
        let whole = format!("{sector}{unit}");
        let expected = known(line_of(SECTORS, sector).expect("a line"));
        for said in [whole.clone(), whole.to_lowercase(), whole.replace(' ', ""), format!(" {whole} ")] {
            prop_assert_eq!(Postcode::read(&said).expect("a postcode").places(), expected.clone());
        }
    }
}

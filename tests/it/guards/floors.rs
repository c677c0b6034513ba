//! Stairs only downwards: what each floor may use, read from the sources.
use super::{at, files};

/// A floor, the floors of ours it may use, and the crates that live on other floors only.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    (
        "domain",
        &["domain"],
        &[
            "diesel",
            "actix_web",
            "lettre",
            "handlebars",
            "tokio",
            "tracing",
            "rand",
        ],
    ),
    (
        "store",
        &["store", "domain"],
        &["actix_web", "lettre", "handlebars"],
    ),
    ("mail", &["mail", "domain"], &["actix_web", "diesel"]),
    (
        "casework",
        &["casework", "domain", "store", "mail"],
        &["actix_web", "diesel", "lettre", "handlebars"],
    ),
    (
        "jobs",
        &["jobs", "casework", "domain", "store", "mail"],
        &["actix_web", "diesel", "lettre", "handlebars"],
    ),
    ("web", &["web", "casework", "domain"], &["diesel", "lettre"]),
];

#[test]
fn nothing_reaches_upwards_or_into_another_floors_crates() {
    for (floor, below, elsewhere) in FLOORS {
        for file in files(&format!("src/{floor}"), ".rs") {
            let text = std::fs::read_to_string(&file).expect("a file");
            let code: String = text
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            for reach in code.split("crate::").skip(1) {
                let name: String = reach
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                assert!(
                    below.contains(&name.as_str())
                        || at("src").join(&name).exists() && below.contains(&name.as_str()),
                    "{} uses crate::{name}",
                    file.display()
                );
            }
            for foreign in *elsewhere {
                assert!(
                    !code.contains(&format!("{foreign}::")),
                    "{} uses {foreign}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_environment_and_the_clock_have_one_door_each() {
    for file in files("src", ".rs") {
        let text = std::fs::read_to_string(&file).expect("a file");
        let name = file
            .strip_prefix(at("src"))
            .expect("beneath src")
            .display()
            .to_string();
        assert!(
            name == "config.rs" || !text.contains("std::env::var"),
            "{name} reads the environment"
        );
        assert!(
            name == "domain/time.rs" || !text.contains("Utc::now()"),
            "{name} asks the machine for the time"
        );
    }
}

#[test]
fn every_file_says_what_lives_in_it() {
    for file in files("src", ".rs")
        .into_iter()
        .filter(|f| !f.ends_with("schema.rs"))
    {
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(
            text.starts_with("//!"),
            "{} begins without a word",
            file.display()
        );
    }
}

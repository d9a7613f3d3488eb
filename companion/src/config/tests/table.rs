//! The table of settings against what is read, and against the documents.

use super::*;

#[test]
fn every_setting_is_read_and_documented() {
    let parts = [("DATABASE_URL", ""), ("DB_HOST", "h"), ("DB_USERNAME", "u"), ("DB_NAME", "n")];
    let read = [read_effective::<Config>(&given(&[])), read_effective::<Config>(&given(&parts))];
    let import = read_effective::<ImportSource>(&given(&[("IMPORT_DATABASE_URL", "postgres://u@h/n")]));
    let (_, import) = import.unwrap();
    let read: BTreeSet<_> =
        read.into_iter().flat_map(|read| read.unwrap().1).chain(import).map(|setting| setting.name).collect();
    assert_eq!(read, settings::all().map(|setting| setting.name).collect());

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let words = |text: &str| -> BTreeSet<String> {
        let is_other = |char: char| !char.is_ascii_uppercase() && char != '_';
        text.split(is_other).map(str::to_owned).collect()
    };
    let document = |path: &str| words(&std::fs::read_to_string(root.join(path)).unwrap());
    for path in [".env.example", "docs/reference/settings.md"] {
        let named = document(path);
        for Setting { name, .. } in settings::all() {
            assert!(named.contains(*name), "{path}: {name}");
        }
    }
}

#[test]
fn the_table_names_exactly_the_values_that_are_read() {
    for Setting { name, form, .. } in settings::all() {
        let (accepted, rejected) = match form {
            Form::Number { min, max } => (
                vec![min.to_string(), max.to_string()],
                vec![
                    (max + 1).to_string(),
                    min.checked_sub(1).map_or("-1".to_owned(), |less| less.to_string()),
                ],
            ),
            Form::OneOf(words) => {
                (words.iter().map(ToString::to_string).collect(), vec!["another".to_owned()])
            }
            _ => continue,
        };
        // Lower numbers than in production are accepted in tests, and a port only beside a host.
        let parts = [("APP_ENV", "test"), ("DATABASE_URL", ""), ("DB_HOST", "h"), ("DB_USERNAME", "u")];
        let mistakes = |value: &str| {
            let settings = given(&[&parts[..], &[("DB_NAME", "n"), (name, value)]].concat());
            read::<Config>(&settings).err().map(|mistakes| mistakes.0)
        };
        for value in &accepted {
            assert_eq!(mistakes(value), None, "{name}={value}");
        }
        for value in &rejected {
            let expected = Mistake { subject: (*name).to_owned(), problem: form.problem() };
            assert_eq!(mistakes(value), Some(vec![expected]), "{name}={value}");
        }
    }
}

#[test]
fn every_summary_is_a_sentence_that_fits_a_line() {
    for Setting { name, summary, .. } in settings::all() {
        assert!(summary.ends_with('.') && !summary.contains('\n'), "{name}");
        assert!(summary.chars().count() <= 118, "{name}");
    }
}

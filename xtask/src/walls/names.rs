//! Names in code that are reserved to some modules.

use super::source::Source;

/// Names that only some modules may have.
pub(super) struct Reserved {
    /// Names, as they stand in the code.
    pub(super) names: &'static [&'static str],
    /// Modules that must not have them; without any, all modules.
    pub(super) modules: &'static [&'static str],
    /// Modules, or paths below the crate's folder, that may have them.
    pub(super) except: &'static [&'static str],
    /// Reason.
    pub(super) reason: &'static str,
}

/// Lists the names that stand where they must not.
pub(super) fn find_reserved(sources: &[Source], reserved: &[Reserved]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for Reserved { names, modules, except, reason } in reserved {
            let concerns = modules.is_empty() || modules.iter().any(|module| source.is_in(module));
            if !concerns || except.iter().any(|place| source.is_in(place)) {
                continue;
            }
            let found = names.iter().filter(|name| has_name(&source.code, name));
            faults.extend(found.map(|name| format!("{} names {name}: {reason}", source.path)));
        }
    }
    faults
}

/// `true` if the code has this name. One that is a single identifier stands there whole (`is_unsafe` is not `unsafe`), any
/// other may continue (`sqlx::query` is in `sqlx::query_as`).
fn has_name(code: &str, name: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let is_identifier = name.chars().all(is_part);
    code.match_indices(name).any(|(at, _)| {
        let follows =
            name.starts_with(is_part) && code.get(..at).is_some_and(|before| before.ends_with(is_part));
        let after = code.get(at + name.len()..);
        let continues = is_identifier && after.is_some_and(|after| after.starts_with(is_part));
        !follows && !continues
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_name_is_another_one() {
        for (code, name, expected) in [
            ("unsafe { f() }", "unsafe", true),
            ("#[unsafe(export_name = \"f\")]", "unsafe", true),
            ("if is_unsafe(request) {", "unsafe", false),
            ("unsafe_methods()", "unsafe", false),
            ("let x: Rc<str>", "Rc<", true),
            ("let x: Arc<str>", "Rc<", false),
            ("sqlx::query_as(x)", "sqlx::query", true),
            ("pool.begin()", ".begin()", true),
        ] {
            assert_eq!(has_name(code, name), expected, "{code}");
        }
    }
}

//! Where the functions of a module stand. A host compiles them in their order, and puts what it makes of them side by
//! side in memory: those that every request goes through are not to be strewn among the others, for what a plugin
//! takes is mostly the fetching of its code, page by page, into caches that the rest of the proxy has filled meanwhile.

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module, NameMap, NameSection};
use wasmparser::{
    BinaryReaderError, CodeSectionReader, FunctionSectionReader, KnownCustom, Name, Operator, Parser, Payload,
};

/// The module with the functions of these names, demangled, before all others and in this order; then come those that
/// they call, each behind its caller, and last whatever has nothing to do with them.
pub(super) fn bring_forward(wasm: &[u8], names: &[&str]) -> Result<Vec<u8>> {
    let functions = Functions::read(wasm)?;
    let first: Vec<u32> = names
        .iter()
        .map(|name| {
            let found = functions.names.get(*name).copied();
            found.with_context(|| format!("the compiled filter has no function `{name}`: was it inlined?"))
        })
        .collect::<Result<_>>()?;
    let mut order = first.clone();
    let mut awaited: Vec<u32> = (0..functions.count()).rev().chain(first.iter().rev().copied()).collect();
    let mut is_placed = vec![false; functions.calls.len()];
    while let Some(next) = awaited.pop() {
        if !std::mem::replace(&mut is_placed[next as usize], true) {
            order.extend((!first.contains(&next)).then_some(next));
            awaited.extend(functions.calls[next as usize].iter().rev());
        }
    }
    let places =
        (functions.imported..).zip(&order).map(|(new, old)| (functions.imported + old, new)).collect();
    let mut module = Module::new();
    let mut reorder = Reorder { order, places };
    reorder
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .context("the compiled filter can't be reordered")?;
    Ok(module.finish())
}

/// The names of a module's functions, demangled, in their order.
#[cfg(test)]
pub(super) fn names(wasm: &[u8]) -> Result<Vec<String>> {
    let mut names: Vec<(String, u32)> = Functions::read(wasm)?.names.into_iter().collect();
    names.sort_by_key(|(_, at)| *at);
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

/// The functions of a module, by their numbers without those that are imported.
#[derive(Default)]
struct Functions {
    imported: u32,
    /// Functions that each of them calls.
    calls: Vec<Vec<u32>>,
    /// Of several functions of one name, the first.
    names: HashMap<String, u32>,
}

impl Functions {
    fn count(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    fn read(wasm: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                // The filter imports nothing but functions.
                Payload::ImportSection(imports) => functions.imported = imports.count(),
                Payload::CodeSectionEntry(body) => {
                    let mut calls = Vec::new();
                    for operator in body.get_operators_reader()? {
                        if let Operator::Call { function_index } = operator? {
                            calls.extend(function_index.checked_sub(functions.imported));
                        }
                    }
                    functions.calls.push(calls);
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(names) = section.as_known() else { continue };
                    for part in names {
                        let Name::Function(names) = part? else { continue };
                        for name in names {
                            let name = name?;
                            if let Some(at) = name.index.checked_sub(functions.imported) {
                                let name = format!("{:#}", rustc_demangle::demangle(name.name));
                                functions.names.entry(name).or_insert(at);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(functions)
    }
}

/// Writes a module again with its functions in another order.
struct Reorder {
    /// The old number of each function, without those that are imported.
    order: Vec<u32>,
    /// The new number of each function by its old one.
    places: HashMap<u32, u32>,
}

impl Reencode for Reorder {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.places.get(&old).copied().unwrap_or(old))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for &old in &self.order {
            functions.function(types[old as usize]);
        }
        Ok(())
    }

    /// The names in the order of what they name, as they have to be.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Result<(), Error<Infallible>> {
        let Name::Function(functions) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        let mut sorted = Vec::new();
        for name in functions {
            let name = name?;
            sorted.push((self.function_index(name.index)?, name.name));
        }
        sorted.sort_unstable();
        let mut map = NameMap::new();
        for (at, name) in sorted {
            map.append(at, name);
        }
        names.functions(&map);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies: Vec<_> = section.into_iter().collect::<Result<_, _>>()?;
        for old in self.order.clone() {
            self.parse_function_body(code, bodies[old as usize].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ValType};

    use super::*;

    /// A module whose function `last` calls `first` and both of which are exported.
    fn module() -> Vec<u8> {
        let mut module = walrus::Module::default();
        let kind = module.types.add(&[], &[]);
        module.add_import_func("env", "imported", kind);
        let mut called = None;
        for name in ["first", "middle", "last"] {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
            match called {
                Some(called) => function.func_body().call(called),
                None => function.func_body().i32_const(42),
            };
            function.name(name.to_owned());
            let function = function.finish(vec![], &mut module.funcs);
            module.exports.add(name, function);
            called = called.or(Some(function));
        }
        module.emit_wasm()
    }

    #[test]
    fn functions_change_places_and_what_refers_to_them_follows() {
        let wasm = bring_forward(&module(), &["last", "middle"]).unwrap();
        assert_eq!(names(&wasm).unwrap(), ["last", "middle", "first"]);
        let module = walrus::Module::from_buffer(&wasm).unwrap();
        for export in module.exports.iter() {
            let walrus::ExportItem::Function(function) = export.item else { panic!("a function") };
            assert_eq!(module.funcs.get(function).name.as_ref(), Some(&export.name));
        }
    }

    #[test]
    fn a_function_that_is_not_there_is_named() {
        let error = bring_forward(&module(), &["last", "lost"]).unwrap_err();
        assert_eq!(error.to_string(), "the compiled filter has no function `lost`: was it inlined?");
    }
}

//! Where the functions of a module stand. A host compiles them in their order, and puts what it makes of them side by
//! side in memory: those that every request goes through are not to be strewn among the others, for what a plugin
//! takes is mostly the fetching of its code, page by page, into caches that the rest of the proxy has filled meanwhile.

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{BinaryReaderError, CodeSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload};

/// The module with the functions of these names, demangled, before all others and in this order.
pub(super) fn bring_forward(wasm: &[u8], names: &[&str]) -> Result<Vec<u8>> {
    let functions = Functions::read(wasm)?;
    let first: Vec<u32> = names
        .iter()
        .map(|name| {
            let found = functions.names.get(*name).copied();
            found.with_context(|| format!("the compiled filter has no function `{name}`: was it inlined?"))
        })
        .collect::<Result<_>>()?;
    let others = (0..functions.count).filter(|at| !first.contains(at));
    let order: Vec<u32> = first.iter().copied().chain(others).collect();
    let places = (functions.imported..).zip(&order).map(|(new, old)| (functions.imported + old, new)).collect();
    let mut module = Module::new();
    let mut reorder = Reorder { order, places };
    reorder.parse_core_module(&mut module, Parser::new(0), wasm).context("the compiled filter can't be reordered")?;
    Ok(module.finish())
}

/// The functions of a module, by their numbers without those that are imported.
#[derive(Default)]
struct Functions {
    imported: u32,
    count: u32,
    names: HashMap<String, u32>,
}

impl Functions {
    fn read(wasm: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                // The filter imports nothing but functions.
                Payload::ImportSection(imports) => functions.imported = imports.count(),
                Payload::FunctionSection(section) => functions.count = section.count(),
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(names) = section.as_known() else { continue };
                    for part in names {
                        let Name::Function(names) = part? else { continue };
                        for name in names {
                            let name = name?;
                            if let Some(at) = name.index.checked_sub(functions.imported) {
                                functions.names.insert(format!("{:#}", rustc_demangle::demangle(name.name)), at);
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

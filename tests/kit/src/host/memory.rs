//! Memory of the filter: reads at the filter's pointers, and passes results in memory that the filter allocates. Also the
//! ABI's serialisation of headers.

use wasmtime::{Caller, Extern, Memory};

use super::world::{Headers, World};

/// View of the filter in a host call.
pub(super) type Guest<'a> = Caller<'a, World>;

fn memory(guest: &mut Guest<'_>) -> Memory {
    guest.get_export("memory").and_then(Extern::into_memory).expect("the filter exports its memory")
}

/// Returns the bytes at an address.
pub(super) fn read(guest: &mut Guest<'_>, address: u32, len: u32) -> Vec<u8> {
    let (start, len) = (address as usize, len as usize);
    memory(guest).data(&*guest)[start..start + len].to_vec()
}

/// Returns the text at an address.
pub(super) fn read_text(guest: &mut Guest<'_>, address: u32, len: u32) -> String {
    String::from_utf8(read(guest, address, len)).expect("the filter passes UTF-8")
}

/// Writes bytes to an address.
pub(super) fn write(guest: &mut Guest<'_>, address: u32, bytes: &[u8]) {
    memory(guest).write(guest, address as usize, bytes).expect("the filter passes its own addresses");
}

/// Passes bytes in memory that the filter allocates. Writes their address to `data` and their length to `len`.
pub(super) fn pass_bytes(guest: &mut Guest<'_>, bytes: &[u8], data: u32, len: u32) {
    let size = u32::try_from(bytes.len()).unwrap();
    let allocate = guest.get_export("proxy_on_memory_allocate").and_then(Extern::into_func).unwrap();
    let address = allocate.typed::<u32, u32>(&*guest).unwrap().call(&mut *guest, size).unwrap();
    write(guest, address, bytes);
    write(guest, data, &address.to_le_bytes());
    write(guest, len, &size.to_le_bytes());
}

/// Serialises headers.
pub(super) fn serialize(headers: &Headers) -> Vec<u8> {
    let number = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

/// Reads serialised headers.
pub(super) fn deserialize(bytes: &[u8]) -> Headers {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    if bytes.is_empty() {
        return Headers::new();
    }
    let count = number(0);
    let mut at = 4 + 8 * count;
    let mut text = |len: usize| {
        let text = bytes[at..at + len].to_vec();
        at += len + 1;
        text
    };
    (0..count).map(|pair| (text(number(4 + 8 * pair)), text(number(8 + 8 * pair)))).collect()
}

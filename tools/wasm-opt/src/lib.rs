//! Stands in for the crate `wasm-opt` 0.116, for `substrate-wasm-builder` alone.
//!
//! The real crate compiles Binaryen (about 13 CPU-minutes of C++, measured) for two passes at optimisation level 0:
//! strip DWARF, and lower the sign-extension operators. rustc's target `wasm32v1-none` emits no sign-extension
//! operators, so the second pass has nothing to do, and the first is "drop the custom sections named `.debug_*`",
//! which is all that happens here. [`OptimizationOptions::run`] refuses what is not a well-formed sequence of sections.
//!
//! A release whose wasm is compared with another build's must be built by the same means; see docs/build.md.

use std::{fmt, fs, io, path::Path};

/// The passes that substrate-wasm-builder names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Drop the custom sections with DWARF debug information.
    StripDwarf,
    /// Nothing to do for `wasm32v1-none`, which has no sign-extension operators.
    SignextLowering,
}

/// The options of one run; built by the calls that substrate-wasm-builder makes.
#[derive(Clone, Debug, Default)]
pub struct OptimizationOptions {
    strip: bool,
}

/// Why a file could not be compacted.
#[derive(Debug)]
pub enum OptimizationError {
    /// Reading or writing failed.
    Io(io::Error),
    /// The bytes at this offset are not WebAssembly sections.
    Malformed(usize),
}

impl fmt::Display for OptimizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => write!(f, "cannot read or write the wasm file: {e}"),
            Self::Malformed(at) => write!(f, "not a WebAssembly module: malformed at byte {at}"),
        }
    }
}

impl std::error::Error for OptimizationError {}

impl From<io::Error> for OptimizationError {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

impl OptimizationOptions {
    /// No optimisation, only the passes added.
    pub fn new_opt_level_0() -> Self {
        Self::default()
    }

    /// Accepted and ignored: the target already emits MVP features only.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self
    }

    /// Accepted and ignored: the name section is always kept.
    pub fn debug_info(&mut self, _keep: bool) -> &mut Self {
        self
    }

    /// Adds one pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        self.strip |= pass == Pass::StripDwarf;
        self
    }

    /// Reads `infile`, applies the passes, writes `outfile`.
    ///
    /// # Errors
    /// [`OptimizationError`] if a file cannot be read or written, or the input is not a WebAssembly module.
    pub fn run(&self, infile: impl AsRef<Path>, outfile: impl AsRef<Path>) -> Result<(), OptimizationError> {
        let module = fs::read(infile)?;
        let out = if self.strip { strip_debug_sections(&module)? } else { module };
        fs::write(outfile, out)?;
        Ok(())
    }
}

/// The module without its custom sections whose names start with `.debug_`.
///
/// # Errors
/// [`OptimizationError::Malformed`] with the offset of the first byte that is not a section.
pub fn strip_debug_sections(module: &[u8]) -> Result<Vec<u8>, OptimizationError> {
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;
    if module.get(..4) != Some(b"\0asm") || module.len() < HEADER {
        return Err(OptimizationError::Malformed(0));
    }
    let mut out = module[..HEADER].to_vec();
    let mut at = HEADER;
    while at < module.len() {
        let malformed = OptimizationError::Malformed(at);
        let (size, body) = leb128_u32(module, at + 1).ok_or(OptimizationError::Malformed(at))?;
        let Some(end) = body.checked_add(size).filter(|end| *end <= module.len()) else { return Err(malformed) };
        let debug = module[at] == CUSTOM && {
            let (length, name) = leb128_u32(module, body).ok_or(malformed)?;
            module.get(name..end).and_then(|rest| rest.get(..length)).is_some_and(|name| name.starts_with(b".debug_"))
        };
        if !debug {
            out.extend_from_slice(&module[at..end]);
        }
        at = end;
    }
    Ok(out)
}

/// The unsigned LEB128 number at `at`, and the offset after it.
fn leb128_u32(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![id, body.len() as u8];
        out.extend_from_slice(body);
        out
    }

    fn custom(name: &str, body: &[u8]) -> Vec<u8> {
        let mut inner = vec![name.len() as u8];
        inner.extend_from_slice(name.as_bytes());
        inner.extend_from_slice(body);
        section(0, &inner)
    }

    #[test]
    fn only_debug_sections_go() {
        let head = b"\0asm\x01\0\0\0".to_vec();
        let kept = [section(1, &[1, 0x60, 0, 0]), custom("name", b"n"), custom("runtime_version", b"v")].concat();
        let module = [head.clone(), custom(".debug_info", b"dwarf"), kept.clone(), custom(".debug_line", b"")].concat();
        assert_eq!(strip_debug_sections(&module).unwrap(), [head, kept].concat());
    }

    #[test]
    fn what_is_not_a_module_is_refused_at_its_offset() {
        assert!(matches!(strip_debug_sections(b"ELF"), Err(OptimizationError::Malformed(0))));
        let cut = [b"\0asm\x01\0\0\0".to_vec(), vec![1, 200]].concat();
        assert!(matches!(strip_debug_sections(&cut), Err(OptimizationError::Malformed(8))));
        for end in 0..cut.len() {
            let _ = strip_debug_sections(&cut[..end]);
        }
    }
}

// Checks the fixed vectors of the sealed register in this program's WebAssembly engine: node vectors.mjs MODULE.wasm
// Prints what the module says (seal/vectors/src/lib.rs). The two functions are all that the module needs of its host.
import { readFile } from 'node:fs/promises';

export async function check(module) {
  let memory;
  let next = 0;
  // The module runs once, so nothing is taken back: memory grows by what is asked for.
  const malloc = (bytes) => {
    const at = next || memory.grow(0) * 65536;
    next = at + Math.ceil(bytes / 8) * 8;
    const missing = Math.ceil((next - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    return at;
  };
  const env = { ext_allocator_malloc_version_1: malloc, ext_allocator_free_version_1: () => {} };
  const { instance } = await WebAssembly.instantiate(module, { env });
  memory = instance.exports.memory;
  const result = instance.exports.check(0, 0);
  const [at, length] = [Number(result & 0xffffffffn), Number((result >> 32n) & 0xffffffffn)];
  return new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
}

console.log(await check(await readFile(process.argv[2])));

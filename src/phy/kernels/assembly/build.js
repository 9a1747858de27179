// Compiles the AssemblyScript kernels of this folder into ../*/*-wasm-binary.ts (npm run build:kernels). What it makes is
// committed, so that building the project needs no compiler. With --check: fails where both differ.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Kernels by file name, and the memory pages (64 KiB) each has: never more, never less, but where `most` lets it grow. `shared`: it is given
 * another kernel's memory. They may import each other.
 */
const KERNELS = [
  { name: 'ldpc', pages: 5 },
  { name: 'fft', pages: 4 },
  { name: 'ofdm', pages: 15, most: 160 },
  { name: 'demap', pages: 3 },
  { name: 'equalise', pages: 15, most: 160, shared: true },
  { name: 'lmmse', pages: 2, most: 4096 },
  { name: 'resample', pages: 16 },
  { name: 'rate-match', pages: 5 },
  { name: 'spread', pages: 2 },
  { name: 'modulate', pages: 8 },
  { name: 'dc', pages: 5, most: 32768 },
  { name: 'correlate', pages: 2 },
  { name: 'track', pages: 19 },
  { name: 'ldpc-encode', pages: 1 },
  { name: 'noise', pages: 3 },
  { name: 'taps', pages: 2 },
  { name: 'clock', pages: 4 },
];

const sources = readdirSync(here);

/** Text of the generated module of one kernel. */
async function compileKernel({ name, pages, most = pages, shared = false }) {
  let wasm;
  const options = ['--enable', 'simd', '-O3', '--noAssert', '--runtime', 'stub'];
  const memory = ['--initialMemory', String(pages), '--maximumMemory', String(most)];
  if (shared) memory.push('--importMemory');
  const { error, stderr } = await asc.main([`${name}.ts`, '--outFile', 'out.wasm', ...options, ...memory], {
    readFile: (file) => {
      // The compiler adds an extension to what an import names with one.
      const source = file.replace(/\.ts\.ts$/, '.ts');
      return sources.includes(source) ? readFileSync(join(here, source), 'utf8') : null;
    },
    writeFile: (file, contents) => {
      if (file === 'out.wasm') wasm = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${name}.ts: ${error.message}\n${stderr.toString()}`);
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,112}/g);
  return `// Made from assembly/${name}.ts by npm run build:kernels; do not edit.

/** WebAssembly module, ${wasm.length} bytes, base64. */
export const ${name.toUpperCase().replace('-', '_')}_WASM = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`;
}

const check = process.argv[2] === '--check';
for (const kernel of KERNELS) {
  const text = await compileKernel(kernel);
  const path = join(here, '..', kernel.name, `${kernel.name}-wasm-binary.ts`);
  if (!check) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) throw new Error(`${path} is not what ${kernel.name}.ts compiles to`);
}

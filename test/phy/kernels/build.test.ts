import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the committed WebAssembly is what its source compiles to', () => {
  const build = fileURLToPath(new URL('../../../src/phy/kernels/assembly/build.js', import.meta.url));
  execFileSync(process.execPath, [build, '--check'], { stdio: 'pipe' });
});

// Makes the dashboard's page: page.js, page.css, index.html and its icon, beside the server's code (dist/src/dashboard/web) or in the folder given.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = process.argv[2] ?? join(here, '../../../dist/src/dashboard/web');

mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [
    { in: join(here, 'main.ts'), out: 'page' },
    { in: join(here, 'page.css'), out: 'page' },
  ],
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'inline',
  logLevel: 'warning',
  tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true } },
});
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(here, file), join(folder, file));

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Version of this installation, from the nearest package.json upward (from src and from dist alike). */
export function packageVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (name === 'sct-testbed') return String(version);
    } catch {
      // no package.json here: look further up
    }
    if (dirname(folder) === folder) return 'unknown';
  }
}

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../run/host-facts.ts';

/** What measures: a change of the command line or the dashboard changes no number. */
const ROOMS = ['common', 'experiment', 'link', 'phy', 'radio', 'sct'] as const;
/** What runs, whether it was built or is read by a loader. */
const CODE = /(?<!\.d)\.(js|ts|wasm)$/;

let known: Promise<string> | null = null;

/**
 * What two programs that measure the same have in common, 16 hexadecimal digits: a hash over the modules that measure and the versions of what they
 * use. Of what runs, not of what a commit says: a checkout may have been changed, or pulled and not built.
 */
export function programKey(): Promise<string> {
  known ??= keyOf(join(dirname(fileURLToPath(import.meta.url)), '../../..'));
  return known;
}

/** @param folder that the rooms stand in */
export async function keyOf(folder: string): Promise<string> {
  const { version, dependencies } = JSON.parse(await readFile(join(await packageRoot(), 'package.json'), 'utf8'));
  const hash = createHash('sha256').update(JSON.stringify([version, dependencies]));
  for (const room of ROOMS) await addFolder(hash, folder, room);
  return hash.digest('hex').slice(0, 16);
}

async function addFolder(hash: ReturnType<typeof createHash>, folder: string, inside: string): Promise<void> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${inside}/${entry.name}`;
    if (entry.isDirectory()) await addFolder(hash, folder, path);
    else if (CODE.test(entry.name)) {
      const sha256 = createHash('sha256')
        .update(await readFile(join(folder, path)))
        .digest('hex');
      hash.update(`${path}\0${sha256}\n`);
    }
  }
}

/**
 * Host cost of a recording at 20 Msps, `sct record` against `hackrf_transfer` on the same emulated board: both in a QEMU guest, alternating.
 *
 *   npm run build && node --import tsx bench/radios-clients.ts [--runs 3] [--out bench/results/radios-clients.json]
 *
 * Needs what `npm run test:system` needs (test/system/README.md). The guest's processor is emulated (TCG): CPU seconds are its own, and
 * only their ratio says something of a real one. test/system/measure-host-cost.ts does the work.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { gitFacts, packageRoot } from '../src/experiment/host-facts.ts';

const root = await packageRoot();

function flag(name: string, standard: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? standard : process.argv[at + 1];
}

const words = ['--import', 'tsx', 'test/system/measure-host-cost.ts', flag('runs', '3')];
const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
let text = '';
child.stdout.setEncoding('utf8').on('data', (chunk) => {
  text += chunk;
});
const code = await new Promise((resolve) => child.on('close', resolve));
if (code !== 0) process.exit(1);
const measured = JSON.parse(text) as Record<string, unknown>;
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] };
const command = 'node --import tsx bench/radios-clients.ts';
const file = { schema: 'sct.bench.radios-clients/1', command, machine, git: await gitFacts(root), ...measured };
writeFileSync(join(root, flag('out', 'bench/results/radios-clients.json')), `${JSON.stringify(file, null, 2)}\n`);
process.stdout.write(text);

/**
 * Costs that docs/scale.md calculates with, beside those of bench/sweep-nats.ts: a photo's bursts and what is said back about them, its run directory,
 * a way back over NATS, and what a dashboard sends.
 *
 *   npm run build && node --import tsx bench/scale.ts [--quick] [-o FILE]
 *
 * Needs nats-server; starts its own. JSON on stdout and in bench/results/scale.json (--quick: stdout alone).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { NO_NATS } from './nats-peer.ts';
import { measureLink, measureRun } from './scale/burst.ts';
import { measureFeedback } from './scale/feedback.ts';
import { SCALE_SCHEMA, type ScaleReport } from './scale/report.ts';
import { measureTelemetry } from './scale/telemetry.ts';
import { benchWords, refuse } from './words.ts';

const FILE = import.meta.filename;
const { values } = benchWords(FILE, {
  options: { quick: { type: 'boolean', default: false }, output: { type: 'string', short: 'o' } },
});
if (NO_NATS) refuse(FILE, NO_NATS, 3);
const { quick } = values;
const load: Record<string, number> = {};
const folder = mkdtempSync(join(tmpdir(), 'sct-scale-'));
try {
  const text = `${JSON.stringify(await measure(), null, 2)}\n`;
  const output = values.output ?? (quick ? null : fileURLToPath(new URL('results/scale.json', import.meta.url)));
  if (output) writeFileSync(output, text);
  process.stdout.write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function measure(): Promise<ScaleReport> {
  const seconds = quick ? 3 : 20;
  return {
    schema: SCALE_SCHEMA,
    command: 'node --import tsx bench/scale.ts',
    quick,
    machine: { ...hostFacts(), node: process.version },
    program: await programFacts(),
    link: await part('link', measureLink),
    run: await part('run', () => measureRun(folder)),
    // Bytes and number as a link of 25 subbands says them: a report of its channel 50 times a second. Of many more links in one process the ends
    // could not keep up, and what is sent in heaps costs a server less than what comes one by one.
    feedback: await part('feedback', async () => [
      await measureFeedback(1, 40, 50, seconds),
      await measureFeedback(10, 40, 50, seconds),
    ]),
    telemetry: await part('telemetry', () => measureTelemetry(folder, 30, seconds)),
    load,
  };
}

async function part<T>(name: string, measure: () => Promise<T>): Promise<T> {
  load[name] = Math.round(100 * loadavg()[0]) / 100;
  process.stderr.write(`${name} …\n`);
  return measure();
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FormatError } from '../../../common/errors.ts';
import { packageRoot } from '../../run/host-facts.ts';
import { SEMANTIC_KINDS } from './codec-shelf.ts';
import { check, meanOf } from './figures.ts';
import { find, type Part, type PartContext } from './part.ts';
import type { Series, Trial } from './series.ts';

const run = promisify(execFile);
/** First runs fill the system's file cache and are not counted. */
const WARM_UP = 1;
const RUNS = 5;
const MOST_MS = 4000;
const TIMEOUT_MS = 120_000;

export const latency: Part = {
  name: 'latency',
  title: 'Time of one photo',
  about: `\`sct loopback\` of the demo photo (512x768) with set base, the whole process from start to exit with report: ${RUNS} runs after a first one that fills the file cache. Wall-clock time, so it depends on what else the machine does (load beside the rows).`,
  sets: [],
  conditions: ['photo', 'load'],
  measures: ['milliseconds'],
  units: (scale) =>
    scale.quick
      ? []
      : SEMANTIC_KINDS.map((kind) => ({
          id: `latency-${kind}`,
          cpuSeconds: 1, // in other processes
          run: async (context) => [await timed(kind, context)],
        })),
  view: (all) => ({
    checks: SEMANTIC_KINDS.map((kind) =>
      check('latency', `${kind}: wall-clock time`, 'ms', meanOf(find(all, kind), 'milliseconds'), { most: MOST_MS }),
    ),
    plots: [],
  }),
};

async function timed(kind: string, context: PartContext): Promise<Series> {
  const program = join(await packageRoot(), 'bin/sct.js');
  const folder = await mkdtemp(join(tmpdir(), 'sct-latency-'));
  const trials: Trial[] = [];
  try {
    for (let i = 0; i < WARM_UP + RUNS; i++) {
      const out = join(folder, String(i));
      const started = performance.now();
      const { stdout } = await run(
        process.execPath,
        [program, 'loopback', '--demo', '--codec', kind, '-o', out, '--json'],
        {
          timeout: TIMEOUT_MS,
          maxBuffer: 2 ** 24,
        },
      );
      const milliseconds = performance.now() - started;
      const { ok, codec, psnrDb } = JSON.parse(stdout) as { ok?: unknown; codec?: unknown; psnrDb?: unknown };
      if (ok !== true || codec !== kind || typeof psnrDb !== 'number') {
        throw new FormatError('sct loopback', `gave no picture of codec ${kind}: ${stdout.slice(0, 200)}`);
      }
      if (i >= WARM_UP) trials.push({ picture: 'demo', seed: i - WARM_UP + 1, values: { milliseconds, psnrDb } });
      await context.step(i + 1, WARM_UP + RUNS);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { scheme: kind, conditions: { photo: 'demo, 512x768', load: loadavg()[0].toFixed(1) }, facts: {}, trials };
}

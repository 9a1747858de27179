/**
 * Writes docs/scale.md from bench/results/sweep-nats.json and scale.json: what was measured, and what follows from it for more radios.
 *
 *   node --import tsx bench/scale-page.ts [--check]
 *
 * --check writes nothing and fails when the page differs from what the files say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scalePage } from './scale/page.ts';
import type { ScaleReport } from './scale/report.ts';
import type { SweepNatsReport } from './sweep-nats/report.ts';
import { benchWords, refuse } from './words.ts';

const FILE = import.meta.filename;
const { values } = benchWords(FILE, { options: { check: { type: 'boolean', default: false } } });
const root = join(import.meta.dirname, '..');
const read = <T>(name: string) => JSON.parse(readFileSync(join(root, 'bench/results', name), 'utf8')) as T;
const page = scalePage(read<SweepNatsReport>('sweep-nats.json'), read<ScaleReport>('scale.json'));
const path = join(root, 'docs/scale.md');
if (!values.check) writeFileSync(path, page);
else if (readFileSync(path, 'utf8') !== page)
  refuse(FILE, 'docs/scale.md is not what bench/results says: write it anew');

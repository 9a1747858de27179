/**
 * Speech over the link: STOI and segmental SNR of analog symbols and of the coded reference, what the mapping is worth, and a photo
 * and speech in one budget.
 *
 *     node --import tsx bench/speech.ts --data DIR [--photos DIR] [--part awgn,limits,ideal,mapping,mixed] [--seeds N] [--out FILE]
 *
 * DIR has WAV files. awgn: each with every seed (8), 6 subbands, --per-second symbols (5000). limits: how far the linear code is
 * from what could be. ideal: what the mapping alone is worth, on the true
 * channel without modem and control, --mapping-per-second symbols (2500), 8 seeds. mapping: the same over the link, all files joined, --sfvs (24) and
 * 16 seeds. mixed: the first --count (4) photos of the other folder, each with one file and every seed, in --symbols
 * (40000). Pairs: the same source and seed. Intervals: Student-t, 95 %. FILE (default bench/results/speech.json) keeps the parts that are
 * not measured now.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitFacts, hostFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { AWGN_HEAD, awgnLine, awgnRows } from './speech/awgn.ts';
import { IDEAL_HEAD, idealLine, idealRows } from './speech/ideal.ts';
import { LIMITS_HEAD, limitsLine, limitsRows } from './speech/limits.ts';
import { MAPPING_HEAD, mappingLine, mappingRows } from './speech/mapping.ts';
import { MIXED_HEAD, mixedLine, mixedRows } from './speech/mixed.ts';
import { joined, secondsOf, speechFiles } from './speech/sources.ts';
import { benchWords, numberIn, refuse } from './words.ts';

const SCHEMA = 'sct.bench.speech/1';
const PARTS = ['awgn', 'limits', 'ideal', 'mapping', 'mixed'] as const;
type Part = (typeof PARTS)[number];

const file = import.meta.filename;
const { values } = benchWords(file, {
  options: {
    data: { type: 'string' },
    photos: { type: 'string' },
    seeds: { type: 'string' },
    part: { type: 'string', default: PARTS.join(',') },
    'per-second': { type: 'string', default: '5000' },
    'mapping-per-second': { type: 'string', default: '2500' },
    sfvs: { type: 'string', default: '24' },
    symbols: { type: 'string', default: '40000' },
    count: { type: 'string', default: '4' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/speech.json') },
  },
});
if (values.data === undefined) refuse(file, '--data DIR is missing: a folder of WAV files');
const whole = (name: 'per-second' | 'mapping-per-second' | 'sfvs' | 'symbols' | 'count') =>
  numberIn(file, `--${name}`, values[name], 1);
const seedsOf = (usual: number) => (values.seeds === undefined ? usual : numberIn(file, '--seeds', values.seeds, 2));
const wanted = values.part.split(',');
const unknown = wanted.find((part) => !PARTS.includes(part as Part));
if (unknown !== undefined) refuse(file, `--part: "${unknown}" is not one of ${PARTS.join(', ')}`);
const sources = speechFiles(values.data);
if (sources.length === 0) refuse(file, `--data: ${values.data} has no WAV file`);
if (wanted.includes('mixed') && values.photos === undefined)
  refuse(file, '--photos DIR is missing: mixed needs photos');

interface Measured {
  readonly settings: object;
  readonly made: object;
  readonly rows: readonly object[];
}
interface Results {
  readonly schema: string;
  readonly parts: Partial<Record<Part, Measured>>;
}

/** Measures a part row by row; what there is of it lies in the file after each. */
async function measure<Row extends object>(
  part: Part,
  settings: object,
  head: string,
  measured: AsyncGenerator<Row>,
  line: (row: Row) => string,
): Promise<void> {
  if (!wanted.includes(part)) return;
  console.log(`\n${part} ${JSON.stringify(settings)}\n\n${head}`);
  const { git, node } = { git: await gitFacts(await packageRoot()), node: process.version };
  const rows: Row[] = [];
  for await (const row of measured) {
    rows.push(row);
    console.log(line(row));
    keep(part, { settings, made: { ...(git ? { git } : {}), node, cpu: hostFacts().cpu }, rows });
  }
}

function keep(part: Part, measured: Measured): void {
  const { out } = values;
  const old = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Results) : null;
  const parts = { ...(old?.schema === SCHEMA ? old.parts : {}), [part]: measured };
  writeFileSync(out, `${JSON.stringify({ schema: SCHEMA, parts }, null, 1)}\n`);
}

const awgn = { seeds: seedsOf(8), perSecond: whole('per-second') };
await measure('awgn', { ...awgn, files: sources.length }, AWGN_HEAD, awgnRows({ sources, ...awgn }), awgnLine);

const limits = { perSecond: whole('per-second') };
await measure(
  'limits',
  { ...limits, files: sources.length },
  LIMITS_HEAD,
  limitsRows({ sources, ...limits }),
  limitsLine,
);

const ideal = { seeds: seedsOf(8), perSecond: whole('mapping-per-second') };
await measure('ideal', { ...ideal, files: sources.length }, IDEAL_HEAD, idealRows({ sources, ...ideal }), idealLine);

const all = joined(sources);
const mapping = { seeds: seedsOf(16), perSecond: whole('mapping-per-second'), maxSfvs: whole('sfvs') };
const seconds = secondsOf(all);
await measure('mapping', { ...mapping, seconds }, MAPPING_HEAD, mappingRows({ speech: all, ...mapping }), mappingLine);

if (wanted.includes('mixed')) {
  const photos = [];
  for (const path of (await listImages(values.photos!)).slice(0, whole('count'))) photos.push(await loadImage(path));
  const mixed = { seeds: seedsOf(8), symbols: whole('symbols') };
  const settings = { ...mixed, photos: photos.length, files: sources.length };
  await measure('mixed', settings, MIXED_HEAD, mixedRows({ sources, photos, ...mixed }), mixedLine);
}

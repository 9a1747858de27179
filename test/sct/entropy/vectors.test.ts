import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeClassMap, encodeClassMap } from '../../../src/sct/entropy/class-map-code.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import { syntheticTables } from './synthetic-tables.ts';

interface Stream {
  rows: number;
  columns: number;
  level: number;
  carries?: number;
  salt?: number;
  classes: number[];
  cells: number[];
  symbols: number[];
  classMapBytes: string;
  featureBytes: string;
}
const folder = new URL('../../vectors/entropy/', import.meta.url);
const {
  tables: kept,
  streams,
  differences,
} = JSON.parse(readFileSync(new URL('entropy.json', folder), 'utf8')) as {
  tables: { channels: number; tableOf: number[]; cdfTables: { low: number; frequencies: number[] }[] };
  streams: Stream[];
  differences: { predicted: number[]; differenceOf: number[]; streams: Stream[] };
};

test('vectors: the same bytes as when they were made, and the same numbers from them', () => {
  const plain = syntheticTables(kept.channels);
  const predicting = syntheticTables(kept.channels, 14, differences.predicted);
  for (const t of [plain, predicting]) assert.deepEqual([...t.tableOf], kept.tableOf, 'made from other tables');
  assert.deepEqual([...predicting.differenceOf], differences.differenceOf);
  const all = [
    ...streams.map((s) => ({ s, tables: plain })),
    ...differences.streams.map((s) => ({ s, tables: predicting })),
  ];
  for (const { s, tables } of all) {
    const coder = new FeatureCoder(tables);
    const classMap = { rows: s.rows, columns: s.columns, data: Uint8Array.from(s.classes) };
    const layout = { cells: s.cells, level: s.level, classMap, carries: s.carries, salt: s.salt };
    const symbols = Int16Array.from(s.symbols);
    const [mapBytes, bytes] = [s.classMapBytes, s.featureBytes].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
    assert.deepEqual(encodeClassMap(classMap, tables), mapBytes);
    assert.deepEqual(decodeClassMap(mapBytes, classMap, tables), { ok: true, value: classMap });
    assert.deepEqual(coder.encode(layout, symbols), bytes);
    const unknown = { ...classMap, data: new Uint8Array(classMap.data.length) };
    const known = coder.decodeKnown({ ...layout, classMap: s.carries === undefined ? classMap : unknown }, bytes);
    assert.deepEqual(known.symbols, symbols);
    assert.deepEqual(
      [...known.classes],
      Array.from(s.cells, (at) => s.classes[at]),
    );
    assert.equal(known.embeddings, s.cells.length);
    if (!s.salt) assert.deepEqual(coder.decode(layout, bytes), { ok: true, value: symbols });
    else assert.equal(coder.decodeKnown({ ...layout, salt: s.salt + 1 }, bytes).embeddings, 0);
  }
});

const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['--version']).status === 0);

test('vectors: a second decoder, written from the format in Python, reads the same numbers', {
  skip: python ? false : 'SKIPPED: no python3 on this machine, the second decoder did not run',
}, () => {
  const paths = ['decode.py', 'entropy.json'].map((name) => fileURLToPath(new URL(name, folder)));
  const run = spawnSync(python!, paths, { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.equal(run.stdout.match(/equal/g)?.length, streams.length + differences.streams.length);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BASE_GRAPH_2_TEXT } from '../../../src/phy/fec/ldpc-base-graph-2.ts';
import { EXTENSION_SCHEMA } from '../../../src/phy/frame/extension.ts';
import { AIR_INTERFACE_VERSION, HEADER_SCHEMA } from '../../../src/phy/frame/header.ts';
import { schemaTable } from '../../../src/phy/frame/schema.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { preamble } from '../../../src/phy/sync/preamble.ts';
import { littleEndian, makeVector, quantise } from '../../vectors/air-interface/make.ts';
import { makeStreamVectors } from '../../vectors/air-interface/make-streams.ts';

const folder = new URL('../../vectors/air-interface/', import.meta.url);
const document = readFileSync(new URL('../../../docs/air-interface.md', import.meta.url), 'utf8');

/** What stands between a pair of markers. */
function section(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(document);
  assert.ok(match, `marker ${name}`);
  return match[1].trim();
}

test('the document has the tables of the code', () => {
  assert.ok(document.startsWith(`# The air interface, version ${AIR_INTERFACE_VERSION}\n`));
  assert.equal(section('header-fields'), schemaTable(HEADER_SCHEMA));
  assert.equal(section('extension-fields'), schemaTable(EXTENSION_SCHEMA));
  for (const n of NUMEROLOGIES) {
    const row = [n.id, n.nSubbands, n.fftSize, n.cpLength, n.nCarriers, n.sampleRateHz / 1e6, n.symbolDataRe];
    const rest = [n.headerSymbols, n.segmentLength, n.nSegments, n.trainingGuard, n.preambleLength];
    assert.ok(document.includes(`| ${[...row, ...rest].join(' | ')} |`), `numerology ${n.id}`);
    const signs = Array.from(preamble(n).products, (v) => (v > 0 ? '+' : '-')).join('');
    assert.ok(document.includes(`| ${n.nSegments} | \`${signs}\` |`), `signs of ${n.nSegments} segments`);
  }
  assert.equal(readFileSync(new URL('base-graph-2.txt', folder), 'utf8').trim(), BASE_GRAPH_2_TEXT.trim());
});

test('the committed vectors are what our transmitter makes', () => {
  for (const { file, samples, expected } of [...NUMEROLOGIES.map(makeVector), ...makeStreamVectors(quantise)]) {
    assert.deepEqual(JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8')), expected);
    const committed = readFileSync(new URL(`${file}.ci16`, folder));
    const made = littleEndian(samples);
    assert.equal(committed.length, made.length);
    for (let i = 0; i < committed.length; i += 2) {
      // Another machine's sin and cos may differ in the last digit and so, rarely, a rounding to int16.
      assert.ok(Math.abs(committed.readInt16LE(i) - made.readInt16LE(i)) <= 1, `${file} sample ${i / 4}`);
    }
  }
});

const python = ['/usr/bin/python3', 'python3'].find(
  (path) => spawnSync(path, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0,
);

test('a NumPy receiver written from the document decodes header, extension and 16-QAM payload bit-exact', {
  skip: python ? false : 'SKIPPED: no python3 with numpy on this machine, the independent receiver did not run',
}, () => {
  const source = fileURLToPath(new URL('receiver.py', folder));
  assert.ok(readFileSync(source, 'utf8').split('\n').length <= 300);
  for (const n of NUMEROLOGIES) {
    const name = `numerology-${n.id}`;
    const path = fileURLToPath(new URL(`${name}.ci16`, folder));
    const run = spawnSync(python!, [source, String(n.id), path], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const result = JSON.parse(run.stdout);
    const expected = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    assert.equal(result.header.numerology, expected.numerology);
    assert.equal(result.header.session, expected.session);
    assert.equal(result.header.burst, expected.burst);
    assert.equal(result.header.slotsLess1, 0);
    assert.equal(result.extension, expected.extension);
    assert.equal(result.payload, expected.payload);
  }
});

test('it divides out power levels, follows order and map, reads side information, and decodes the blocks of a data burst and of a retransmission', {
  skip: python ? false : 'SKIPPED: no python3 with numpy on this machine, the independent receiver did not run',
}, () => {
  const source = fileURLToPath(new URL('receiver.py', folder));
  for (const name of ['power', 'retransmission']) {
    const path = fileURLToPath(new URL(`${name}.ci16`, folder));
    const expected = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    const run = spawnSync(python!, [source, String(expected.numerology), path, 'streams'], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const result = JSON.parse(run.stdout);
    assert.equal(result.header.kind, expected.kind);
    assert.equal(result.header.burst, expected.burst);
    assert.equal(result.fields.original, 600);
    assert.deepEqual(result.fields.power, expected.power);
    assert.equal(result.fields.hasTime ? result.fields.time : null, expected.time);
    assert.equal(result.extension, expected.extension);
    assert.deepEqual(result.blocks, expected.blocks);
    assert.equal(result.side, expected.side);
    assert.equal(result.payload, expected.payload);
  }
});

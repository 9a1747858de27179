import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cycles, type FileMap, importGraph } from './architecture/import-graph.ts';
import { forbiddenImports, PACKAGE_HOMES, ROOMS } from './architecture/rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dependencies = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));

/** What is made, fetched or recorded on the spot and never committed. */
const NOT_OURS = /(^|\/)(node_modules|dist|runs|coverage|checkpoints|__pycache__|\.git)$|^captures\/local$/;
const MAX_LINES = 350;

/** Paths of all files under a folder, from the root, with forward slashes. */
function walk(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = relative(root, join(root, folder, entry.name))
      .split(sep)
      .join('/');
    if (NOT_OURS.test(path)) return [];
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}

function sources(...folders: string[]): FileMap {
  const paths = folders.flatMap(walk).filter((path) => /\.[cm]?tsx?$/.test(path));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const product = sources('src', 'hardware', 'bench', 'examples');

test('every import keeps to the rooms and to the homes of the packages', () => {
  assert.ok(product.size > 100, `only ${product.size} files were read`);
  assert.deepEqual(forbiddenImports(product, dependencies), []);
});

test('no files under src import each other in a circle', () => {
  assert.deepEqual(cycles(importGraph(sources('src'))), []);
});

test(`no file under src has more than ${MAX_LINES} lines`, () => {
  const long = [...sources('src')]
    .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  assert.deepEqual(long, []);
});

test('the fixed files and rooms are there', () => {
  const rooms = ['src/radio', 'src/sct', 'src/dashboard', 'hardware', 'captures', 'test'];
  for (const path of ['package.json', 'tsconfig.json']) assert.ok(existsSync(join(root, path)), path);
  for (const room of rooms) assert.ok(walk(room).length > 0, `${room} is empty: git would not keep it`);
});

test('no text file names a path or a registry of the machine it was written on', () => {
  // A path counts where it begins: after a blank, a quote, a bracket, an equals sign, a scheme, or at the start of a line.
  const machinePath = new RegExp(`(^|file://|[\\s"'\`(=[])/(${['work', 'root'].join('|')})/`, 'm');
  const found: string[] = [];
  for (const path of walk('.')) {
    const bytes = readFileSync(join(root, path));
    if (bytes.includes(0)) continue;
    const hit = machinePath.exec(bytes.toString('utf8'));
    if (hit) found.push(`${path}: ${hit[0].trim()}`);
  }
  assert.deepEqual(found, []);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const resolved = Object.entries<{ resolved?: string }>(lock.packages).filter(([, entry]) => entry.resolved);
  assert.deepEqual(resolved, [], 'package-lock.json must not say where packages came from (see .npmrc)');
});

// The checker itself: each case is a tree with one fault; the checker must name that one and nothing else.

const CLEAN: readonly (readonly [string, string])[] = [
  ['src/common/units.ts', 'export const one = 1;'],
  ['src/phy/kernels/fft/fft.ts', "import FFT from 'fft.js';\nexport const fft = FFT;"],
  ['src/phy/ofdm.ts', "import { fft } from './kernels/fft/fft.ts';\nexport const modulate = fft;"],
  [
    'src/sct/image.ts',
    "import sharp from 'sharp';\nimport { one } from '../common/units.ts';\nexport default sharp(one);",
  ],
  ['src/radio/radio.ts', "import { open } from 'node:fs/promises';\nexport type Radio = typeof open;"],
  ['src/link/events.ts', 'export type Event = { n: number };'],
  ['src/link/feedback-socket.ts', "import { WebSocket } from 'ws';\nexport const socket = WebSocket;"],
  ['src/link/link.ts', "export { modulate } from '../phy/ofdm.ts';\nexport { type Radio } from '../radio/radio.ts';"],
  ['src/experiment/run.ts', "import { fft } from '../phy/kernels/fft/fft.ts';\nexport const run = fft;"],
  ['src/dashboard/frames.ts', 'export const frame = 1;'],
  ['src/dashboard/server.ts', "import type { Event } from '../link/events.ts';\nexport type Hub = Event;"],
  ['src/dashboard/web/main.ts', "import { frame } from '../frames.ts';\nexport const main = frame;"],
  ['src/cli/main.ts', "import { run } from '../experiment/run.ts';\nexport const main = run;"],
  ['src/index.ts', "export * from './link/link.ts';"],
  ['hardware/emulated/pluto.ts', "import type { Radio } from '../../src/radio/radio.ts';\nexport type Pluto = Radio;"],
  ['bench/fft.ts', "import { run } from '../src/experiment/run.ts';\nrun;"],
  ['examples/loopback.ts', "import { modulate } from '../src/index.ts';\nmodulate;"],
];

function planted(path: string, text: string): string[] {
  return forbiddenImports(new Map([...CLEAN, [path, text]]), dependencies);
}

test('the checker accepts a tree that keeps the rules', () => {
  assert.deepEqual(forbiddenImports(new Map(CLEAN), dependencies), []);
  assert.deepEqual(cycles(importGraph(new Map(CLEAN))), []);
});

const FAULTS: readonly (readonly [path: string, text: string, says: RegExp])[] = [
  ['src/common/bad.ts', "import { x } from '../phy/ofdm.ts';", /common may import only itself/],
  ['src/phy/bad.ts', "import type { Radio } from '../radio/radio.ts';", /phy may import only common/],
  ['src/phy/bad.ts', "import { readFile } from 'node:fs';", /no I\/O/],
  ['src/phy/bad.ts', "import FFT from 'fft.js';", /fft\.js may be imported only/],
  ['src/radio/bad.ts', "import { modulate } from '../phy/ofdm.ts';", /radio may import only common/],
  ['src/sct/bad.ts', "const phy = await import('../phy/ofdm.ts');", /sct may import only common/],
  ['src/link/bad.ts', "export * from '../experiment/run.ts';", /link may import only/],
  ['src/link/bad.ts', "import sharp from 'sharp';", /sharp may be imported only/],
  ['src/link/events-socket.ts', "import { WebSocket } from 'ws';", /ws may be imported only/],
  ['src/experiment/bad.ts', "type T = import('../cli/main.ts').T;", /experiment may import only/],
  ['src/experiment/bad.ts', "new Worker(new URL('../cli/main.ts', import.meta.url));", /experiment may import only/],
  ['src/cli/bad.ts', "import { usb } from 'usb';", /usb may be imported only/],
  ['src/dashboard/bad.ts', "import { socket } from '../link/feedback-socket.ts';", /only types from link/],
  ['src/dashboard/bad.ts', "import { run } from '../experiment/run.ts';", /dashboard may import only/],
  ['src/dashboard/web/bad.ts', "import { Hub } from '../server.ts';", /the page may import only/],
  ['src/dashboard/web/bad.ts', "import { Event } from '../../link/events.ts';", /the page may import only/],
  ['src/dashboard/web/bad.ts', "import { readFile } from 'node:fs';", /the page may import only lit and uplot/],
  ['src/dashboard/web/bad.ts', "import express from 'express';", /the page may import only lit and uplot/],
  ['src/dashboard/bad.ts', "import { html } from 'lit';", /not among package\.json's dependencies/],
  ['src/index.ts', "export * from './experiment/run.ts';", /library may import only/],
  ['hardware/emulated/bad.ts', "import { x } from '../../src/phy/ofdm.ts';", /emulated may import only/],
  ['bench/bad.ts', "import { main } from '../src/cli/main.ts';", /bench may import only/],
  ['examples/bad.ts', "import { x } from '../src/link/link.ts';", /examples may import only library/],
  ['src/sct/bad.ts', "import { x } from '../../test/helpers.ts';", /must not import test code/],
  ['src/sct/bad.ts', "import express from 'left-pad';", /not among package\.json's dependencies/],
  ['src/sct/bad.ts', "import { x } from './missing.ts';", /no such file/],
  ['src/sct/bad.ts', "import { readFile } from 'fs';", /write it as node:fs/],
  ['src/extra/bad.ts', 'export {};', /stands in no room/],
];

for (const [path, text, says] of FAULTS) {
  test(`the checker finds in ${path}: ${text}`, () => {
    const problems = planted(path, text);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0], says);
    assert.ok(problems[0].startsWith(path));
  });
}

test('words of an import in a comment or a string are not an import', () => {
  assert.deepEqual(planted('src/common/ok.ts', "// import 'sharp'\nexport const text = \"import 'usb'\";"), []);
});

test('the checker finds circles, of types too, and files that import themselves', () => {
  const circle = new Map([
    ['src/phy/a.ts', "import { b } from './b.ts';"],
    ['src/phy/b.ts', "import { c } from './c.ts';"],
    ['src/phy/c.ts', "import type { A } from './a.ts';"],
    ['src/phy/d.ts', "import { a } from './a.ts';\nimport { d } from './d.ts';"],
  ]);
  const found = cycles(importGraph(circle)).sort((x, y) => y.length - x.length);
  assert.deepEqual(found, [['src/phy/a.ts', 'src/phy/b.ts', 'src/phy/c.ts'], ['src/phy/d.ts']]);
});

test('every room of the table and every package with a home exists', () => {
  for (const allowed of Object.values(ROOMS)) for (const room of allowed) assert.ok(room in ROOMS, room);
  for (const name of Object.keys(PACKAGE_HOMES)) assert.ok(dependencies.has(name), name);
});

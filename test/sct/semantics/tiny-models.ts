import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { contractOf, type NetworkRole } from '../../../src/sct/semantics/model-contract.ts';
import { setHash } from '../../../src/sct/semantics/model-set.ts';
import { COARSE_CONTEXTS, FINE_CONTEXTS } from '../../../src/sct/semantics/model-tables.ts';
import { type ModelSpec, type NodeSpec, onnxModel, type WeightSpec } from './onnx-writer.ts';

/** Networks of one linear layer each that obey the contract: a whole model set of some kilobytes for tests. */

export const TINY_CHANNELS = 4;
/** Those of a set without `features`, as sets were before there was one. */
export const TINY_ROLES: readonly NetworkRole[] = [
  'analysis',
  'synthesis',
  'symbol-encoder',
  'symbol-decoder',
  'labels',
  'labels-vjp',
  'saliency',
  'corrector',
  'generator',
];

/** Weight i of a layer: a fixed sequence in -0.05..0.05. */
export function tinyWeight(i: number, seed: number): number {
  return (((i * 7919 + seed * 104729) % 1009) / 1009 - 0.5) * 0.1;
}

function weight(name: string, shape: readonly number[], seed: number): WeightSpec {
  const length = shape.reduce((a, b) => a * b, 1);
  return { name, shape, data: Float32Array.from({ length }, (_, i) => tinyWeight(i, seed)) };
}

const conv = (x: string, w: string, y: string, stride = 1): NodeSpec => ({
  op: 'Conv',
  inputs: [x, w],
  outputs: [y],
  attributes: { strides: [stride, stride] },
});
const up = (x: string, w: string, y: string, stride: number): NodeSpec => ({
  ...conv(x, w, y, stride),
  op: 'ConvTranspose',
});
const mean = (x: string, y: string): NodeSpec => ({
  op: 'ReduceMean',
  inputs: [x],
  outputs: [y],
  attributes: { axes: [2, 3], keepdims: 0 },
});
const zero: WeightSpec = { name: 'zero', shape: [1], data: new Float32Array(1) };
const choose = (plane: string, yes: string, no: string, out: string): NodeSpec[] => [
  { op: 'Greater', inputs: [plane, 'zero'], outputs: [`${out}Mask`] },
  { op: 'Where', inputs: [`${out}Mask`, yes, no], outputs: [out] },
];

/** The network of a role as a specification that tests can change. */
export function tinyNetwork(role: NetworkRole, channels = TINY_CHANNELS): ModelSpec {
  const c = channels;
  const body: Record<string, { nodes: NodeSpec[]; weights: WeightSpec[] }> = {
    analysis: { nodes: [conv('image', 'a', 'y', 16)], weights: [weight('a', [c, 3, 16, 16], 1)] },
    synthesis: { nodes: [up('yHat', 'a', 'image', 16)], weights: [weight('a', [c, 3, 16, 16], 2)] },
    'symbol-encoder': { nodes: [conv('y', 'a', 'z')], weights: [weight('a', [384, c, 1, 1], 3)] },
    'symbol-decoder': {
      nodes: [
        conv('received', 'a', 'r'),
        { op: 'Mul', inputs: ['r', 'scale'], outputs: ['yHat'] },
        conv('yHat', 'b', 'quality'),
      ],
      weights: [weight('a', [c, 384, 1, 1], 4), weight('b', [1, c, 1, 1], 5)],
    },
    labels: {
      nodes: [
        up('y', 'a', 'maps', 4),
        ...[conv('y', 'b', 'p'), mean('p', 'presence')],
        ...[conv('y', 'c', 'clusters'), conv('y', 'd', 's'), mean('s', 'street')],
      ],
      weights: [
        ...[weight('a', [c, 11, 4, 4], 6), weight('b', [11, c, 1, 1], 7)],
        ...[weight('c', [32, c, 1, 1], 8), weight('d', [1, c, 1, 1], 9)],
      ],
    },
    'labels-vjp': { nodes: [conv('dMaps', 'a', 'dY', 4)], weights: [weight('a', [c, 11, 4, 4], 6)] },
    saliency: { nodes: [up('y', 'a', 'map', 4)], weights: [weight('a', [c, 1, 4, 4], 10)] },
    corrector: {
      nodes: [
        ...choose('damage', 'reference', 'yHat', 'yHatOut'),
        ...choose('damage', 'strength', 'quality', 'qualityOut'),
      ],
      weights: [zero],
    },
    generator: { nodes: choose('missing', 'zero', 'yHat', 'yOut'), weights: [zero] },
    features: { nodes: [{ op: 'Add', inputs: ['yHat', 'quality'], outputs: ['y'] }], weights: [] },
  };
  const { nodes, weights } = body[role];
  return { ...contractOf(role, channels), nodes, weights };
}

/** A valid tables.json for so many channels, as an object. */
export function tinyTables(channels = TINY_CHANNELS) {
  const rows = <T>(length: number, f: (i: number) => T) => Array.from({ length }, (_, i) => f(i));
  const colour = (i: number) => [i * 5, 255 - i * 5, 40];
  return {
    schema: 'sct-model-tables/1',
    channels,
    classes: 16,
    kMax: 192,
    kSet: [0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192],
    theta0: 0.02,
    activityEdges: rows(15, (i) => 20 + 40 * i),
    variance: rows(16, (i) => rows(channels, (c) => (i + 1) / (c + 1))),
    stepBase: rows(channels, () => 1),
    cdfTables: [{ low: -1, frequencies: [10000, 45536, 9999, 1] }],
    tableOf: rows(14, () => rows(16, () => rows(channels, () => 0))),
    bitsOf: rows(14, (l) => rows(16, (c) => 16 * (14 - l) * (c + 1))),
    symbolRate: rows(36, (i) => rows(16, (c) => (36 - i) * c)),
    classContext: {
      fine: rows(FINE_CONTEXTS, () => rows(16, () => 256)),
      coarse: rows(COARSE_CONTEXTS, () => rows(8, () => 512)),
    },
    labels: {
      names: ['sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian', 'bicyclist'],
      clusterColours: rows(32, colour),
      palette: rows(43, colour),
    },
  };
}

/** One file before it is written. */
export interface TinyFile {
  readonly role: NetworkRole | 'tables';
  readonly bytes: Uint8Array;
  /** Changes to its entry in models.json, hash of the set included. */
  readonly entry?: Readonly<Record<string, unknown>>;
}

/** The files of a whole set; `change` replaces the specification of a network. */
export function tinyFiles(change: Partial<Record<NetworkRole, ModelSpec>> = {}, channels = TINY_CHANNELS): TinyFile[] {
  return [
    ...TINY_ROLES.map((role) => ({ role, bytes: onnxModel(change[role] ?? tinyNetwork(role, channels)) })),
    { role: 'tables', bytes: new TextEncoder().encode(JSON.stringify(tinyTables(channels))) },
  ];
}

/** Writes a set and its models.json (hashes over the bytes given, whatever they are); returns models.json's object. */
export function writeTinySet(dir: string, files = tinyFiles(), name = 'tiny', channels = TINY_CHANNELS) {
  const entries = files.map(({ role, bytes, entry }) => {
    const file = role === 'tables' ? 'tables.json' : `${role}.onnx`;
    const path = join(dir, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    const contract = role === 'tables' ? { inputs: [], outputs: [] } : contractOf(role, channels);
    return {
      name: file,
      role: role as string,
      path: `${name}/${file}`,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      opset: role === 'tables' ? null : 13,
      ...contract,
      parameters: 1,
      data: 'none',
      steps: 0,
      seed: 0,
      licence: 'MIT',
      quality: {},
      card: null,
      ...entry,
    };
  });
  const sha256 = setHash(entries);
  const set = { name, version: 1, id: sha256.slice(0, 8), sha256, channels, files: entries };
  const manifest = { schema: 'sct-models/1', version: 1, sets: [set] };
  writeManifest(dir, manifest);
  return manifest;
}

export function writeManifest(dir: string, manifest: unknown): void {
  writeFileSync(join(dir, 'models.json'), JSON.stringify(manifest));
}

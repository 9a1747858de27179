import { FormatError, UsageError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, type JsonObject, orNull } from '../../common/json-input.ts';
import { MAX_DATA_SLOTS } from '../../link/plan/budget-split.ts';
import { RB_DATA_RE } from '../../phy/numerology.ts';
import { MAX_SFVS } from '../../sct/partition/label-map-code.ts';
import { decodePartition, type Partition } from '../../sct/partition/partition.ts';
import { placementOf } from '../report/rb-shares.ts';
import type { PlacedBurst, SemanticData } from '../report/semantic-data.ts';

export const SEMANTICS_SCHEMA = 'sct.semantics/1';
/** Largest semantics.json that is read: 512 x 512 cells have 1.4 MB of importance. */
export const MAX_SEMANTICS_JSON = 4 * 2 ** 20;
const MAX_BURSTS = 256;
const MAX_GRID = 512;

/** What only the sender knows of the SFVs: semantics.json of a run, which a replay reads again. The models' labels are not in it. */
export interface SemanticFacts extends Omit<SemanticData, 'labels' | 'partition'> {
  readonly partition: Partition;
}

/** JSON of semantics.json; numbers of the maps as base64: importance little-endian float32. */
export function semanticFactsJson(facts: SemanticFacts): JsonObject {
  const { partition: p, scores, importance } = facts;
  return {
    schema: SEMANTICS_SCHEMA,
    rows: p.rows,
    columns: p.columns,
    partition: base64(p.bytes),
    // Selective mode cuts and renumbers what is sent (ADR 0015): then the cells' SFVs as well.
    sfvOf: sameCells(p, decodePartition(p.bytes, p)) ? null : base64(p.sfvOf),
    scores: scores ? base64(scores) : null,
    ranking: facts.ranking ?? null,
    importance: importance ? base64(littleEndian(importance)) : null,
    bursts: facts.bursts.map(({ map, ...b }) => ({
      ...b,
      layout: map.layout,
      subbandOrder: [...map.subbandOrder],
      sfvOrder: [...map.sfvOrder],
      reCounts: [...map.reCounts],
    })),
    sideSplit: facts.sideSplit ?? null,
    settings: facts.settings,
    timingsMs: facts.timingsMs,
  };
}

/** Checks a semantics.json: every length against the partition and the bursts. FormatError names the field. */
export function parseSemanticFacts(value: unknown): SemanticFacts {
  const o = asObject('semantics.json', value);
  if (o.schema !== SEMANTICS_SCHEMA) throw new FormatError('schema', `must be ${SEMANTICS_SCHEMA}`);
  const rows = whole('rows', o.rows, 1, MAX_GRID);
  const columns = whole('columns', o.columns, 1, MAX_GRID);
  const sent = decodePartition(bytesOf('partition', o.partition, 4095), { rows, columns });
  const sfvOf = orNull('sfvOf', o.sfvOf ?? null, (field, v) => bytesOf(field, v, rows * columns));
  const partition = sfvOf ? renumbered(sent, sfvOf) : sent;
  const sfvs = partition.sfvs.length;
  const importance = orNull('importance', o.importance, (field, v) => floats(field, v, rows * columns));
  const scores = orNull('scores', o.scores, (field, v) => bytesOf(field, v, MAX_SFVS));
  if (scores && scores.length !== sfvs)
    throw new FormatError('scores', `${scores.length}, the partition has ${sfvs} SFVs`);
  return {
    partition,
    scores: scores ?? undefined,
    ranking: orNull('ranking', o.ranking, (field, v) => distinct(field, v, sfvs)) ?? undefined,
    importance: importance ?? undefined,
    bursts: asArray('bursts', o.bursts, MAX_BURSTS).map((b, i) => burstOf(`bursts[${i}]`, b, sfvs)),
    sideSplit: orNull('sideSplit', o.sideSplit, splitOf) ?? undefined,
    settings: settingsOf('settings', o.settings),
    timingsMs: numbersOf('timingsMs', o.timingsMs),
  };
}

function sameCells(a: Partition, b: Partition): boolean {
  return a.sfvs.length === b.sfvs.length && a.sfvOf.every((id, at) => id === b.sfvOf[at]);
}

/** The partition with other SFVs, each of one label and at least one cell, numbered without gaps. FormatError otherwise. */
function renumbered(sent: Partition, sfvOf: Uint8Array): Partition {
  if (sfvOf.length !== sent.sfvOf.length)
    throw new FormatError('sfvOf', `${sfvOf.length} cells, the grid has ${sent.sfvOf.length}`);
  const count = sfvOf.reduce((most, id) => Math.max(most, id), 0) + 1;
  if (count > MAX_SFVS) throw new FormatError('sfvOf', `${count} SFVs, at most ${MAX_SFVS} allowed`);
  const cells = new Uint32Array(count);
  const label = new Uint8Array(count);
  sfvOf.forEach((id, at) => {
    if (cells[id]++ === 0) label[id] = sent.labels[at];
    else if (label[id] !== sent.labels[at]) throw new FormatError('sfvOf', `SFV ${id} has cells of several labels`);
  });
  if (cells.includes(0)) throw new FormatError('sfvOf', `SFV ${cells.indexOf(0)} has no cell`);
  return { ...sent, sfvOf, sfvs: Array.from(cells, (n, id) => ({ id, label: label[id], cells: n })) };
}

function burstOf(field: string, value: unknown, sfvs: number): PlacedBurst {
  const o = asObject(field, value);
  const subbands = whole(`${field}.subbands`, o.subbands, 1, 255);
  const sfvOrder = distinct(`${field}.sfvOrder`, o.sfvOrder, sfvs);
  const most = MAX_DATA_SLOTS * subbands * RB_DATA_RE;
  const counts = asArray(`${field}.reCounts`, o.reCounts, MAX_SFVS).map((n, i) =>
    whole(`${field}.reCounts[${i}]`, n, 0, most),
  );
  if (o.layout !== 'ordered' && o.layout !== 'interleaved')
    throw new FormatError(`${field}.layout`, 'ordered or interleaved');
  const burst: PlacedBurst = {
    burst: whole(`${field}.burst`, o.burst, 0, 2 ** 16),
    subbands,
    slots: whole(`${field}.slots`, o.slots, 1, MAX_DATA_SLOTS),
    reservedRe: whole(`${field}.reservedRe`, o.reservedRe, 0, most),
    map: {
      layout: o.layout,
      subbandOrder: Uint8Array.from(distinct(`${field}.subbandOrder`, o.subbandOrder, subbands)),
      sfvOrder: Uint8Array.from(sfvOrder),
      reCounts: Uint32Array.from(counts),
    },
  };
  try {
    placementOf(burst, RB_DATA_RE);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new FormatError(field, error.message);
  }
  return burst;
}

const SPLIT_KEYS = ['header', 'sfvTable', 'partition', 'classMap', 'total'] as const;

function splitOf(field: string, value: unknown) {
  const o = asObject(field, value);
  const entries = SPLIT_KEYS.map((k) => [k, whole(`${field}.${k}`, o[k], 0, 2 ** 20)] as const);
  return Object.fromEntries(entries) as Record<(typeof SPLIT_KEYS)[number], number>;
}

function settingsOf(field: string, value: unknown): SemanticFacts['settings'] {
  const entries = entriesOf(field, value);
  for (const [key, v] of entries) {
    if (typeof v === 'string') asString(`${field}.${key}`, v, 1000);
    else if (typeof v !== 'boolean') asNumber(`${field}.${key}`, v);
  }
  return Object.fromEntries(entries) as SemanticFacts['settings'];
}

function numbersOf(field: string, value: unknown): Record<string, number> {
  return Object.fromEntries(entriesOf(field, value).map(([key, v]) => [key, asNumber(`${field}.${key}`, v)]));
}

function entriesOf(field: string, value: unknown): [string, unknown][] {
  const entries = Object.entries(asObject(field, value));
  if (entries.length > 64) throw new FormatError(field, `${entries.length} entries, at most 64 allowed`);
  return entries;
}

/** Different whole numbers below `count`. */
function distinct(field: string, value: unknown, count: number): number[] {
  const list = asArray(field, value, count).map((n, i) => whole(`${field}[${i}]`, n, 0, count - 1));
  if (new Set(list).size !== list.length) throw new FormatError(field, 'names one twice');
  return list;
}

function whole(field: string, value: unknown, min: number, max: number): number {
  const n = asNumber(field, value);
  if (!Number.isInteger(n) || n < min || n > max) throw new FormatError(field, `${n}, allowed ${min} to ${max}`);
  return n;
}

function bytesOf(field: string, value: unknown, most: number): Uint8Array {
  const text = asString(field, value, Math.ceil(most / 3) * 4);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new FormatError(field, 'not base64');
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (bytes.length > most) throw new FormatError(field, `${bytes.length} bytes, at most ${most} allowed`);
  return bytes;
}

function floats(field: string, value: unknown, count: number): Float32Array {
  const bytes = bytesOf(field, value, 4 * count);
  if (bytes.length !== 4 * count) throw new FormatError(field, `${bytes.length} bytes, ${4 * count} expected`);
  const view = new DataView(bytes.buffer);
  const out = Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
  if (out.some((v) => !(v >= 0 && v <= 1))) throw new FormatError(field, 'is not between 0 and 1 everywhere');
  return out;
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((v, i) => {
    view.setFloat32(4 * i, v, true);
  });
  return new Uint8Array(view.buffer);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

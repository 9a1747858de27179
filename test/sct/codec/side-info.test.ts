import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  decodeSideInfo,
  encodeSideInfo,
  type IntegratedSide,
  LEVEL_NOT_SENT,
  MAX_SIDE_BYTES,
  type ModularSide,
  type SideInfo,
  sideSplit,
} from '../../../src/sct/codec/side-info.ts';
import {
  applySelection,
  classesOfOthers,
  flatClassMap,
  keptCount,
  knownClasses,
  type Selection,
  withKnown,
} from '../../../src/sct/codec/side-selection.ts';
import { encodeClassMap } from '../../../src/sct/entropy/class-map-code.ts';
import { adoptPartition } from '../../../src/sct/partition/partition.ts';
import { gridOf } from '../../../src/sct/semantics/feature-map.ts';
import { parseModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { tinyTables } from '../semantics/tiny-models.ts';

const tables = parseModelTables(tinyTables(), { file: 'tables.json' });

/** Side information of a made-up picture: blocks of labels, classes that follow them. */
function sample(kind: SideInfo['kind'], widthPx: number, heightPx: number, seed: number): SideInfo {
  const grid = gridOf({ widthPx, heightPx });
  const random = new RandomStream(seed);
  const cells = grid.rows * grid.columns;
  const labels = Uint8Array.from({ length: cells }, (_, i) => 11 + ((((i % grid.columns) >> 2) + (i >> 5) + seed) % 5));
  const { partition } = adoptPartition({ ...grid, data: labels });
  const n = partition.sfvs.length;
  const classMap = { ...grid, data: labels.map((l) => 2 * (l - 11) + (random.integer(9) === 0 ? 2 : 0)) };
  const base = { mode: 'overall', widthPx, heightPx, csiCode: random.integer(256), partition, classMap } as const;
  if (kind === 'modular') {
    const levels = Uint8Array.from({ length: n }, () =>
      random.integer(5) === 0 ? LEVEL_NOT_SENT : random.integer(14),
    );
    const classes = Uint8Array.from({ length: n }, () => 2 * random.integer(8));
    return { ...base, kind, levels, classes, classMap: flatClassMap(partition, classes) };
  }
  const sfvScales = Uint8Array.from({ length: n }, () => random.integer(128));
  return { ...base, kind, thetaLevel: random.integer(36), powerCode: random.integer(256), sfvScales };
}

/** The same picture in selective mode: some SFVs kept, now and then cut by a rectangle, now and then with a reference. */
function selective<T extends SideInfo>(side: T, seed: number): T {
  const random = new RandomStream(seed).fork('selective');
  const { rows, columns } = side.partition;
  const column = random.integer(columns);
  const row = random.integer(rows);
  const box = { column, row, columns: 1 + random.integer(columns - column), rows: 1 + random.integer(rows - row) };
  const rectangle = random.integer(2) === 0 ? undefined : box;
  const count = (kept: Uint8Array) => applySelection(side.partition, { kept, rectangle }).partition.sfvs.length;
  let n = side.partition.sfvs.length;
  for (;;) {
    try {
      n = count(new Uint8Array(n));
      break;
    } catch (error) {
      assert.ok(error instanceof UsageError);
      n++;
    }
  }
  const kept = Uint8Array.from({ length: n }, () => random.integer(2));
  kept[random.integer(n)] = 1;
  const { partition } = applySelection(side.partition, { kept, rectangle });
  const sent = kept.reduce((a, b) => a + b, 0);
  const selection: Selection = { kept, rectangle, classes: classesOfOthers(partition, side.classMap, sent) };
  const entries = <E extends number>(code: () => E, none: E) =>
    Uint8Array.from({ length: n }, (_, i) => (i < sent ? code() : none));
  const table =
    side.kind === 'integrated'
      ? { sfvScales: entries(() => random.integer(128), 0) }
      : { levels: entries(() => random.integer(14), LEVEL_NOT_SENT), classes: entries(() => 2 * random.integer(8), 0) };
  let classMap = withKnown(side.classMap, knownClasses(partition, selection));
  if (table.classes) {
    table.classes.set(selection.classes, sent);
    classMap = flatClassMap(partition, table.classes);
  }
  const reference = random.integer(2) === 0 ? {} : { referenceId: random.uint32() };
  return { ...side, ...table, ...reference, mode: 'selective', selection, partition, classMap };
}

test('what is written is read, for both codecs and any size', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('integrated', 'modular'),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.boolean(),
      (kind, width, height, seed, some) => {
        const whole = sample(kind as SideInfo['kind'], width, height, seed);
        const side = some ? selective(whole, seed) : whole;
        const { selection } = side;
        const known = selection && knownClasses(side.partition, selection);
        const bytes = encodeSideInfo(side, tables);
        assert.deepEqual(decodeSideInfo(bytes, tables), side);
        const split = sideSplit(
          side.kind,
          side.partition.sfvs.length,
          side.partition.bytes.length,
          kind === 'modular' ? 0 : encodeClassMap(side.classMap, tables, known).length,
          {
            selection: selection && { kept: keptCount(selection), rectangle: selection.rectangle !== undefined },
            reference: side.referenceId !== undefined,
          },
        );
        assert.equal(split.total, bytes.length);
      },
    ),
    { numRuns: 80 },
  );
});

test('the header is fixed to the bit', () => {
  const side = sample('integrated', 48, 32, 3) as IntegratedSide;
  const n = side.partition.sfvs.length;
  const bytes = encodeSideInfo({ ...side, csiCode: 0xa5, thetaLevel: 33, powerCode: 0x81 }, tables);
  const bits = [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('');
  const field = (value: number, width: number) => value.toString(2).padStart(width, '0');
  const expected =
    '00' +
    '0' +
    '0' +
    field(47, 13) +
    field(31, 13) +
    field(n - 1, 8) +
    field(0xa5, 8) + // kind, mode, reference, size, SFVs, CSI
    field(side.partition.bytes.length, 12) +
    field(33, 6) +
    field(0x81, 8);
  assert.equal(bits.slice(0, expected.length), expected);
  assert.equal(bits.slice(expected.length, expected.length + 7), field(side.sfvScales[0], 7));
});

test('fields out of range are refused when written', () => {
  const side = sample('integrated', 64, 64, 1) as IntegratedSide;
  const bad: Partial<IntegratedSide>[] = [
    { widthPx: 8193 },
    { thetaLevel: 36 },
    { csiCode: 256 },
    { powerCode: -1 },
    { sfvScales: new Uint8Array(side.sfvScales.length + 1) },
    { sfvScales: side.sfvScales.map(() => 128) },
    { mode: 'selective' },
    { referenceId: 2 ** 32 },
    { partition: (sample('integrated', 80, 64, 1) as IntegratedSide).partition },
  ];
  for (const change of bad) assert.throws(() => encodeSideInfo({ ...side, ...change }, tables), UsageError);
  const modular = sample('modular', 64, 64, 1) as ModularSide;
  assert.throws(
    () => encodeSideInfo({ ...modular, levels: modular.levels.map(() => tables.levels) }, tables),
    UsageError,
  );
});

/** The field that decoding complains about. */
function fieldOf(bytes: Uint8Array): string {
  try {
    decodeSideInfo(bytes, tables);
  } catch (error) {
    assert.ok(error instanceof FormatError, String(error));
    return error.field;
  }
  return 'none';
}

/** Bytes with `width` bits from `from` on replaced. */
function withBits(bytes: Uint8Array, from: number, width: number, value: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let i = 0; i < width; i++) {
    const at = from + i;
    const bit = Math.floor(value / 2 ** (width - 1 - i)) & 1;
    out[at >> 3] = (out[at >> 3] & ~(0x80 >> (at & 7))) | (bit ? 0x80 >> (at & 7) : 0);
  }
  return out;
}

test('contradictions and hostile sizes are named', () => {
  const bytes = encodeSideInfo(sample('integrated', 96, 64, 5), tables);
  const sfvs = (decodeSideInfo(bytes, tables) as IntegratedSide).sfvScales.length;
  assert.equal(fieldOf(bytes), 'none');
  assert.equal(fieldOf(new Uint8Array(0)), 'kind');
  assert.equal(fieldOf(withBits(bytes, 0, 2, 3)), 'kind');
  assert.equal(fieldOf(withBits(bytes, 4, 26, 2 ** 26 - 1)), 'picture pixels'); // 8192 x 8192
  assert.equal(fieldOf(withBits(bytes, 30, 8, 255)), 'SFVs'); // 256 of them
  assert.equal(fieldOf(withBits(bytes, 30, 8, 24)), 'SFVs'); // 25 on 24 cells
  assert.equal(fieldOf(withBits(bytes, 46, 12, 4095)), 'partition bytes');
  assert.equal(fieldOf(withBits(bytes, 58, 6, 40)), 'theta level');
  assert.equal(fieldOf(bytes.subarray(0, bytes.length - 1)), 'class map');
  assert.equal(fieldOf(Uint8Array.of(...bytes, 0)), 'class map');
  assert.equal(fieldOf(bytes.subarray(0, 9)), 'SFV scale');
  assert.equal(fieldOf(new Uint8Array(MAX_SIDE_BYTES + 1)), 'side information');
  // A table with an entry too many, everything behind it in place.
  const side = decodeSideInfo(bytes, tables) as IntegratedSide;
  const faked = { ...side.partition, sfvs: [...side.partition.sfvs, { id: sfvs, label: 11, cells: 1 }] };
  const longer = encodeSideInfo({ ...side, partition: faked, sfvScales: new Uint8Array(sfvs + 1) }, tables);
  assert.equal(fieldOf(longer), 'SFVs');
});

test('100 000 mutated inputs: a complete, consistent answer or a FormatError that names its field', () => {
  const random = new RandomStream('side-info');
  const seeds = [1, 2, 3, 4].flatMap((s) => [
    encodeSideInfo(sample('integrated', 40 + 16 * s, 48, s), tables),
    encodeSideInfo(sample('modular', 48, 32 + 16 * s, s), tables),
    encodeSideInfo(selective(sample('integrated', 48, 48 + 16 * s, s), s), tables),
    encodeSideInfo(selective(sample('modular', 40 + 16 * s, 64, s), s), tables),
  ]);
  const fields = new Map<string, number>();
  let accepted = 0;
  for (let i = 0; i < 100_000; i++) {
    let bytes = Uint8Array.from(seeds[i % seeds.length]);
    if (i % 10 === 0) bytes = bytes.slice(0, random.integer(bytes.length));
    for (let n = 1 + random.integer(3); n > 0 && bytes.length > 0; n--) {
      // The size is left alone as a rule: almost every other size ends in the same error.
      const low = random.integer(16) === 0 ? 0 : Math.min(4, bytes.length - 1);
      const at = low + random.integer(bytes.length - low);
      bytes[at] ^= 1 << random.integer(8);
    }
    try {
      const side = decodeSideInfo(bytes, tables);
      accepted++;
      const { partition, classMap } = side;
      const cells = classMap.rows * classMap.columns;
      const table = side.kind === 'integrated' ? side.sfvScales : side.levels;
      assert.equal(table.length, partition.sfvs.length);
      assert.equal(side.mode === 'selective', side.selection !== undefined);
      if (side.selection) {
        const known = knownClasses(partition, side.selection);
        assert.ok(known.every((c, at) => c === 255 || c === classMap.data[at]));
        assert.ok(keptCount(side.selection) >= 1);
      }
      assert.equal(partition.sfvOf.length, cells);
      assert.ok(partition.sfvOf.every((id) => id < table.length) && classMap.data.every((c) => c < 16));
      assert.deepEqual(
        [Math.ceil(side.heightPx / 16), Math.ceil(side.widthPx / 16)],
        [classMap.rows, classMap.columns],
      );
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      fields.set(error.field, (fields.get(error.field) ?? 0) + 1);
    }
  }
  assert.ok(accepted > 1000, `only ${accepted} accepted: the fuzzer does not reach the fields`);
  for (const name of [
    'rectangle',
    'kept SFVs',
    'class map',
    'SFVs',
    'theta level',
    'quantiser level',
    'padding',
    'partition bytes',
  ]) {
    assert.ok((fields.get(name) ?? 0) > 25, `${name}: ${fields.get(name)}`);
  }
});

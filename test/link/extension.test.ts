import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { Receiver } from '../../src/link/receiver.ts';
import { mapOfExtension } from '../../src/link/resource-map.ts';
import { MAX_EXTENSION_BYTES } from '../../src/phy/burst/transmit.ts';
import {
  decodeExtension,
  EXTENSION_SCHEMA,
  type Extension,
  encodeExtension,
  extensionBytes,
  MAX_SIDE_INFO_BYTES,
  nameBlocks,
} from '../../src/phy/frame/extension.ts';
import { NUMEROLOGIES, numerology } from '../../src/phy/numerology.ts';
import { extensionSymbols } from '../../src/phy/resource-grid.ts';
import { rbMapCrc16 } from '../../src/sct/allocation/rb-map.ts';
import { BytesCodec } from './helpers.ts';

const whole = (min: number, max: number) => fc.integer({ min, max });
const ids = (max: number) => fc.uniqueArray(whole(0, max), { maxLength: max + 1 });

/** Any valid extension of any numerology. */
const anyExtension = fc.constantFrom(...NUMEROLOGIES).chain((n) =>
  fc
    .record({
      codec: whole(0, 6),
      image: whole(0, 255),
      parts: whole(0, 255).chain((p) => fc.tuple(whole(0, p), fc.constant(p))),
      time: fc.option(whole(0, 2 ** 24 - 1)),
      process: whole(0, 15),
      redundancyVersion: whole(0, 3),
      newData: whole(0, 1),
      original: whole(0, 1023),
      side: fc.option(fc.tuple(whole(1, MAX_SIDE_INFO_BYTES), whole(0, 3))),
      more: fc.tuple(whole(0, 1), whole(0, 2 ** 28 - 1), whole(0, 2 ** 28 - 1)),
      common: fc.option(whole(0, 5)),
      kinds: fc.constantFrom('analog', 'bits', 'mixed'),
      interleaved: whole(0, 1),
      modulation: fc.array(whole(0, 5), { minLength: n.nSubbands, maxLength: n.nSubbands }),
      order: fc.option(
        fc.shuffledSubarray(
          Array.from({ length: n.nSubbands }, (_, s) => s),
          { minLength: n.nSubbands },
        ),
      ),
      streams: ids(254).chain((list) =>
        fc.tuple(
          ...list.map((id) =>
            fc
              .tuple(whole(0, 1), whole(0, 1), whole(0, 255), whole(1, 2 ** 20 - 1), whole(1, 2 ** 22 - 1))
              .map(([analog, graph, score, re, bytes]) =>
                analog
                  ? { id, analog, baseGraph: 0, score, re, bytes: 0 }
                  : { id, analog, baseGraph: graph, score, re, bytes },
              ),
          ),
        ),
      ),
      blocks: ids(20),
      repeated: fc.boolean(),
      power: fc.option(whole(-1, 1)),
      mapCrc: whole(0, 0xffff),
    })
    .map(({ parts: [part, partsLess1], streams: all, blocks: named, repeated, power: tilt, ...rest }) => {
      const { side, more, common, kinds, ...loose } = rest;
      const streams = all.filter((s) => kinds === 'mixed' || (s.analog === 1) === (kinds === 'analog'));
      const coded = streams.filter((s) => s.analog === 0).length;
      const lists = Array.from({ length: repeated && named.length > 0 ? Math.min(coded, 12) : 0 }, () => named);
      const blocks = lists.length === coded ? nameBlocks(lists) : [];
      const power = tilt === null ? null : loose.modulation.map((_, s) => tilted(s, n.nSubbands, tilt));
      return {
        n,
        e: {
          ...loose,
          repeats: blocks.length > 0 ? 1 : more[0],
          sideBytes: side?.[0] ?? 0,
          sideRate: side?.[1] ?? 0,
          modulation: common === null ? loose.modulation : loose.modulation.fill(common),
          blocks,
          power,
          part,
          partsLess1,
          earlier: part > 0 && streams.length > 0 ? more[1] : 0,
          later: part < partsLess1 && streams.length > 0 ? more[2] : 0,
          streams,
        } as Extension,
      };
    }),
);

/** Levels in pairs of +1 and -1.5 dB, whose mean is -0.07 dB; 0 dB for one left over. */
function tilted(subband: number, subbands: number, tilt: number): number {
  if (tilt === 0 || (subband === subbands - 1 && subbands % 2 === 1)) return 16;
  return (subband % 2 === 0) === tilt > 0 ? 18 : 13;
}

const N = numerology(25);
const GOOD: Extension = {
  codec: 1,
  image: 3,
  part: 0,
  partsLess1: 1,
  time: 0x123456,
  process: 0,
  redundancyVersion: 0,
  newData: 1,
  repeats: 1,
  original: 17,
  sideBytes: 300,
  sideRate: 0,
  interleaved: 1,
  modulation: new Array(25).fill(2),
  order: null,
  power: null,
  earlier: 0,
  later: 0,
  streams: [{ id: 0, analog: 0, baseGraph: 0, score: 255, re: 3850, bytes: 900 }],
  blocks: nameBlocks([[0, 5]]),
  mapCrc: 0xbeef,
};

function refused(change: Partial<Record<keyof Extension, unknown>>, field: string) {
  const wrong = { ...GOOD, ...change } as Extension;
  assert.throws(
    () => decodeExtension(N, encodeExtension(N, wrong), 17),
    (e: unknown) => e instanceof FormatError && e.field === field,
    `${JSON.stringify(change)} names ${field}`,
  );
}

test('every extension comes back, at its announced length, with the zero padding of its units', () => {
  fc.assert(
    fc.property(anyExtension, fc.nat(7), ({ n, e }, zeros) => {
      const bytes = encodeExtension(n, e);
      const most = (list: number[]) => list.reduce((a, b) => Math.max(a, b), 0);
      const analog = e.streams.filter((s) => s.analog).length;
      const least = Math.min(...e.streams.map((s) => s.score));
      assert.equal(
        bytes.length,
        extensionBytes(n.nSubbands, {
          parts: e.partsLess1 > 0,
          time: e.time !== null,
          side: e.sideBytes > 0,
          modulations: new Set(e.modulation).size > 1,
          order: e.order !== null,
          power: e.power !== null,
          earlier: e.earlier > 0,
          later: e.later > 0,
          repeats: e.repeats === 1,
          streams: e.streams.length,
          kind: analog === 0 ? 'bits' : analog < e.streams.length ? 'mixed' : 'analog',
          largestId: most(e.streams.map((s) => s.id)),
          scoreSpan: most(e.streams.map((s) => s.score - least)),
          largestRe: most(e.streams.map((s) => s.re)),
          largestBytes: most(e.streams.map((s) => s.bytes)),
          blocks: e.blocks.length,
        }),
      );
      const padded = new Uint8Array(bytes.length + zeros);
      padded.set(bytes);
      assert.deepEqual(decodeExtension(n, padded, e.original), e);
      if (e.repeats === 0) assert.equal(decodeExtension(n, padded, 5).original, 5, 'its own number');
    }),
    { numRuns: 300 },
  );
});

test('32 SFVs take at most a tenth of the burst at CBR 1/48 of 512x768, at 1/5 with the robust map, at 1/3 with an order', () => {
  const n = numerology(25);
  const share = (order: boolean, rate: number) => {
    const shape = {
      side: true,
      order,
      kind: 'analog',
      largestId: 31,
      scoreSpan: 63,
      largestRe: 4095,
      largestBytes: 0,
    } as const;
    const bytes = 8 * Math.ceil(extensionBytes(n.nSubbands, { ...shape, streams: 32 }) / 8);
    return (extensionSymbols(n, bytes, rate) * n.symbolDataRe) / ((512 * 768 * 3) / 48);
  };
  assert.ok(share(false, 1 / 5) <= 0.1, `${share(false, 1 / 5)}`);
  assert.ok(share(true, 1 / 3) <= 0.1, `${share(true, 1 / 3)}`);
});

test('each field is refused by name outside its range', () => {
  decodeExtension(N, encodeExtension(N, GOOD), 17);
  for (const field of EXTENSION_SCHEMA) {
    // Flags, counts and widths follow from the rest.
    if (field.kind !== 'uint' || !Object.hasOwn(GOOD, field.name)) continue;
    const max = field.max ?? 2 ** field.bits - 1;
    for (const bad of [max + 1, -1, 0.5, Number.NaN]) refused({ [field.name]: bad }, field.name);
  }
  refused({ modulation: [6, ...GOOD.modulation.slice(1)] }, 'modulation[0]');
  refused({ modulation: GOOD.modulation.slice(1) }, 'modulation');
  const stream = GOOD.streams[0];
  for (const [key, bad] of [
    ['id', 255],
    ['analog', 2],
    ['score', 256],
    ['re', 0],
    ['re', 2 ** 20],
    ['bytes', 2 ** 22],
  ] as const) {
    refused({ streams: [{ ...stream, [key]: bad }] }, `streams[0].${key}`);
  }
});

test('fields that contradict one another are refused by name', () => {
  const [stream] = GOOD.streams;
  refused({ part: 2 }, 'part');
  const order = Array.from({ length: 25 }, (_, s) => s);
  refused({ order: [1, ...order.slice(1)] }, 'order');
  refused({ order: [25, ...order.slice(1)] }, 'order');
  refused({ streams: [stream, stream] }, 'streams');
  refused({ repeats: 0 }, 'blocks');
  refused({ earlier: 3 }, 'earlier');
  refused({ part: 1, later: 3 }, 'later');
  const analog = { ...stream, analog: 1, bytes: 0 };
  decodeExtension(N, encodeExtension(N, { ...GOOD, part: 1, earlier: 3, blocks: [], streams: [analog as never] }), 17);
  decodeExtension(N, encodeExtension(N, { ...GOOD, part: 1, later: 3, blocks: [], streams: [analog as never] }), 17);
  refused({ repeats: 0, part: 1, later: 3, blocks: [], streams: [analog] }, 'later');
  refused({ blocks: [], earlier: 3, part: 1, streams: [] }, 'earlier');
  refused({ streams: [{ ...stream, bytes: 0 }] }, 'streams[0].bytes');
  refused({ streams: [{ ...stream, analog: 1 }] }, 'streams[0].bytes');
  refused({ streams: [{ ...stream, analog: 1, bytes: 0, baseGraph: 1 }] }, 'streams[0].baseGraph');
  refused({ blocks: nameBlocks([[4, 4]]) }, 'blocks');
  refused({ blocks: nameBlocks([[4], [5]]) }, 'blocks');
  refused(
    {
      blocks: [
        { block: 1, last: 0 },
        { block: 2, last: 0 },
      ],
    },
    'blocks',
  );
  refused({ power: new Array(25).fill(17) }, 'power');
  refused({ power: [32, ...new Array(24).fill(16)] }, 'power[0]');
});

test('half a million random and mutated extensions: a checked extension or a FormatError, nothing else', () => {
  const random = new RandomStream('extension fuzz');
  const valid = encodeExtension(N, GOOD);
  const sizes = [valid.length, 8, 64, MAX_EXTENSION_BYTES].map((length) => new Uint8Array(length));
  let good = 0;
  for (let i = 0; i < 500_000; i++) {
    const bytes = sizes[i % 8 === 0 ? 1 + ((i >> 3) % 3) : 0];
    if (bytes !== sizes[0]) for (let k = 0; k < bytes.length; k++) bytes[k] = random.uint32() >>> 24;
    else {
      bytes.set(valid);
      for (let k = 0; k <= i % 5; k++) bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    }
    try {
      const e = decodeExtension(N, bytes, 17);
      good++;
      assert.ok(e.part <= e.partsLess1 && e.streams.length <= 255 && e.blocks.length <= 255);
      for (const s of e.streams) assert.ok(s.re >= 1 && s.re < 2 ** 20 && s.bytes < 2 ** 22);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  // One flipped bit often changes a value into another that is allowed.
  assert.ok(good > 50_000 && good < 400_000, `${good} accepted`);
});

/** Largest typed array that is made while `body` runs, elements. */
function largestArray(body: () => void): number {
  const names = ['Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array'] as const;
  const scope = globalThis as unknown as Record<string, new (...args: unknown[]) => { length: number }>;
  const kept = names.map((name) => scope[name]);
  let largest = 0;
  names.forEach((name, i) => {
    scope[name] = new Proxy(kept[i], {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as { length: number };
        largest = Math.max(largest, made.length);
        return made;
      },
    });
  });
  try {
    body();
  } finally {
    names.forEach((name, i) => {
      scope[name] = kept[i];
    });
  }
  return largest;
}

/** Has a receiver take a burst of so many slots whose extension says `e`, all its RE silent. */
function receiverOf(
  e: Extension,
  slots: number,
  kind = 1,
  receiver = new Receiver({ numerology: N, codecs: [new BytesCodec()] }),
) {
  const re = slots * 25 * 154;
  const record = {
    type: 'burst',
    startSample: 0,
    lengthSamples: 1,
    header: { session: 1, burst: 17, kind, slots, csiNumber: 0, modelSet: 0, numerology: 3 },
    extension: encodeExtension(N, e),
    extensionOk: true,
    slots,
    truncated: false,
    payload: new Float32Array(2 * re),
    payloadSnr: new Float32Array(re),
    subbandSnrDb: new Float32Array(25),
  };
  receiver.phy.push = () => [record as never];
  const nothing = new Float32Array(0);
  return () => receiver.push(nothing)[0];
}

test('claims of an extension are refused before anything large is made', () => {
  const [stream] = GOOD.streams;
  const sealed = (e: Extension): Extension => ({ ...e, mapCrc: rbMapCrc16(mapOfExtension(N, e)) });
  const base = sealed({ ...GOOD, repeats: 0, blocks: [], partsLess1: 0, sideBytes: 0 });
  const many = Array.from({ length: 255 }, (_, id) => ({ ...stream, id, re: 2 ** 20 - 1 }));
  const large = Array.from({ length: 255 }, (_, id) => ({ ...stream, id, re: 15, bytes: 4200 }));
  const cases: [string, Extension, RegExp, number][] = [
    ['255 streams of 2^20 RE', sealed({ ...base, streams: many }), /in a burst of 3850/, 10_000],
    ['255 streams of blocks', sealed({ ...base, streams: large }), /1020 code blocks/, 10_000],
    ['2^20 RE', sealed({ ...base, streams: [{ ...stream, re: 2 ** 20 - 1 }] }), /in a burst of 3850/, 10_000],
    ['RE of two slots', sealed({ ...base, streams: [{ ...stream, re: 7700 }] }), /in a burst of 3850/, 10_000],
    ['a wrong map', { ...base, mapCrc: base.mapCrc ^ 1 }, /mapCrc/, 10_000],
    // Here the RE exist: positions and bits of 3850 of them are made, nothing for the bytes.
    ['200 kB', sealed({ ...base, streams: [{ ...stream, bytes: 200_000 }] }), /do not fit/, 10_000],
    ['2^22 bytes', sealed({ ...base, streams: [{ ...stream, bytes: 2 ** 22 - 1 }] }), /code blocks/, 10_000],
    ['no modulation', { ...base, modulation: new Array(25).fill(0) }, /coded bits/, 10_000],
  ];
  for (const [name, e, problem, bound] of cases) {
    const receive = receiverOf(e, 1);
    let event: ReturnType<typeof receive> | undefined;
    const largest = largestArray(() => {
      event = receive();
    });
    assert.ok(event?.type === 'burst');
    assert.match(event.problem ?? 'accepted', problem, name);
    assert.equal(event.ack?.extensionOk, false, name);
    assert.ok(largest <= bound, `${name}: an array of ${largest} elements`);
  }
});

test('whatever a valid extension says, a receiver takes it or refuses it by name', () => {
  const receiver = new Receiver({ numerology: N, codecs: [new BytesCodec()] });
  const outcomes = new Map<string, number>();
  const oneStream = fc.record(
    {
      re: whole(1, 4000),
      bytes: fc.oneof(whole(1, 60), whole(1, 4000)),
      modulation: fc.array(whole(0, 5), { minLength: 25, maxLength: 25 }),
      blocks: ids(3),
      part: whole(0, 1),
      original: fc.constantFrom(17, 18),
      redundancyVersion: whole(0, 3),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(oneStream, whole(1, 2), fc.boolean(), ({ re, bytes, blocks: named, ...rest }, kind, honest) => {
      const repeats = honest === (kind === 2) ? 1 : 0;
      const blocks = repeats ? named : [];
      const loose = {
        ...GOOD,
        sideBytes: 0,
        ...rest,
        repeats,
        streams: [{ id: 0, analog: 0, baseGraph: 0, score: 255, re, bytes }],
      } as const;
      const e: Extension = {
        ...loose,
        blocks: nameBlocks(blocks.length > 0 ? [blocks] : []),
        mapCrc: rbMapCrc16(mapOfExtension(N, loose)),
      };
      const event = receiverOf(e, 1, kind, receiver)();
      assert.ok(event.type === 'burst');
      const what = `${kind} ${event.problem?.split(':')[0] ?? 'taken'}`;
      outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      if (event.stream) for (const s of event.stream.decoder.states) assert.equal(s.ok, false, 'silence is no block');
    }),
    { numRuns: 400 },
  );
  for (const what of ['1 taken', '2 taken', '2 streams', '2 blocks', '1 repeats', '2 repeats'])
    assert.ok(outcomes.has(what), what);
});

/**
 * Vectors of bursts with coded streams, made as make.ts makes the others: a data burst with power levels and an order of
 * its subbands, and a retransmission of both its blocks in redundancy version 3.
 */
import { packBits } from '../../../src/common/bits.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { makeTrial } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { applyPower } from '../../../src/link/plan/power-loading.ts';
import { bitsAt, mapOfExtension, placeExtension, scatter } from '../../../src/link/resource-map.ts';
import { encodeBlocks, TransportLayout } from '../../../src/link/transport.ts';
import { BurstTransmitter } from '../../../src/phy/burst/transmit.ts';
import { splitIntoBlocks } from '../../../src/phy/fec/transport-plan.ts';
import { captureTimeCode } from '../../../src/phy/frame/capture-time.ts';
import { type Extension, encodeExtension, nameBlocks } from '../../../src/phy/frame/extension.ts';
import { encodeSide, sidePositions, sideRePerSubband } from '../../../src/phy/frame/side-block.ts';
import { numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';
import { rbMapCrc16 } from '../../../src/sct/allocation/rb-map.ts';

const N = numerology(6);
const SLOTS = 3;
const RE = SLOTS * N.nSubbands * RB_DATA_RE;
const QM = 4;
/** Side information of the data burst. */
const SIDE = new RandomStream('air-interface/side').bytes(13);
const SIDE_RE = N.nSubbands * sideRePerSubband(N, SIDE.length, 0);
/** +2, -2, +0.5, +1, -3, -0.5 dB: mean -0.01 dB. */
const POWER = [20, 12, 17, 18, 10, 15];

/** 2026-01-01 00:00:00.1 UTC. */
const TIME = captureTimeCode(Date.UTC(2026, 0, 1) + 100);

/** What such a vector says besides its samples. */
export interface StreamVector {
  readonly file: string;
  readonly samples: Int16Array;
  readonly expected: {
    readonly numerology: number;
    readonly session: number;
    readonly burst: number;
    readonly kind: number;
    readonly extension: string;
    readonly power: readonly number[];
    /** When the picture was captured, as the extension says it; null where it does not. */
    readonly time: number | null;
    /** Side information, hex; absent where there is none. */
    readonly side?: string;
    /** Payload bytes of each block, hex. */
    readonly blocks: Readonly<Record<string, string>>;
    /** Hard decisions of all payload RE but those of side information, hex. */
    readonly payload: string;
  };
}

/** Interleaved int16 of a burst's samples to its end, as make.ts scales them. */
type Quantise = (signal: ReturnType<typeof makeTrial>) => Int16Array;

export function makeStreamVectors(quantise: Quantise): StreamVector[] {
  const file = new RandomStream('air-interface/streams').bytes(500);
  const layout = TransportLayout.ofBlocks(file.length, 2);
  const payloads = splitIntoBlocks(layout.plan, file);
  return (['power', 'retransmission'] as const).map((name, i) => {
    const repeats = name === 'retransmission';
    const order = [3, 0, 5, 1, 4, 2];
    const loose: Extension = {
      codec: 4,
      image: 77,
      part: 1,
      partsLess1: 2,
      time: repeats ? TIME : null,
      process: 9,
      redundancyVersion: repeats ? 3 : 0,
      newData: 1,
      repeats: repeats ? 1 : 0,
      original: 600,
      sideBytes: repeats ? 0 : SIDE.length,
      sideRate: 0,
      interleaved: repeats ? 1 : 0,
      modulation: new Array(N.nSubbands).fill(QM / 2),
      order: repeats ? null : order,
      power: repeats ? null : POWER,
      earlier: 0,
      later: 0,
      streams: [{ id: 5, analog: 0, baseGraph: 1, score: 99, re: RE - (repeats ? 0 : SIDE_RE), bytes: file.length }],
      blocks: repeats ? nameBlocks([[1, 0]]) : [],
      mapCrc: 0,
    };
    const e = { ...loose, mapCrc: rbMapCrc16(mapOfExtension(N, loose)) };
    const { positions } = placeExtension(N, SLOTS, e);
    const qm = bitsAt(N, e.modulation, positions);
    const blocks = repeats ? [1, 0] : [0, 1];
    const plain = scatter(N, SLOTS, positions, encodeBlocks(layout, payloads, blocks, qm, repeats ? 3 : 0));
    if (!repeats) {
      const side = encodeSide(N, SIDE, SIDE_RE / N.nSubbands);
      sidePositions(N, SIDE_RE / N.nSubbands).forEach((at, k) => plain.set(side.subarray(2 * k, 2 * k + 2), 2 * at));
    }
    const payload = e.power ? applyPower(plain.slice(), e.power) : plain;
    const extension = encodeExtension(N, e);
    const header = {
      numerology: N.id,
      session: 21,
      burst: 600 + i,
      kind: repeats ? (2 as const) : (1 as const),
      slots: SLOTS,
      csiNumber: 0,
      modelSet: 0,
      extensionMcs: 0,
    };
    const transmitter = new BurstTransmitter(N);
    const signal = makeTrial({
      numerology: N,
      seed: `air-interface/${name}`,
      slots: SLOTS,
      snrDb: 26,
      qm: QM,
      content: {
        qm: QM,
        layout: transmitter.layout(SLOTS, extension.length, 0),
        header,
        extension,
        bits: new Uint8Array(0),
        payload,
        sent: transmitter.build({ header, extension, payload }),
      },
      leadSamples: 150 + 91 * i,
      channel: { cfoHz: 2_700 - 4_000 * i, phaseRad: 2 + i, startDelaySamples: 3.7 },
    });
    const padded = new Uint8Array(8 * Math.ceil(extension.length / 8));
    padded.set(extension);
    return {
      file: name,
      samples: quantise(signal),
      expected: {
        numerology: N.id,
        session: header.session,
        burst: header.burst,
        kind: header.kind,
        extension: Buffer.from(padded).toString('hex'),
        time: e.time,
        power: e.power ?? new Array(N.nSubbands).fill(16),
        ...(repeats ? {} : { side: Buffer.from(SIDE).toString('hex') }),
        blocks: Object.fromEntries(payloads.map((p, b) => [b, Buffer.from(p).toString('hex')])),
        payload: Buffer.from(packBits(decided(streamsOnly(plain, repeats)))).toString('hex'),
      },
    };
  });
}

/** Without the RE of the side information, which are QPSK. */
function streamsOnly(symbols: Float32Array, repeats: boolean): Float32Array {
  const side = new Set(repeats ? [] : sidePositions(N, SIDE_RE / N.nSubbands));
  return symbols.filter((_, i) => !side.has(i >> 1));
}

/** Bits of 16-QAM symbols, [RE][re, im]. */
function decided(symbols: Float32Array): Uint8Array {
  const bits = new Uint8Array(2 * symbols.length);
  const inner = Math.sqrt(0.4);
  for (let i = 0; i < symbols.length / 2; i++) {
    for (const axis of [0, 1]) {
      const v = symbols[2 * i + axis];
      bits[4 * i + axis] = v < 0 ? 1 : 0;
      bits[4 * i + 2 + axis] = Math.abs(v) > inner ? 1 : 0;
    }
  }
  return bits;
}

import { RandomStream } from '../../../src/common/random.ts';
import { redundancyVersion } from '../../../src/link/harq/processes.ts';
import type { StreamPiece } from '../../../src/link/harq/received-part.ts';
import type { SendProcess } from '../../../src/link/harq/sender-entity.ts';
import { encodeBlocks, TransportLayout } from '../../../src/link/transport.ts';
import { payloadBytesAtRate, splitIntoBlocks } from '../../../src/phy/fec/transport-plan.ts';
import { type Extension, nameBlocks } from '../../../src/phy/frame/extension.ts';

/** A part of `re` QPSK symbols of code rate 1/3, made without any burst around it. */
export function smallPart(seed: string, re: number) {
  const qm = new Uint8Array(re).fill(2);
  const file = new RandomStream(seed).bytes(payloadBytesAtRate(2 * re, 1 / 3));
  const layout = TransportLayout.ofData(file.length, qm);
  return { file, layout, payloads: splitIntoBlocks(layout.plan, file), re };
}

export type SmallPart = ReturnType<typeof smallPart>;

/** Extension and equalised symbols of a transmission of some blocks, all of SNR `snr` (linear, exact). */
export function transmission(
  part: SmallPart,
  process: Pick<SendProcess, 'id' | 'newData' | 'understood'>,
  names: { burst: number; original: number; image: number; part: number; parts: number },
  blocks: readonly number[],
  snr: number,
): { e: Extension; pieces: StreamPiece[] } {
  const first = names.burst === names.original;
  const re = first ? part.re : Math.ceil((part.re * blocks.length) / part.layout.blocks);
  const qm = new Uint8Array(re).fill(2);
  const rv = redundancyVersion(process.understood);
  const symbols = encodeBlocks(part.layout, part.payloads, blocks, qm, rv).map((v) => (v * snr) / (1 + snr));
  const entry = {
    id: 0,
    analog: 0,
    baseGraph: part.layout.baseGraphBit,
    score: 255,
    re,
    bytes: part.file.length,
  } as const;
  const named = first ? [] : nameBlocks([blocks]);
  const e: Extension = {
    codec: 1,
    image: names.image,
    part: names.part,
    partsLess1: names.parts - 1,
    process: process.id,
    redundancyVersion: rv,
    newData: process.newData,
    time: null,
    repeats: first ? 0 : 1,
    original: names.original,
    sideBytes: 0,
    sideRate: 0,
    interleaved: 1,
    modulation: [],
    order: null,
    power: null,
    earlier: 0,
    later: 0,
    streams: [entry],
    blocks: named,
    mapCrc: 0,
  };
  const piece = { entry, qm, symbols, snr: new Float32Array(re).fill(snr), blocks: first ? null : blocks };
  return { e, pieces: [piece] };
}

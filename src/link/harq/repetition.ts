import { type Extension, nameBlocks } from '../../phy/frame/extension.ts';
import type { Numerology } from '../../phy/numerology.ts';
import { allocateRobust } from '../../sct/allocation/allocate.ts';
import { placeSymbols, rbMapCrc16 } from '../../sct/allocation/rb-map.ts';
import { bitsAt, burstShape, positionsOf, scatter } from '../resource-map.ts';
import { encodeBlocks, type TransportLayout } from '../transport.ts';
import { redundancyVersion } from './processes.ts';
import type { SendProcess } from './sender-entity.ts';

/** A part of a picture as it was sent, kept until its blocks are acknowledged. */
export interface SentPart {
  readonly process: SendProcess;
  readonly layout: TransportLayout;
  /** RE of the first transmission. */
  readonly re: number;
  readonly codeRate: number;
  readonly payloads: readonly Uint8Array[];
  readonly extension: Extension;
}

/** What a retransmission burst carries. */
export interface Repetition {
  readonly extension: Extension;
  readonly payload: () => Float32Array;
}

/** RE that the blocks had at first: a repetition takes as many, if they are to be had. */
export function repetitionRe(part: SentPart, blocks: number): number {
  return (part.re * blocks) / part.layout.blocks;
}

/**
 * The next transmission of blocks of a part, interleaved over the whole band: with the age of the report the subbands'
 * order means less, and every block meets all of them. Its redundancy version is the next one after those that the
 * receiver understood: where nobody answered it may have none, and version 2 or 1 alone lacks the information bits.
 */
export function repetitionOf(n: Numerology, part: SentPart, blocks: readonly number[], slots: number): Repetition {
  const { extension, layout, payloads, process } = part;
  const rv = redundancyVersion(process.understood);
  const shape = burstShape(n, slots);
  const { map } = allocateRobust(shape, Uint8Array.of(255));
  const positions = positionsOf(placeSymbols(map, shape));
  const qm = bitsAt(n, extension.modulation, positions);
  const named = nameBlocks([blocks]);
  return {
    extension: {
      ...extension,
      redundancyVersion: rv,
      repeats: 1,
      interleaved: 1,
      order: null,
      streams: [{ ...extension.streams[0], re: positions.length }],
      blocks: named,
      mapCrc: rbMapCrc16(map),
    },
    payload: () => scatter(n, slots, positions, encodeBlocks(layout, payloads, blocks, qm, rv)),
  };
}

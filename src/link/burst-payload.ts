import { paddingSymbols } from '../phy/burst/transmit.ts';
import type { RedundancyVersion } from '../phy/fec/rate-matching.ts';
import type { Extension } from '../phy/frame/extension.ts';
import { encodeSide, sidePositions } from '../phy/frame/side-block.ts';
import { AnalogMapper } from '../phy/modulation/analog.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { PayloadRoom } from './payload-room.ts';
import { bitsAt, placeExtension, sideReOf } from './resource-map.ts';
import { encodeBlocks, type TransportLayout } from './transport.ts';

/** What one stream sends in a burst. */
export type StreamContent =
  | {
      readonly kind: 'bits';
      readonly layout: TransportLayout;
      /** All blocks' bytes (splitIntoBlocks). */
      readonly payloads: readonly Uint8Array[];
      /** Those that are sent, in turn. */
      readonly blocks: readonly number[];
    }
  /** Its first symbols, as many as the extension says: [symbol][re, im]. */
  | { readonly kind: 'analog'; readonly symbolsReIm: Float32Array };

/** A burst's payload and what was cut of it. */
export interface BurstPayload {
  readonly payload: Float32Array; // [slot x nSubbands + subband][RB_DATA_RE][re, im]
  /** RE of analog streams whose magnitude was limited to 4. */
  readonly limitedRe: number;
}

/** This thread's, whose memory grows to the longest stream. */
const mapper = new AnalogMapper();

/**
 * Everything of a burst on its RE: side information in front, streams by the extension's map, padding where nothing is.
 *
 * @param sideInfo as long as the extension says
 * @param contents one for each of its streams, in order
 * @param room where the payload stands, until the next is made there; default memory of its own
 */
export function burstPayload(
  n: Numerology,
  slots: number,
  e: Extension,
  sideInfo: Uint8Array,
  contents: readonly StreamContent[],
  room = new PayloadRoom(),
): BurstPayload {
  const most = slots * n.nSubbands * RB_DATA_RE;
  const payload = paddingSymbols(n, most, room.symbols(2 * most));
  const side = sideReOf(n, e);
  if (side > 0) put(payload, sidePositions(n, side), encodeSide(n, sideInfo, side));
  const { positions, start } = placeExtension(n, slots, e, room.positions(most));
  const rv = e.redundancyVersion as RedundancyVersion;
  let limitedRe = 0;
  contents.forEach((content, i) => {
    const own = positions.subarray(start[i], start[i + 1]);
    if (content.kind === 'bits') {
      const qm = bitsAt(n, e.modulation, own);
      put(payload, own, encodeBlocks(content.layout, content.payloads, content.blocks, qm, rv));
    } else {
      limitedRe += mapper.map(content.symbolsReIm.subarray(0, 2 * own.length), own, payload);
    }
  });
  return { payload, limitedRe };
}

function put(payload: Float32Array, positions: Uint32Array, symbols: Float32Array): void {
  for (let i = 0; i < positions.length; i++) {
    payload[2 * positions[i]] = symbols[2 * i];
    payload[2 * positions[i] + 1] = symbols[2 * i + 1];
  }
}

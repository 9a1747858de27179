import type { Extension } from '../../phy/frame/extension.ts';
import { powerDbOf } from '../../phy/frame/power-level.ts';
import type { Numerology } from '../../phy/numerology.ts';
import { decodeCsi, encodeCsiReport } from '../../sct/allocation/csi-code.ts';
import { effectiveSnrDb, reportedChannels } from '../../sct/allocation/effective-snr.ts';
import { placeSymbols, type RbMap } from '../../sct/allocation/rb-map.ts';
import { burstShape, mapOfExtension, sideReOf } from '../resource-map.ts';
import type { StreamPiece } from './received-part.ts';

/**
 * What each stream of a data burst was granted, dB: the capacity-equivalent SNR that its RE would have under the matched rule by the report
 * that the burst was made from, which is how its importance was turned into RE, whatever the mapping. Without that report (robust map) the
 * mean over all RE that came: then every stream was to get the same.
 *
 * @param codes of that report; null when the receiver does not hold it
 */
export function grantedSnrDb(
  n: Numerology,
  slots: number,
  e: Extension,
  pieces: readonly StreamPiece[],
  codes: Uint8Array | null,
): Map<number, number> {
  if (codes?.length !== n.nSubbands) return flat(pieces);
  const { power } = e;
  const expected = power ? encodeCsiReport(Array.from(codes, (c, s) => decodeCsi(c) + powerDbOf(power[s]))) : codes;
  const best = Uint8Array.from(Array.from(expected.keys()).sort((a, b) => expected[b] - expected[a] || a - b));
  const map: RbMap = { ...mapOfExtension(n, e), layout: 'ordered', subbandOrder: best };
  const channels = reportedChannels(placeSymbols(map, burstShape(n, slots, sideReOf(n, e))), expected, n.nSubbands);
  return new Map(e.streams.map(({ id }, i) => [id, channels[i].snrDb]));
}

function flat(pieces: readonly StreamPiece[]): Map<number, number> {
  let [capacity, came] = [0, 0];
  let [last, bits] = [0, 0];
  for (const { snr } of pieces) {
    for (let i = 0; i < snr.length; i++) {
      const s = snr[i];
      if (!(s > 0)) continue;
      if (s !== last) {
        last = s;
        bits = Math.log2(1 + s);
      }
      capacity += bits;
      came++;
    }
  }
  const mean = effectiveSnrDb(1024 * capacity, came);
  return new Map(pieces.map((p) => [p.entry.id, mean]));
}

import type { RandomStream } from '../../src/common/random.ts';
import type { EncodedStream, ReceivedStream, StreamGrant } from '../../src/sct/codec/codec.ts';
import { scoreWeight } from '../../src/sct/importance/scores.ts';

type AnalogStream = Extract<EncodedStream, { kind: 'analog' }>;

/**
 * An analog stream over flat channels of given SNR, at the equaliser's output: snr / (1 + snr) (x + n), E|n|^2 = 1 / snr.
 *
 * @param snrDb of each symbol; -Infinity loses it
 */
export function overAir(stream: EncodedStream, snrDb: (place: number) => number, random: RandomStream): ReceivedStream {
  const { id, symbolsReIm } = stream as AnalogStream;
  const n = symbolsReIm.length / 2;
  const out = new Float32Array(2 * n);
  const snr = Float32Array.from({ length: n }, (_, p) => snrDb(p));
  for (let p = 0; p < n; p++) {
    const s = 10 ** (snr[p] / 10);
    if (s === 0) continue;
    const sigma = Math.sqrt(1 / (2 * s));
    for (const i of [2 * p, 2 * p + 1]) out[i] = (s / (1 + s)) * (symbolsReIm[i] + sigma * random.normal());
  }
  return { id, kind: 'analog', symbolsReIm: out, snrDb: snr };
}

/** Symbols of each SFV in proportion to its importance as sent; SFVs that would get none have no grant. */
export function grantsByImportance(scores: Uint8Array, symbols: number, snrDb?: number): StreamGrant[] {
  const weights = Array.from(scores, scoreWeight);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights
    .map((w, id) => ({ id, size: Math.floor((symbols * w) / sum), snrDb }))
    .filter((grant) => grant.size > 0);
}

/** Mean power of every stretch of `length` symbols of a stream, as deviations in dB; a shorter last one is left out. */
export function stretchPowersDb(symbolsReIm: Float32Array, length: number): number[] {
  const out: number[] = [];
  for (let at = 0; at + 2 * length <= symbolsReIm.length; at += 2 * length) {
    let energy = 0;
    for (let i = at; i < at + 2 * length; i++) energy += symbolsReIm[i] ** 2;
    out.push(10 * Math.log10(energy / length));
  }
  return out;
}

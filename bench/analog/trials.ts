import { type Numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { type Digital, type OnAir, receive, transmit } from './air.ts';
import { applyCandidate, type Candidate, clipRe, PEAK, undoCandidate } from './candidates.ts';
import { type ChannelName, channelOf, unitNoise } from './channels.ts';
import { type GreyPlane, type LinearCode, linearPsnrDb } from './linear-code.ts';
import type { PsnrTable } from './psnr-table.ts';

/** A picture ready for the linear code. */
export interface Subject {
  readonly name: string;
  readonly spectrum: GreyPlane;
}

export interface SentStream {
  readonly candidate: Candidate;
  readonly air: OnAir;
  /** RE that were limited to 4. */
  readonly limitedRe: number;
}

/** Slots that hold about `re` RE, at least one. */
export function slotsFor(n: Numerology, re: number): number {
  return Math.max(1, Math.round(re / (n.nSubbands * RB_DATA_RE)));
}

/** A stream that fills the slots, through candidate, limit on |RE| and the digital transmitter. */
export function send(n: Numerology, slots: number, symbols: Float32Array, c: Candidate, digital: Digital): SentStream {
  const payload = applyCandidate(c, n, slots, symbols);
  const limitedRe = clipRe(payload, c.peak ?? PEAK);
  return { candidate: c, air: transmit(n, slots, payload, c.turns, digital), limitedRe };
}

/** PSNR of one picture over one realisation. */
export function psnrOver(
  n: Numerology,
  slots: number,
  code: LinearCode,
  sent: SentStream,
  channel: Float64Array,
  snrDb: number,
  noise: Float32Array,
): number {
  const received = receive(n, slots, sent.air, channel, snrDb, noise);
  const { symbols, snr } = undoCandidate(sent.candidate, n, slots, received.payload, received.snr);
  return linearPsnrDb(code, symbols, snr);
}

/**
 * Error vector magnitude of a stream without channel or noise, dB: everything that limiting, converter and the transforms leave after a
 * receiver has taken out the gain, relative to the stream.
 */
export function evmDb(n: Numerology, slots: number, symbols: Float32Array, sent: SentStream): number {
  const { payload, gain } = sent.air;
  const unscaled = payload.map((v) => v / gain);
  const clean = new Float64Array(payload.length / 2).fill(Number.POSITIVE_INFINITY);
  const back = undoCandidate(sent.candidate, n, slots, unscaled, clean).symbols;
  let error = 0;
  let power = 0;
  for (let i = 0; i < symbols.length; i++) {
    error += (back[i] - symbols[i]) ** 2;
    power += symbols[i] * symbols[i];
  }
  return 10 * Math.log10(Math.max(1e-14, error / power));
}

/** Channel seeds and SNR of the sweep. */
export interface Sweep {
  readonly channels: readonly { readonly name: ChannelName; readonly seeds: number }[];
  readonly snrsDb: readonly number[];
}

/** All candidates over all channels of the sweep for one picture and numerology; values go into `table`. */
export function sweepPicture(
  n: Numerology,
  slots: number,
  code: LinearCode,
  candidates: readonly Candidate[],
  digital: Digital,
  sweep: Sweep,
  picture: number,
  table: PsnrTable,
): void {
  const sent = candidates.map((c) => send(n, slots, code.symbols, c, digital));
  for (const { name, seeds } of sweep.channels) {
    for (let seed = 1; seed <= seeds; seed++) {
      const channel = channelOf(name, n, 1000 * picture + seed);
      const noise = unitNoise(code.symbols.length / 2, `${name}-${picture}-${seed}`);
      for (const snrDb of sweep.snrsDb) {
        for (const s of sent) {
          const row = { subbands: n.nSubbands, channel: name, snrDb, candidate: s.candidate.name };
          table.add(row, picture, psnrOver(n, slots, code, s, channel, snrDb, noise));
        }
      }
    }
  }
}

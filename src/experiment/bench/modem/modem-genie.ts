import type { ScenarioChannel } from '../../../phy/channel/scenario.ts';
import { equalise } from '../../../phy/equalise.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../../phy/numerology.ts';
import { OfdmDemodulator } from '../../../phy/ofdm/demodulate.ts';
import { payloadIndex, resourceGrid, turn } from '../../../phy/resource-grid.ts';
import type { TrialSignal } from './modem-trial.ts';

export interface GenieResult {
  /** As in BurstRecord. */
  readonly payload: Float32Array;
  readonly payloadSnr: Float32Array;
  /** True RB SNR by design §1, dB, [slot x nSubbands + subband]. */
  readonly rbSnrDb: Float64Array;
  /** True channel |H|^2 A^2 in the middle of each slot times phase free, [slot][nCarriers][re, im] (delay from path 0). */
  readonly channel: Float32Array;
}

/**
 * The receiver that knows timing, offsets, channel and noise: same samples, same equaliser. `extraNoise` is further
 * noise variance per carrier (a jammer's), [nCarriers].
 */
export function genieReceive(signal: TrialSignal, extraNoise?: Float64Array): GenieResult {
  const { numerology: n, layout, amplitude, channel, noiseVariance } = signal;
  const { cfoHz = 0, phaseRad = 0 } = signal.options.channel ?? {};
  const grid = resourceGrid(n);
  const demodulator = new OfdmDemodulator(n);
  const cfo = cfoHz / n.sampleRateHz;
  const response = responseOf(channel, n);
  const slots = layout.slots;
  const payload = new Float32Array(2 * layout.payloadRe);
  const payloadSnr = new Float32Array(layout.payloadRe);
  const efficiency = new Float64Array(slots * n.nSubbands);
  const row = new Float32Array(2 * n.nCarriers);
  const middles = new Float32Array(2 * n.nCarriers * slots);
  const backoff = Math.max(1, n.cpLength >> 3);
  const gain = amplitude * Math.cos(phaseRad);
  const gainIm = amplitude * Math.sin(phaseRad);
  for (let slot = 0; slot < slots; slot++) {
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const symbol = layout.controlSymbols + slot * SLOT_SYMBOLS + t;
      const begin = n.preambleLength + symbol * n.symbolLength + n.cpLength;
      const middle = signal.receivedIndexOf(begin + n.fftSize / 2);
      const exact = middle - n.fftSize / 2;
      const window = Math.round(exact) - backoff;
      demodulator.demodulate(signal.samples, window, cfo, window, exact - window, row, 0);
      const h = response(signal.fadingIndexOf(middle));
      const turns = grid.turnsOf(symbol);
      const carriers = grid.dataCarriersOf(t);
      if (t === SLOT_SYMBOLS / 2)
        for (let i = 0; i < h.length; i++) middles[2 * n.nCarriers * slot + i] = amplitude * h[i];
      for (let i = 0; i < carriers.length; i++) {
        const c = carriers[i];
        const hr = h[2 * c] * gain - h[2 * c + 1] * gainIm;
        const hi = h[2 * c] * gainIm + h[2 * c + 1] * gain;
        const sigma2 = noiseVariance + (extraNoise ? extraNoise[c] : 0);
        const p = slot * n.nSubbands * RB_DATA_RE + payloadIndex(t, i);
        payloadSnr[p] = equalise(row[2 * c], row[2 * c + 1], hr, hi, sigma2, payload, 2 * p);
        turn(payload, 2 * p, (4 - turns[i]) & 3);
        efficiency[slot * n.nSubbands + Math.floor(c / SUBBAND_CARRIERS)] += Math.log2(1 + payloadSnr[p]);
      }
    }
  }
  const rbSnrDb = efficiency.map((e) => 10 * Math.log10(2 ** (e / RB_DATA_RE) - 1));
  return { payload, payloadSnr, rbSnrDb, channel: middles };
}

/** exp(-2 pi i f tau) of every tap and carrier, [tap][nCarriers][re, im], kept for the last profiles. */
const steering = new Map<string, Float64Array>();

/**
 * `channel.frequencyResponse` at all carriers, [nCarriers][re, im], with the tap rotations looked up; the result is
 * overwritten by the next call.
 */
export function responseOf(channel: ScenarioChannel, n: Numerology): (index: number) => Float64Array {
  const { fading } = channel;
  const out = new Float64Array(2 * n.nCarriers);
  if (!fading) {
    for (let c = 0; c < n.nCarriers; c++) out[2 * c] = 1;
    return () => out;
  }
  const { delaysNs, name } = fading.profile;
  const key = `${name}/${n.id}/${delaysNs.join()}`;
  let table = steering.get(key);
  if (!table) {
    table = new Float64Array(2 * n.nCarriers * delaysNs.length);
    for (let k = 0, at = 0; k < delaysNs.length; k++) {
      for (const carrier of n.carriers) {
        const angle = -2e-9 * Math.PI * 15_000 * carrier * delaysNs[k];
        table[at++] = Math.cos(angle);
        table[at++] = Math.sin(angle);
      }
    }
    if (steering.size > 16) steering.clear();
    steering.set(key, table);
  }
  const turns = table;
  const gains = new Float64Array(2 * delaysNs.length);
  return (index) => {
    fading.tapGains(index, gains);
    out.fill(0);
    for (let k = 0, at = 0; k < delaysNs.length; k++) {
      const re = gains[2 * k];
      const im = gains[2 * k + 1];
      for (let c = 0; c < out.length; c += 2, at += 2) {
        out[c] += re * turns[at] - im * turns[at + 1];
        out[c + 1] += re * turns[at + 1] + im * turns[at];
      }
    }
    return out;
  };
}

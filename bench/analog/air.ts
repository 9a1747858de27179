import { BurstTransmitter, TRANSMIT_RMS_DBFS } from '../../src/phy/burst/transmit.ts';
import { EnvelopeClipStage, QuantiserStage } from '../../src/phy/channel/amplitude.ts';
import { equalise } from '../../src/phy/equalise.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../../src/phy/numerology.ts';
import { OfdmDemodulator } from '../../src/phy/ofdm/demodulate.ts';
import { payloadIndex, resourceGrid, turn } from '../../src/phy/resource-grid.ts';

/** The digital part of a transmitter. */
export interface Digital {
  readonly levelDbfs: number;
  /** The envelope is limited to so many dB over the RMS; null = not at all. */
  readonly envelopeDb: number | null;
  /** Word length of the converter; null = no converter (but its full scale is counted). */
  readonly bits: number | null;
  /** Word length of the receiver's converter behind it, at -12 dBFS RMS; null = none. */
  readonly receiverBits: number | null;
}

/** Level at which a receiver's converter is driven. */
const RECEIVE_DBFS = -12;

export const IDEAL: Digital = { levelDbfs: TRANSMIT_RMS_DBFS, envelopeDb: null, bits: null, receiverBits: null };

export interface OnAir {
  /** RE as a receiver beside the transmitter sees them: gain x sent + distortion, [RE][re, im]. */
  readonly payload: Float32Array;
  /** Real gain (limiting takes amplitude) and mean square of the distortion, relative to unit mean power. */
  readonly gain: number;
  readonly distortion: number;
  readonly samples: number;
  /** Samples with a component beyond full scale, and those that the envelope limit touched. */
  readonly overFullScale: number;
  readonly limited: number;
  /** Mean power on the FFT bins without a carrier relative to one with, dB; null where exactly nothing is there. */
  readonly unusedBinsDb: number | null;
}

/**
 * A burst's slots through modulator, level, envelope limit and converter, and the demodulator at the true place.
 *
 * @param payload unit mean power, [slot x nSubbands + subband][154][re, im]
 * @param turns false takes the air interface's quarter turns off again
 */
export function transmit(n: Numerology, slots: number, payload: Float32Array, turns: boolean, digital: Digital): OnAir {
  const grid = resourceGrid(n);
  const samples = burstSamples(n, slots, payload, turns);
  const factor = 10 ** ((digital.levelDbfs - TRANSMIT_RMS_DBFS) / 20);
  for (let i = 0; i < samples.length; i++) samples[i] *= factor;
  let wave = samples.subarray(2 * (n.preambleLength + n.headerSymbols * n.symbolLength));
  let limited = 0;
  if (digital.envelopeDb !== null) {
    const clip = new EnvelopeClipStage(digital.levelDbfs + digital.envelopeDb);
    wave = clip.process(wave);
    limited = clip.clippedSamples;
  }
  let overFullScale = 0;
  for (let i = 0; i < wave.length; i += 2) {
    if (Math.abs(wave[i]) > 1 || Math.abs(wave[i + 1]) > 1) overFullScale++;
  }
  if (digital.bits !== null) wave = new QuantiserStage(digital.bits).process(wave);
  if (digital.receiverBits !== null) {
    const gain = 10 ** ((RECEIVE_DBFS - digital.levelDbfs) / 20);
    const converted = new QuantiserStage(digital.receiverBits).process(wave.map((v) => gain * v));
    wave = converted.map((v) => v / gain);
  }

  const rms = 10 ** (digital.levelDbfs / 20);
  const scale = Math.sqrt(n.nCarriers / n.fftSize) / rms;
  const demodulator = new OfdmDemodulator(n);
  const row = new Float32Array(2 * n.nCarriers);
  const used = new Uint8Array(n.fftSize);
  for (const bin of n.bins) used[bin] = 1;
  const out = new Float32Array(payload.length);
  let outside = 0;
  for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
    demodulator.demodulate(wave, symbol * n.symbolLength + n.cpLength, 0, 0, 0, row, 0);
    for (let b = 0; b < n.fftSize; b++) {
      if (!used[b]) outside += demodulator.spectrum[2 * b] ** 2 + demodulator.spectrum[2 * b + 1] ** 2;
    }
    const t = symbol % SLOT_SYMBOLS;
    const base = Math.floor(symbol / SLOT_SYMBOLS) * n.nSubbands * RB_DATA_RE;
    const carriers = grid.dataCarriersOf(t);
    const quarter = grid.turnsOf(n.headerSymbols + symbol);
    for (let i = 0; i < carriers.length; i++) {
      const p = 2 * (base + payloadIndex(t, i));
      out[p] = scale * row[2 * carriers[i]];
      out[p + 1] = scale * row[2 * carriers[i] + 1];
      if (turns) turn(out, p, (4 - quarter[i]) & 3);
    }
  }
  const emptyBins = slots * SLOT_SYMBOLS * (n.fftSize - n.nCarriers);
  const unusedPower = (scale * scale * outside) / emptyBins;
  return {
    payload: out,
    ...gainAndDistortion(payload, out),
    samples: wave.length / 2,
    overFullScale,
    limited,
    // Rounding of the transforms alone is near -130 dB.
    unusedBinsDb: unusedPower > 1e-12 ? 10 * Math.log10(unusedPower) : null,
  };
}

/** Samples of a burst with this payload; without `turns` the payload is turned back beforehand so that it goes on air as it is. */
export function burstSamples(n: Numerology, slots: number, payload: Float32Array, turns: boolean): Float32Array {
  let content = payload;
  if (!turns) {
    const grid = resourceGrid(n);
    content = payload.slice();
    for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
      const quarter = grid.turnsOf(n.headerSymbols + symbol);
      const base = Math.floor(symbol / SLOT_SYMBOLS) * n.nSubbands * RB_DATA_RE;
      for (let i = 0; i < n.symbolDataRe; i++) {
        turn(content, 2 * (base + payloadIndex(symbol % SLOT_SYMBOLS, i)), (4 - quarter[i]) & 3);
      }
    }
  }
  const header = { numerology: n.id, session: 1, burst: 1, kind: 1, slots, csiNumber: 0, modelSet: 0, extensionMcs: 0 };
  const none = new Uint8Array(0);
  return new BurstTransmitter(n).build({ header: { ...header, kind: 1 }, extension: none, payload: content });
}

function gainAndDistortion(sent: Float32Array, seen: Float32Array): { gain: number; distortion: number } {
  let cross = 0;
  let power = 0;
  for (let i = 0; i < sent.length; i++) {
    cross += sent[i] * seen[i];
    power += sent[i] * sent[i];
  }
  const gain = cross / power;
  let error = 0;
  for (let i = 0; i < sent.length; i++) error += (seen[i] - gain * sent[i]) ** 2;
  return { gain, distortion: (2 * error) / sent.length };
}

/**
 * The slots' RE after a static channel, noise and the MMSE equaliser, with each RE's SNR. The channel is applied RE by RE, which is
 * what the cyclic prefix makes of it (a test holds it against the tapped delay line in time); the receiver knows channel, noise
 * and the level of the transmitter's distortion.
 *
 * @param channel H of every carrier, [nCarriers][re, im]
 * @param noise unit-variance complex noise, [RE][re, im]
 */
export function receive(
  n: Numerology,
  slots: number,
  air: OnAir,
  channel: Float64Array,
  snrDb: number,
  noise: Float32Array,
): { payload: Float32Array; snr: Float64Array } {
  const grid = resourceGrid(n);
  const n0 = 10 ** (-snrDb / 10);
  const sigma = Math.sqrt(n0);
  const payload = new Float32Array(air.payload.length);
  const snr = new Float64Array(payload.length / 2);
  for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
    const t = symbol % SLOT_SYMBOLS;
    const base = Math.floor(symbol / SLOT_SYMBOLS) * n.nSubbands * RB_DATA_RE;
    const carriers = grid.dataCarriersOf(t);
    for (let i = 0; i < carriers.length; i++) {
      const re = base + payloadIndex(t, i);
      const hr = channel[2 * carriers[i]];
      const hi = channel[2 * carriers[i] + 1];
      const xr = air.payload[2 * re];
      const xi = air.payload[2 * re + 1];
      const yr = hr * xr - hi * xi + sigma * noise[2 * re];
      const yi = hr * xi + hi * xr + sigma * noise[2 * re + 1];
      const variance = n0 + (hr * hr + hi * hi) * air.distortion;
      snr[re] = equalise(yr, yi, air.gain * hr, air.gain * hi, variance, payload, 2 * re);
    }
  }
  return { payload, snr };
}

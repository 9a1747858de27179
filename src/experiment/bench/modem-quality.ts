import { snrDbForInformation } from '../../phy/modulation/mutual-information.ts';
import type { ModulationOrder } from '../../phy/modulation/qam.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { meanInterval } from '../stats.ts';
import { type BenchRow, row } from './modem-acquisition.ts';
import { genieReceive } from './modem-genie.ts';
import { informationPerSlot, makeTrial, receiveTrial, rightBurst, type TrialOptions } from './modem-trial.ts';

const SLOTS = 4;

function total(values: Float64Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return sum;
}

/**
 * Loss against a genie (true timing, offsets, channel, noise) on the same samples, as effective SNR: the AWGN at which
 * as much information is carried as by the LLRs of all bursts together. The interval is that of the mean difference of
 * information, taken through the slope at the mean. Lost bursts count as no information.
 */
export function lossRow(n: Numerology, channel: string, snrDb: number, qm: ModulationOrder, trials: number): BenchRow {
  const re = SLOTS * n.nSubbands * RB_DATA_RE;
  const differences: number[] = [];
  let best = 0;
  for (let k = 0; k < trials; k++) {
    const seed = `loss/${channel}/${k}`;
    const offsets = { cfoHz: ((7919 * k) % 40_000) - 20_000, phaseRad: k % 6, startDelaySamples: (0.37 * k) % 1 };
    const signal = makeTrial({ numerology: n, seed, slots: SLOTS, snrDb, qm, channel: { channel, ...offsets } });
    const record = rightBurst(signal, receiveTrial(signal));
    const genie = genieReceive(signal);
    const possible = total(informationPerSlot(signal, genie.payload, genie.payloadSnr, SLOTS)) / re;
    const got = record ? total(informationPerSlot(signal, record.payload, record.payloadSnr, SLOTS)) / re : 0;
    best += possible / trials;
    differences.push(possible - got);
  }
  const d = meanInterval(differences);
  const reference = snrDbForInformation(qm, best);
  const inDb = (bits: number) => reference - snrDbForInformation(qm, best - bits);
  return row(
    {
      name: `effective SNR lost to the genie, ${channel} ${snrDb} dB, ${2 ** qm}-QAM`,
      subbands: n.nSubbands,
      unit: 'dB',
      limit: channel === 'awgn' ? 0.5 : 1.5,
    },
    { value: inDb(d.value), low: inDb(d.low), high: inDb(d.high), n: trials },
  );
}

/** Effective SNR at 15 dB less than 15 dB, with all faults of the front ends. */
export function faultRow(n: Numerology, channel: string, trials: number): BenchRow {
  const faults = { iqDb: 0.5, iqDeg: 3, dcDbfs: -20, bits: 8, phaseNoise: 'hackrf' };
  const re = SLOTS * n.nSubbands * RB_DATA_RE;
  const bits: number[] = [];
  for (let seed = 0; seed < trials; seed++) {
    const both = { channel, ...faults, rxLevelDbfs: -12, tx: faults, cfoHz: 12_000 };
    const signal = makeTrial({ numerology: n, seed, slots: SLOTS, snrDb: 15, qm: 4, leadSamples: 6000, channel: both });
    const record = rightBurst(signal, receiveTrial(signal));
    bits.push(record ? total(informationPerSlot(signal, record.payload, record.payloadSnr, SLOTS)) / re : 0);
  }
  const m = meanInterval(bits);
  const lost = (b: number) => 15 - snrDbForInformation(4, b);
  return row(
    { name: 'effective SNR lost to front-end faults, 15 dB', subbands: n.nSubbands, unit: 'dB', limit: 1 },
    { value: lost(m.value), low: lost(m.high), high: lost(m.low), n: trials },
  );
}

/** Worst loss of any subband through receiver DC 10 dB above a subcarrier, over four offsets. */
export function dcRow(n: Numerology, trials: number): BenchRow {
  const dcDbfs = -11 - 10 * Math.log10(n.nCarriers) + 10;
  let worst = { value: Number.NEGATIVE_INFINITY, low: 0, high: 0, n: trials };
  for (const cfoHz of [0, 7_500, 45_000, 100_000]) {
    const losses = Array.from({ length: n.nSubbands }, () => [] as number[]);
    for (let seed = 0; seed < trials; seed++) {
      const base = { numerology: n, seed, slots: SLOTS, snrDb: 15, leadSamples: 6000 };
      const clean = subbandErrors({ ...base, channel: { cfoHz } });
      const spoilt = subbandErrors({ ...base, channel: { cfoHz, dcDbfs } });
      for (let s = 0; s < n.nSubbands; s++) losses[s].push(10 * Math.log10(spoilt[s] / clean[s]));
    }
    for (const loss of losses) {
      const m = meanInterval(loss);
      if (m.value > worst.value) worst = m;
    }
  }
  return row(
    { name: 'worst subband loss by receiver DC, CFO 0 to 100 kHz', subbands: n.nSubbands, unit: 'dB', limit: 0.5 },
    worst,
  );
}

function subbandErrors(options: TrialOptions): Float64Array {
  const signal = makeTrial(options);
  const record = rightBurst(signal, receiveTrial(signal));
  const out = new Float64Array(options.numerology.nSubbands);
  if (!record) return out.fill(Number.POSITIVE_INFINITY);
  for (let p = 0; p < record.payloadSnr.length; p++) {
    const g = (1 + record.payloadSnr[p]) / record.payloadSnr[p];
    const re = g * record.payload[2 * p] - signal.payload[2 * p];
    const im = g * record.payload[2 * p + 1] - signal.payload[2 * p + 1];
    out[Math.floor(p / RB_DATA_RE) % out.length] += re * re + im * im;
  }
  return out;
}

/** |bias| and RMS of the RB SNR on AWGN, 0 to 30 dB; the interval of the RMS is over bursts. */
export function rbSnrRows(n: Numerology, trials: number): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const snrDb of [0, 10, 20, 30]) {
    const means: number[] = [];
    const squares: number[] = [];
    for (let k = 0; k < trials; k++) {
      const signal = makeTrial({ numerology: n, seed: `rb/${k}`, slots: SLOTS, snrDb, channel: { cfoHz: 3000 } });
      const record = rightBurst(signal, receiveTrial(signal));
      if (!record) continue;
      let sum = 0;
      let square = 0;
      for (const v of record.rbSnrDb) {
        sum += v - snrDb;
        square += (v - snrDb) ** 2;
      }
      means.push(sum / record.rbSnrDb.length);
      squares.push(square / record.rbSnrDb.length);
    }
    const bias = meanInterval(means);
    const flip = bias.value < 0 ? -1 : 1;
    const ends = [flip * bias.low, flip * bias.high].sort((a, b) => a - b);
    const head = { subbands: n.nSubbands, unit: 'dB' };
    rows.push(
      row(
        { ...head, name: `RB SNR |bias| at ${snrDb} dB`, limit: 0.3 },
        { value: Math.abs(bias.value), low: ends[0], high: ends[1], n: bias.n },
      ),
    );
    const m = meanInterval(squares);
    const root = (v: number) => Math.sqrt(Math.max(0, v));
    rows.push(
      row(
        { ...head, name: `RB SNR RMS at ${snrDb} dB`, limit: snrDb < 10 ? 1 : 0.5 },
        { value: root(m.value), low: root(m.low), high: root(m.high), n: m.n },
      ),
    );
  }
  return rows;
}

import type { BurstRecord } from '../../phy/burst/record.ts';
import { quietVariance } from '../../phy/channel-est/interference.ts';
import { type Numerology, SUBBAND_CARRIERS } from '../../phy/numerology.ts';
import { c8, f4, f8, i4, type Table } from './table.ts';

type Records = readonly Pick<
  BurstRecord,
  'rbSnrDb' | 'rbSnrErrorDb' | 'rbNoise' | 'rbNoiseError' | 'channel' | 'channelError'
>[];

/** How H, its error and the noise belong together; stands in the export. */
export const AMPLITUDE_UNIT =
  'h, h_error and noise of one burst share a unit: SNR of a resource element = (|h|^2 - h_error^2) / noise; each burst has its own common phase and delay';

/** Middle of each received slot, s. */
export function slotTimes(
  n: Numerology,
  record: Pick<BurstRecord, 'startSample' | 'lengthSamples' | 'header' | 'slots'>,
  timeOf: (modemSample: number) => number,
): Float64Array {
  const first = record.startSample + record.lengthSamples - record.header.slots * n.slotLength;
  return Float64Array.from({ length: record.slots }, (_, slot) => timeOf(first + (slot + 0.5) * n.slotLength));
}

/** One row a resource block: its SNR as docs/metrics.md defines it and its noise, both with standard errors. */
export function rbTable(records: Records, slotTimesS: readonly Float64Array[], nSubbands: number): Table {
  const total = records.reduce((sum, r) => sum + r.rbSnrDb.length, 0);
  const [burst, slot, subband] = [new Int32Array(total), new Int32Array(total), new Int32Array(total)];
  const time = new Float64Array(total);
  const [snr, error] = [new Float32Array(total), new Float32Array(total)];
  const [noise, noiseError] = [new Float32Array(total), new Float32Array(total)];
  let at = 0;
  records.forEach((record, row) => {
    for (let i = 0; i < record.rbSnrDb.length; i++, at++) {
      burst[at] = row;
      slot[at] = Math.floor(i / nSubbands);
      subband[at] = i % nSubbands;
      time[at] = slotTimesS[row][slot[at]];
      snr[at] = record.rbSnrDb[i];
      error[at] = record.rbSnrErrorDb[i];
      noise[at] = record.rbNoise[i];
      noiseError[at] = record.rbNoise[i] * record.rbNoiseError[i];
    }
  });
  return {
    name: 'rb',
    about: 'SNR and noise variance of each resource block with their standard errors; time of its middle',
    columns: {
      burst: i4(burst),
      slot: i4(slot),
      subband: i4(subband),
      time_s: f8(time),
      snr_db: f4(snr),
      error_db: f4(error),
      noise: f4(noise),
      noise_error: f4(noiseError),
    },
  };
}

/** One row a slot: H(f) in its middle over all carriers, standard error of H and noise variance of every subband. */
export function channelTable(records: Records, slotTimesS: readonly Float64Array[], n: Numerology): Table {
  const { nCarriers, nSubbands } = n;
  const slots = slotTimesS.reduce((sum, times) => sum + times.length, 0);
  const [burst, slot] = [new Int32Array(slots), new Int32Array(slots)];
  const time = new Float64Array(slots);
  const h = new Float32Array(2 * nCarriers * slots);
  const [error, noise] = [new Float32Array(nSubbands * slots), new Float32Array(nSubbands * slots)];
  let at = 0;
  records.forEach((record, row) => {
    h.set(record.channel, 2 * nCarriers * at);
    noise.set(record.rbNoise, nSubbands * at);
    // As the receiver takes it: under interference H comes from the quiet pilots, and so does its error.
    const quiet = record.rbNoise.length > 0 ? 2 * quietVariance(record.rbNoise) : 0;
    record.rbNoise.forEach((v, i) => {
      error[nSubbands * at + i] = Math.sqrt(record.channelError * Math.min(v, quiet));
    });
    for (let s = 0; s < slotTimesS[row].length; s++, at++) {
      burst[at] = row;
      slot[at] = s;
      time[at] = slotTimesS[row][s];
    }
  });
  return {
    name: 'channel',
    about: `channel estimate in the middle of each slot, [slot][carrier]; ${AMPLITUDE_UNIT} (those are [slot][subband] of ${SUBBAND_CARRIERS} carriers)`,
    columns: {
      burst: i4(burst),
      slot: i4(slot),
      time_s: f8(time),
      h: c8(h, [slots, nCarriers]),
      h_error: f4(error, [slots, nSubbands]),
      noise: f4(noise, [slots, nSubbands]),
    },
  };
}

/**
 * Makes the vectors beside it with our transmitter: `node --import tsx test/vectors/air-interface/make.ts`.
 * One 16-QAM burst of one slot a numerology, with an extension, at 26 dB, a start between samples, phase and a mild
 * frequency offset, as interleaved little-endian int16; and what it carries, as JSON. Then two bursts
 * with coded streams (make-streams.ts).
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { packBits } from '../../../src/common/bits.ts';
import { makeTrial, type TrialSignal } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { NUMEROLOGIES, type Numerology } from '../../../src/phy/numerology.ts';
import { makeStreamVectors } from './make-streams.ts';

export interface Vector {
  readonly file: string;
  readonly samples: Int16Array;
  readonly expected: { numerology: number; session: number; burst: number; extension: string; payload: string };
}

/** Receiver gain of the file, so that int16 is well used. */
const GAIN = 2;

export function makeVector(numerology: Numerology): Vector {
  const signal: TrialSignal = makeTrial({
    numerology,
    seed: `air-interface/${numerology.id}`,
    slots: 1,
    snrDb: 26,
    qm: 4,
    extensionBytes: 16,
    leadSamples: 200 + 37 * numerology.id,
    channel: { cfoHz: 4_300 - 2_100 * numerology.id, phaseRad: 1 + numerology.id, startDelaySamples: 5.3 },
  });
  return {
    file: `numerology-${numerology.id}`,
    samples: quantise(signal),
    expected: {
      numerology: numerology.id,
      session: signal.session,
      burst: signal.burst,
      extension: Buffer.from(signal.extension).toString('hex'),
      payload: Buffer.from(packBits(signal.bits)).toString('hex'),
    },
  };
}

/** A burst's samples to its end as int16. */
export function quantise(signal: TrialSignal): Int16Array {
  const end = Math.ceil(signal.receivedIndexOf(signal.layout.samples)) + 40;
  return Int16Array.from(signal.samples.subarray(0, 2 * end), (v) =>
    Math.max(-32768, Math.min(32767, Math.round(GAIN * 32768 * v))),
  );
}

/** int16 as little-endian bytes on any machine. */
export function littleEndian(samples: Int16Array): Buffer {
  const out = Buffer.alloc(2 * samples.length);
  samples.forEach((v, i) => {
    out.writeInt16LE(v, 2 * i);
  });
  return out;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, samples, expected } of [...NUMEROLOGIES.map(makeVector), ...makeStreamVectors(quantise)]) {
    writeFileSync(new URL(`${file}.ci16`, import.meta.url), littleEndian(samples));
    writeFileSync(new URL(`${file}.json`, import.meta.url), `${JSON.stringify(expected, null, 1)}\n`);
  }
}

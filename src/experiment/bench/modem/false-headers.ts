import { RandomStream } from '../../../common/random.ts';
import { BurstReceiver } from '../../../phy/burst/burst-receiver.ts';
import { TRANSMIT_RMS } from '../../../phy/burst/transmit.ts';
import type { Numerology } from '../../../phy/numerology.ts';
import { clopperPearson } from '../../metrics/stats.ts';
import { shortBursts } from './detection.ts';
import type { BenchContext, Measured, Measurement } from './measurement.ts';
import { rightBurst, type TrialContent, trialNoiseVariance } from './modem-trial.ts';
import { poissonRate, row } from './row.ts';

const BLOCK = 65_536;

/** Headers decoded from `seconds` of noise alone, per 10 s; the interval is the Poisson one. */
export function falseHeaderMeasurement(n: Numerology, seconds: number): Measurement {
  return {
    part: 'false-headers',
    id: `false-headers-${n.nSubbands}`,
    run: (context) => falseHeaders(n, seconds, context),
  };
}

async function falseHeaders(n: Numerology, seconds: number, context: BenchContext): Promise<Measured> {
  const seed = `false headers/${n.id}`;
  const random = new RandomStream(seed);
  const receiver = new BurstReceiver(n);
  const block = new Float32Array(2 * BLOCK);
  const blocks = Math.ceil((seconds * n.sampleRateHz) / BLOCK);
  let found = 0;
  for (let k = 0; k < blocks; k++) {
    block.fill(0);
    random.addComplexNoise(block, 0.01);
    for (const r of receiver.push(block)) if (r.type === 'burst') found++;
    await context.step(k + 1, blocks);
  }
  const head = {
    part: 'false-headers' as const,
    name: `headers read from ${seconds} s of noise, in 10 s`,
    subbands: n.nSubbands,
    unit: 'count',
    limit: 1,
    seeds: seed,
  };
  return { rows: [row(head, poissonRate(found, (blocks * BLOCK) / n.sampleRateHz / 10, blocks * BLOCK))] };
}

/** Of this SNR a burst is found with near certainty, so that one lost behind a decoy was lost to the decoy. */
const HIDING_SNR_DB = 0;

/**
 * Real bursts lost because of a false detection: a decoy, the detection part of a preamble with nothing of a burst behind
 * it, 0 to 10 dB above the signal, ends up to a header's length before the real burst, so that what the receiver takes
 * for header and training is the real preamble. The same stream without the decoy tells which bursts would have been found.
 */
export function hidingMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'false-headers', id: `hiding-${n.nSubbands}`, run: (context) => hiding(n, trials, context) };
}

async function hiding(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const contents = shortBursts(n);
  const name = `hiding/${n.id}`;
  const sigma = Math.sqrt(trialNoiseVariance(n, HIDING_SNR_DB));
  let lost = 0;
  let found = 0;
  let triggered = 0;
  for (let k = 0; k < trials; k++) {
    const random = new RandomStream(`${name}/${k}`);
    const content = contents(k);
    const decoy = contents(k + 1).sent;
    const decoyLength = n.nSegments * n.segmentLength;
    const decoyStart = 500 + random.integer(500);
    const gap = random.integer(n.headerSymbols * n.symbolLength);
    const gain = 10 ** (random.between(0, 10) / 20);
    const start = decoyStart + decoyLength + gap;
    const samples = new Float32Array(2 * (start + 3 * n.symbolLength + 400) + content.sent.length);
    random.addComplexNoise(samples, 1);
    for (let i = 0; i < samples.length; i++) samples[i] *= sigma;
    for (let i = 0; i < content.sent.length; i++) samples[2 * start + i] += content.sent[i];
    const without = receive(n, content, samples);
    for (let i = 0; i < 2 * decoyLength; i++) samples[2 * decoyStart + i] += gain * decoy[i];
    const withDecoy = receive(n, content, samples);
    if (withDecoy.misses > without.misses) triggered++;
    if (without.right) {
      found++;
      if (!withDecoy.right) lost++;
    }
    await context.step(k + 1, trials);
  }
  const common = { part: 'false-headers' as const, subbands: n.nSubbands, seeds: `${name}/0 to ${trials - 1}` };
  const lostShare = clopperPearson(lost, found);
  const triggeredShare = clopperPearson(triggered, trials);
  return {
    rows: [
      row({ ...common, name: 'real bursts lost behind a false preamble, 0 dB', unit: 'share', limit: 0 }, lostShare),
      row(
        { ...common, name: 'false preambles that the receiver took up', unit: 'share', limit: 0.5, least: true },
        triggeredShare,
      ),
    ],
  };
}

function receive(n: Numerology, content: TrialContent, samples: Float32Array): { right: boolean; misses: number } {
  const receiver = new BurstReceiver(n);
  const records = [...receiver.push(samples), ...receiver.flush()];
  return { right: rightBurst(content, records) !== null, misses: receiver.misses };
}

/** Bursts of one slot without a gap at 10 dB. */
export function gaplessMeasurement(n: Numerology, bursts: number): Measurement {
  return { part: 'no-gap', id: `no-gap-${n.nSubbands}`, run: (context) => gapless(n, bursts, context) };
}

async function gapless(n: Numerology, bursts: number, context: BenchContext): Promise<Measured> {
  const contents = shortBursts(n);
  const seed = `no gap/${n.id}`;
  const random = new RandomStream(seed);
  const variance = TRANSMIT_RMS ** 2 * (n.fftSize / n.nCarriers) * 0.1;
  const receiver = new BurstReceiver(n);
  const starts: { at: number; content: TrialContent }[] = [];
  let right = 0;
  let sent = 0;
  const take = (records: ReturnType<BurstReceiver['push']>) => {
    for (const r of records) {
      if (r.type !== 'burst') continue;
      const own = starts.find((s) => Math.abs(s.at - r.startSample) < n.cpLength);
      if (own && rightBurst(own.content, [r])) right++;
    }
  };
  for (let k = 0; k < bursts; k++) {
    const content = contents(k);
    starts.push({ at: sent, content });
    if (starts.length > 8) starts.shift();
    sent += content.layout.samples;
    const samples = content.sent.slice();
    random.addComplexNoise(samples, variance);
    take(receiver.push(samples));
    await context.step(k + 1, bursts);
  }
  take(receiver.flush());
  const head = {
    part: 'no-gap' as const,
    name: 'bursts back to back without a gap found, 10 dB',
    subbands: n.nSubbands,
    unit: 'share',
    limit: 0.999,
    least: true,
    seeds: seed,
  };
  return { rows: [row(head, clopperPearson(right, bursts))] };
}

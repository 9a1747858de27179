import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import type { BurstRecord, ReceiverRecord } from '../../../src/phy/burst/record.ts';
import { BurstTransmitter, paddingSymbols, TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { type Numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';

/** Samples of a burst with padding as payload. */
export function burstSamples(
  n: Numerology,
  burst: number,
  slots = 1,
  extension: Uint8Array = new Uint8Array(0),
): Float32Array {
  const header = {
    numerology: n.id,
    session: 1,
    burst,
    kind: 1 as const,
    slots,
    csiNumber: 0,
    modelSet: 0,
    extensionMcs: 0,
  };
  return new BurstTransmitter(n).build({
    header,
    extension,
    payload: paddingSymbols(n, slots * n.nSubbands * RB_DATA_RE),
  });
}

/** `length` samples of silence with pieces added at the given samples, then noise for that Es/N0 per RE. */
export function onAir(
  n: Numerology,
  length: number,
  pieces: readonly (readonly [number, Float32Array])[],
  snrDb: number,
  seed: number | string = 1,
): Float32Array {
  const out = new Float32Array(2 * length);
  for (const [at, piece] of pieces) for (let i = 0; i < piece.length; i++) out[2 * at + i] += piece[i];
  const variance = (TRANSMIT_RMS ** 2 * n.fftSize) / n.nCarriers / 10 ** (snrDb / 10);
  new RandomStream(`air ${seed}`).addComplexNoise(out, variance);
  return out;
}

/** Pushes samples in blocks of the sizes given (repeated) and flushes. */
export function receive(n: Numerology, samples: Float32Array, sizes: readonly number[] = [4096]): ReceiverRecord[] {
  const receiver = new BurstReceiver(n);
  const records: ReceiverRecord[] = [];
  let at = 0;
  for (let k = 0; at < samples.length; k++) {
    const size = 2 * sizes[k % sizes.length];
    records.push(...receiver.push(samples.subarray(at, at + size)));
    at += size;
  }
  return [...records, ...receiver.flush()];
}

export function bursts(records: readonly ReceiverRecord[]): BurstRecord[] {
  return records.filter((r) => r.type === 'burst');
}

/** Mean error power of the payload against the padding that was sent, bias of the MMSE equaliser removed. */
export function errorPower(n: Numerology, record: BurstRecord, from = 0, to = record.slots): number {
  const sent = paddingSymbols(n, record.slots * n.nSubbands * RB_DATA_RE);
  const perSlot = n.nSubbands * RB_DATA_RE;
  let sum = 0;
  for (let i = from * perSlot; i < to * perSlot; i++) {
    const g = (1 + record.payloadSnr[i]) / record.payloadSnr[i];
    sum += (g * record.payload[2 * i] - sent[2 * i]) ** 2 + (g * record.payload[2 * i + 1] - sent[2 * i + 1]) ** 2;
  }
  return sum / ((to - from) * perSlot);
}

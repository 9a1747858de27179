import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import type { ReceivedPart } from '../../src/link/harq/received-part.ts';
import { Receiver } from '../../src/link/receiver.ts';
import { mapOfExtension, placeExtension } from '../../src/link/resource-map.ts';
import { BurstTransmitter, paddingSymbols, TRANSMIT_RMS } from '../../src/phy/burst/transmit.ts';
import { buildChannel } from '../../src/phy/channel/scenario.ts';
import { noiseVarianceFor } from '../../src/phy/channel/snr.ts';
import { type Extension, encodeExtension } from '../../src/phy/frame/extension.ts';
import { BurstKind } from '../../src/phy/frame/header.ts';
import { AnalogMapper } from '../../src/phy/modulation/analog.ts';
import { RB_DATA_RE } from '../../src/phy/numerology.ts';
import { rbMapCrc16 } from '../../src/sct/allocation/rb-map.ts';
import { combined } from './harq/combined.ts';
import { BytesCodec, burstsOf, SMALL } from './helpers.ts';

const SLOTS = 4;
const ROOM = SLOTS * SMALL.nSubbands * RB_DATA_RE;

/** Gaussian symbols, magnitude at most 4. */
function symbolsOf(seed: string): Float32Array {
  const out = new Float32Array(2 * ROOM);
  new RandomStream(seed).addComplexNoise(out, 1, 0, out.length);
  for (let i = 0; i < ROOM; i++) {
    const scale = Math.min(1, 4 / Math.hypot(out[2 * i], out[2 * i + 1]));
    out[2 * i] *= scale;
    out[2 * i + 1] *= scale;
  }
  return out;
}

/** Samples of a burst that sends the first `re` symbols as one analog stream. */
function burst(number: number, symbols: Float32Array, re: number, more: Partial<Extension> = {}): Float32Array {
  const loose: Extension = {
    codec: 4,
    image: 1,
    part: 0,
    partsLess1: 0,
    process: 2,
    redundancyVersion: 0,
    newData: 1,
    time: null,
    repeats: number === 0 ? 0 : 1,
    original: 0,
    sideBytes: 0,
    sideRate: 0,
    interleaved: number % 2,
    modulation: new Array(SMALL.nSubbands).fill(5),
    order: null,
    power: null,
    earlier: 0,
    later: 0,
    streams: [{ id: 7, analog: 1, baseGraph: 0, score: 200, re, bytes: 0 }],
    blocks: [],
    mapCrc: 0,
    ...more,
  };
  const e = { ...loose, mapCrc: rbMapCrc16(mapOfExtension(SMALL, loose)) };
  const { positions } = placeExtension(SMALL, SLOTS, e);
  const payload = paddingSymbols(SMALL, ROOM);
  new AnalogMapper().map(symbols.subarray(0, 2 * re), positions, payload);
  return new BurstTransmitter(SMALL).build({
    header: {
      numerology: SMALL.id,
      session: 1,
      burst: number,
      kind: number === 0 ? BurstKind.data : BurstKind.retransmission,
      slots: SLOTS,
      csiNumber: 0,
      modelSet: 0,
      extensionMcs: 0,
    },
    extension: encodeExtension(SMALL, e),
    payload,
  });
}

/** A receiver behind a channel, and what it holds of the one analog stream after each burst. */
function link(channelName: string, snrDb: number, seed: number) {
  const rate = SMALL.sampleRateHz;
  const noiseVariance = noiseVarianceFor({
    snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize: SMALL.fftSize,
    occupiedCarriers: SMALL.nCarriers,
    modemRateHz: rate,
    deviceRateHz: rate,
  });
  const channel = buildChannel({
    rateHz: rate,
    noiseVariance,
    channel: channelName,
    seed,
    signalPower: TRANSMIT_RMS ** 2,
    cfoHz: 900,
    startDelaySamples: 17.4,
  });
  const receiver = new Receiver({ numerology: SMALL, codecs: [new BytesCodec()] });
  const hear = (samples: Float32Array, pauseS = 1e-3) => {
    const silence = () => new Float32Array(2 * Math.round(pauseS * rate));
    // Noise looks like a preamble now and then: a miss.
    const events = burstsOf([silence(), samples, silence()].flatMap((s) => receiver.push(channel.process(s))));
    assert.equal(events.length, 1);
    const [event] = events;
    assert.equal(event.problem, null);
    return event;
  };
  const stream = () => {
    const state = (receiver.received[0].parts[0] as ReceivedPart).streams.get(7);
    assert.ok(state?.kind === 'analog');
    return state;
  };
  return { receiver, hear, stream };
}

/** Mean over the symbols of snr as said, and the real one of the unbiased symbols weighed by it, dB. */
function snrs(sent: Float32Array, combiner: ReturnType<ReturnType<typeof link>['stream']>['combiner']) {
  const { snr, mmse } = combined(combiner);
  let error = 0;
  let said = 0;
  for (let i = 0; i < snr.length; i++) {
    const unbias = (1 + snr[i]) / snr[i];
    const e = (unbias * mmse[2 * i] - sent[2 * i]) ** 2 + (unbias * mmse[2 * i + 1] - sent[2 * i + 1]) ** 2;
    // Each term is 1 on average where the said SNR is the real one.
    error += snr[i] * e;
    said += snr[i];
  }
  return { saidDb: 10 * Math.log10(said / snr.length), excessDb: 10 * Math.log10(error / snr.length) };
}

test('an analog stream repeated over the air gains 3 dB at the second, 4.8 dB at the third reception', () => {
  const sent = symbolsOf('analog repeated');
  const { hear, stream, receiver } = link('awgn', 8, 1);
  const first: number[] = [];
  for (let n = 0; n < 3; n++) {
    const event = hear(burst(n, sent, ROOM));
    assert.equal(event.outcome, n === 0 ? 'new' : 'repetition');
    assert.deepEqual(event.ack!.blocks, [], 'analog symbols are not acknowledged');
    const { saidDb, excessDb } = snrs(sent, stream().combiner);
    first.push(saidDb);
    // 3696 symbols: standard error of each burst's SNR 0.13 dB; the channel estimate's error adds to the noise.
    assert.ok(Math.abs(saidDb - first[0] - 10 * Math.log10(n + 1)) < 0.4, `${n}: ${first}`);
    assert.ok(Math.abs(excessDb) < 0.4, `${n}: the real SNR is ${excessDb} dB off`);
  }
  assert.ok(Math.abs(first[0] - 8) < 0.5, `${first[0]}`);
  assert.equal(receiver.harq.counters.repetition, 2);
});

test('in fading every symbol gains by its other reception, and the SNRs are those that the symbols have', () => {
  const sent = symbolsOf('analog fading');
  let gain = 0;
  const trials = 6;
  for (let seed = 1; seed <= trials; seed++) {
    const { hear, stream } = link('epa', 12, seed);
    hear(burst(0, sent, ROOM));
    const alone = combined(stream().combiner).snr;
    // 0.2 s at 5 Hz Doppler: another fade.
    hear(burst(1, sent, ROOM), 0.2);
    const both = combined(stream().combiner).snr;
    for (let i = 0; i < ROOM; i++) assert.ok(both[i] >= alone[i]);
    const { excessDb } = snrs(sent, stream().combiner);
    assert.ok(Math.abs(excessDb) < 0.6, `seed ${seed}: ${excessDb} dB`);
    const worst = (snr: Float32Array) => [...snr].sort((a, b) => a - b)[ROOM >> 6];
    gain += (10 * Math.log10(worst(both) / worst(alone))) / trials;
  }
  // Two branches: the lower tail of the SNR rises by far more than the 3 dB of equal ones.
  assert.ok(gain > 3, `${gain} dB`);
});

test('a repetition stands in for a data burst that never came; a shorter one helps the symbols it has', () => {
  const sent = symbolsOf('analog recovered');
  const { hear, stream } = link('awgn', 10, 3);
  assert.equal(hear(burst(1, sent, ROOM)).outcome, 'recovered');
  assert.equal(stream().combiner.receptions, 1);
  const before = combined(stream().combiner).snr;
  const half = ROOM >> 1;
  assert.equal(hear(burst(2, sent, half)).outcome, 'repetition');
  const after = combined(stream().combiner).snr;
  for (let i = 0; i < ROOM; i++) assert.equal(after[i] > before[i], i < half, `symbol ${i}`);
});

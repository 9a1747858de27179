import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { meanPower } from '../../../src/sct/codec/analog-stream.ts';
import type { EncodedSource, ReceivedSource, ReceivedStream } from '../../../src/sct/codec/codec.ts';
import { segmentalSnrDb } from '../../../src/sct/quality/segmental-snr.ts';
import { stoi } from '../../../src/sct/quality/stoi.ts';
import { SPEECH_RATE_HZ, speechOf } from '../../../src/sct/speech/speech.ts';
import { SpeechCodec, type SpeechPlan } from '../../../src/sct/speech/speech-codec.ts';
import type { DecodedSpeech } from '../../../src/sct/speech/speech-decoder.ts';
import { utterance } from './voices.ts';

const SPEECH = utterance(2);

/** Every stream at this many symbols a frame. */
async function coded(plan: SpeechPlan, perFrame: number, snrDb: number): Promise<EncodedSource> {
  return plan.encode(plan.ranking!.map((id) => ({ id, size: perFrame * plan.streams[id].cells!, snrDb })));
}

function overAir({ sideInfo, streams }: EncodedSource, snrDb: number, seed = 'air'): ReceivedSource {
  const random = new RandomStream(seed);
  const snr = 10 ** (snrDb / 10);
  return {
    sideInfo,
    streams: streams.map((s): ReceivedStream => {
      if (s.kind === 'bits') return { id: s.id, kind: 'bits', payload: s.payload, missing: [] };
      const symbolsReIm = s.symbolsReIm.slice();
      random.addComplexNoise(symbolsReIm, 1 / snr);
      const weighed = symbolsReIm.map((v) => (v * snr) / (1 + snr));
      return {
        id: s.id,
        kind: 'analog',
        symbolsReIm: weighed,
        snrDb: new Float32Array(weighed.length / 2).fill(snrDb),
      };
    }),
  };
}

const heard = (d: DecodedSpeech) => stoi(SPEECH.samples, d.speech!.samples, SPEECH_RATE_HZ)!;
const snrOf = (d: DecodedSpeech) => segmentalSnrDb(SPEECH.samples, d.speech!.samples, SPEECH_RATE_HZ)!;

test('speech gets clearer with every step of SNR, without a cliff', async () => {
  const codec = new SpeechCodec();
  const plan = await codec.analyse(SPEECH);
  assert.ok(plan.streams.length <= 12 && plan.sideInfoBytes < 250, `${plan.sideInfoBytes} bytes`);
  let [before, worse] = [0, -20];
  for (const snrDb of [-5, 0, 5, 10, 20]) {
    const encoded = await coded(plan, 80, snrDb);
    assert.ok(encoded.sideInfo.length <= plan.sideInfoBytes);
    for (const s of encoded.streams) {
      assert.ok(s.kind === 'analog' && Math.abs(10 * Math.log10(meanPower(s.symbolsReIm))) < 0.1);
    }
    const decoded = await codec.decode(overAir(encoded, snrDb));
    assert.ok(decoded.decodable && decoded.complete, decoded.note);
    assert.ok(heard(decoded) > before, `${snrDb} dB: STOI ${heard(decoded)} after ${before}`);
    assert.ok(snrOf(decoded) > worse, `${snrDb} dB: ${snrOf(decoded)} dB after ${worse}`);
    [before, worse] = [heard(decoded), snrOf(decoded)];
  }
  assert.ok(before > 0.9, `STOI ${before} at 20 dB`);
});

test('with room for everything and no noise the waveform comes back', async () => {
  const codec = new SpeechCodec();
  const plan = await codec.analyse(SPEECH);
  const decoded = await codec.decode(overAir(await coded(plan, 160, 60), 60));
  assert.ok(snrOf(decoded) > 30, `${snrOf(decoded)} dB`);
});

test('an SFV that is lost costs itself; what matters more costs more', async () => {
  const codec = new SpeechCodec();
  const plan = await codec.analyse(SPEECH);
  const received = overAir(await coded(plan, 100, 12), 12);
  const all = heard(await codec.decode(received));
  const without = async (id: number) => {
    const decoded = await codec.decode({ ...received, streams: received.streams.filter((s) => s.id !== id) });
    assert.equal(decoded.sfvs![id].state, 'lost');
    assert.equal(decoded.complete, false);
    assert.match(decoded.note!, /1 of \d+ SFVs did not arrive/);
    return heard(decoded);
  };
  const order = [...plan.ranking!].sort((a, b) => plan.streams[b].score - plan.streams[a].score);
  const [first, last] = [await without(order[0]), await without(order.at(-1)!)];
  assert.ok(first < all - 0.02 && first < last, `all ${all}, without the first ${first}, the last ${last}`);
});

test('side information alone is heard as noise with the spectrum of speech, where asked for', async () => {
  const codec = new SpeechCodec();
  const plan = await codec.analyse(SPEECH);
  const { sideInfo } = await coded(plan, 80, 10);
  const silent = await codec.decode({ sideInfo, streams: [] });
  assert.equal(silent.decodable, false);
  assert.ok(silent.speech!.samples.every((v) => v === 0));
  const noisy = await codec.decode({ sideInfo, streams: [] }, { perceptual: true });
  assert.ok(noisy.sfvs!.every((s) => s.state === 'synthesised'));
  assert.ok(heard(noisy) > 0.4, `STOI ${heard(noisy)}`);
  assert.deepEqual(await codec.decode({ sideInfo, streams: [] }, { perceptual: true }), noisy, 'the same every time');
});

test('the coded reference fits its grant, is better with more bytes, and has a cliff', async () => {
  const codec = new SpeechCodec({ kind: 'coded' });
  const plan = await codec.analyse(SPEECH);
  assert.equal(plan.sideInfoBytes, 0);
  let before = -20;
  for (const size of [1000, 2500, 6000]) {
    const encoded = await plan.encode([{ id: 0, size }]);
    const [stream] = encoded.streams;
    assert.ok(stream.kind === 'bits' && stream.payload.length <= size && stream.payload.length > 0.9 * size);
    const received = overAir(encoded, 0);
    const decoded = await codec.decode(received);
    assert.ok(decoded.complete && snrOf(decoded) > before + 1, `${size} bytes: ${snrOf(decoded)} dB after ${before}`);
    before = snrOf(decoded);
    const [whole] = received.streams as Extract<ReceivedStream, { kind: 'bits' }>[];
    const cut = await codec.decode({ ...received, streams: [{ ...whole, missing: [{ from: 500, to: 600 }] }] });
    assert.equal(cut.decodable, false);
    assert.match(cut.note!, /from 500/);
  }
  await assert.rejects(plan.encode([{ id: 0, size: 20 }]), UsageError);
});

test('digital silence and single samples go through; wrong sizes are refused', async () => {
  const codec = new SpeechCodec();
  for (const length of [1, 400, 5000]) {
    const plan = await codec.analyse(speechOf(new Float32Array(length)));
    const decoded = await codec.decode(overAir(await coded(plan, 8, 10), 10));
    assert.equal(decoded.speech!.samples.length, length);
    assert.ok(decoded.speech!.samples.every((v) => Math.abs(v) < 1e-3));
  }
  const plan = await codec.analyse(SPEECH);
  await assert.rejects(plan.encode([{ id: 99, size: 10 }]), UsageError);
  await assert.rejects(plan.encode([{ id: 0, size: 0.5 }]), UsageError);
  assert.throws(() => new SpeechCodec({ maxSfvs: 0 }), UsageError);
});

test('whatever is received, decoding ends in speech or a note', async () => {
  const codec = new SpeechCodec();
  const plan = await codec.analyse(utterance(0.3));
  const encoded = await coded(plan, 20, 10);
  const file = await new SpeechCodec({ kind: 'coded' }).analyse(utterance(0.3));
  const bits = await file.encode([{ id: 0, size: 300 }]);
  const random = new RandomStream('anything');
  for (let i = 0; i < 300; i++) {
    const { sideInfo, streams } = overAir(i % 2 ? encoded : bits, 10, `${i}`);
    const spoil = (bytes: Uint8Array) => {
      const out = bytes.slice(0, random.integer(4) ? bytes.length : random.integer(bytes.length + 1));
      // The first bytes say how long it is: what is long takes long, no more than that.
      for (let k = random.integer(4); k > 0 && out.length > 3; k--)
        out[2 + random.integer(out.length - 2)] ^= 1 << random.integer(8);
      return out;
    };
    const spoilt = streams.map((s): ReceivedStream => {
      if (s.kind === 'bits') return { ...s, payload: spoil(s.payload) };
      const id = random.integer(5) ? s.id : random.integer(300);
      return { ...s, id, snrDb: random.integer(5) ? s.snrDb : s.snrDb.subarray(1) };
    });
    const decoded = await codec.decode({ sideInfo: sideInfo && spoil(sideInfo), streams: spoilt });
    if (decoded.speech) assert.ok(decoded.speech.samples.every(Number.isFinite));
    else assert.ok(decoded.note);
  }
});

import { RandomStream } from '../../src/common/random.ts';
import { occupiedHz } from '../../src/experiment/config/link-config.ts';
import { Transmitter } from '../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../src/phy/burst/transmit.ts';
import { noiseVarianceFor } from '../../src/phy/channel/snr.ts';
import { frontendFor } from '../../src/phy/frontend/frontend.ts';
import { type Numerology, numerology } from '../../src/phy/numerology.ts';
import { fromFloat } from '../../src/radio/format/convert.ts';
import { formatSpec } from '../../src/radio/format/sample-format.ts';
import type { SampleFormat } from '../../src/radio/radio.ts';
import { CaptureWriter } from '../../src/radio/sigmf/capture-writer.ts';
import type { Codec, DecodedImage, SourcePlan } from '../../src/sct/codec/codec.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';

/** What a recording is made of. */
export interface RecordingSpec {
  readonly subbands: number;
  readonly rateHz: number;
  readonly format: SampleFormat;
  /** RE of the payload that a burst is planned for. */
  readonly budgetRe: number;
  /** SNR that the transmitter chooses its code rate by, and that of the recording, dB. */
  readonly assumedSnrDb: number;
  readonly snrDb: number;
  /** Bursts of each of the two sessions. */
  readonly bursts: number;
}

/** What came of it. */
export interface Recording {
  readonly bursts: number;
  readonly samples: number;
  readonly durationS: number;
  readonly slots: number;
  readonly bitsPerSymbol: number;
  readonly codeRate: number;
  readonly bytesPerBurst: number;
}

/** A codec without pictures: it fills its grant with random bytes. */
class RandomBytes implements Codec {
  readonly name = 'user';
  private readonly random = new RandomStream('realtime');
  bytes = 0;

  describe(): string {
    return 'random bytes';
  }

  async analyse(): Promise<SourcePlan> {
    return {
      streams: [{ id: 0, kind: 'bits', score: 255, minSize: 1 }],
      sideInfoBytes: 0,
      encode: async ([grant]) => {
        const payload = this.random.bytes(grant.size);
        this.bytes = payload.length;
        return { sideInfo: new Uint8Array(0), streams: [{ id: 0, kind: 'bits', payload }], settings: {} };
      },
    };
  }

  async decode(): Promise<DecodedImage> {
    return { image: undefined, decodable: true, complete: true, mask: undefined, note: undefined };
  }
}

/**
 * Writes a capture of bursts back to back in white noise, without a sample between them: of one session, then of another, so that a receiver that
 * hears it again and again takes every burst for a new one and decodes all of its blocks each time.
 */
export async function writeRecording(path: string, spec: RecordingSpec): Promise<Recording> {
  const n = numerology(spec.subbands);
  const codec = new RandomBytes();
  const { fftSize, nCarriers, sampleRateHz } = n;
  const upconverter = frontendFor(sampleRateHz, occupiedHz(n), spec.rateHz, 0).upconverter();
  const noise = new RandomStream('realtime noise');
  const variance = noiseVarianceFor({
    snrDb: spec.snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize,
    occupiedCarriers: nCarriers,
    modemRateHz: sampleRateHz,
    deviceRateHz: spec.rateHz,
  });
  const { format } = spec;
  const fullScale = formatSpec(format).defaultFullScale;
  const writer = await CaptureWriter.create(path, {
    format,
    fullScale,
    rateHz: spec.rateHz,
    frequencyHz: null,
    hardware: 'bench/realtime',
    overwrite: true,
    fields: { 'sct:numerology': spec.subbands, 'sct:lo_offset_hz': 0 },
  });
  let index = 0;
  const append = async (modem: Float32Array) => {
    const reIm = upconverter.process(modem).slice();
    if (reIm.length === 0) return;
    noise.addComplexNoise(reIm, variance);
    const { data } = fromFloat(reIm, format, fullScale);
    await writer.write({ data, format, fullScale, index, lostBefore: null, timestampNs: null });
    index += data.length / 2;
  };
  let facts = { slots: 0, bitsPerSymbol: 0, codeRate: 0, re: 0 };
  for (const session of [1, 2]) {
    const transmitter = new Transmitter({
      numerology: n,
      codec,
      session,
      assumedSnrDb: spec.assumedSnrDb,
      harq: 0,
      answers: false,
    });
    for (let i = 0; i < spec.bursts; i++) {
      const { bursts } = await transmitter.send(rgbImage(512, 512, new Uint8Array(3 * 512 * 512)), spec.budgetRe, i);
      if (bursts.length !== 1) throw new Error(`${bursts.length} bursts where one was planned`);
      const [stream] = bursts[0].extension!.streams;
      const bitsPerSymbol = 2 * bursts[0].extension!.modulation[0];
      const codeRate = (8 * codec.bytes) / (stream.re * bitsPerSymbol);
      facts = { slots: bursts[0].slots, bitsPerSymbol, codeRate, re: stream.re };
      await append(bursts[0].samples);
    }
  }
  await append(new Float32Array(2 * Math.ceil(upconverter.tailInputSamples)));
  await writer.close();
  return {
    ...facts,
    bursts: 2 * spec.bursts,
    samples: index,
    durationS: index / spec.rateHz,
    bytesPerBurst: codec.bytes,
  };
}

export function describeRecording(n: Numerology, r: Recording): string {
  const name = r.bitsPerSymbol === 2 ? 'QPSK' : `${2 ** r.bitsPerSymbol}-QAM`;
  return `${n.nSubbands} subbands, ${name} rate ${r.codeRate.toFixed(3)}, bursts of ${r.slots} slots back to back`;
}

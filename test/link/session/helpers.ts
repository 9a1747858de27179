import { RandomStream } from '../../../src/common/random.ts';
import { RxChain, TxChain } from '../../../src/link/chains.ts';
import { type LinkEvent, Receiver } from '../../../src/link/receiver.ts';
import { type FeedbackChannel, LocalFeedback } from '../../../src/link/reverse/feedback.ts';
import { Listener } from '../../../src/link/session/listener.ts';
import { LiveAir } from '../../../src/link/session/live-air.ts';
import { LiveReceiver } from '../../../src/link/session/live-receiver.ts';
import { SenderSession } from '../../../src/link/session/sender.ts';
import { Transmitter, type TransmitterOptions } from '../../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { noiseVarianceFor } from '../../../src/phy/channel/snr.ts';
import { frontendFor } from '../../../src/phy/frontend/frontend.ts';
import type { ChannelFn } from '../../../src/radio/loopback/loopback-path.ts';
import { LoopbackRadio } from '../../../src/radio/loopback/loopback-radio.ts';
import { BytesCodec, SMALL } from '../helpers.ts';

export const FRONTEND = frontendFor(SMALL.sampleRateHz, 73 * 15e3, SMALL.sampleRateHz);

/** White noise at an SNR over the band of the smallest numerology. */
export function noise(snrDb: number, seed: string): ChannelFn {
  const random = new RandomStream(seed);
  const variance = noiseVarianceFor({
    snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize: SMALL.fftSize,
    occupiedCarriers: SMALL.nCarriers,
    modemRateHz: SMALL.sampleRateHz,
    deviceRateHz: SMALL.sampleRateHz,
  });
  return {
    process: (samples) => {
      const out = samples.slice();
      random.addComplexNoise(out, variance);
      return out;
    },
    describe: () => `noise ${snrDb} dB`,
  };
}

/** Lets simulated time of radios run by itself, as real time does, in steps as long as the host has time for. */
export function runByItself(radio: LoopbackRadio, stepSamples = 9600): { stop(): void } {
  let running = true;
  const step = (): void => {
    if (!running) return;
    radio.advance(stepSamples);
    setTimeout(step, 1);
  };
  step();
  return {
    stop: () => {
      running = false;
    },
  };
}

export function sameWay(): LocalFeedback {
  return new LocalFeedback({ random: new RandomStream('way back') });
}

/** Two radios that face each other, one for each end, on a clock that runs by itself. */
export async function liveLink(options: { snrDb: number; signal?: AbortSignal; duplex?: 'full' | 'half' }) {
  const [near, far] = LoopbackRadio.pair(
    {
      channel: noise(options.snrDb, 'there'),
      rateHz: SMALL.sampleRateHz,
      blockSamples: 4096,
      ...(options.duplex ? { duplex: options.duplex } : {}),
    },
    noise(options.snrDb, 'back'),
  );
  const clock = runByItself(near);
  const live: LiveReceiver[] = [];
  return {
    near,
    far,
    clock,
    async close() {
      clock.stop();
      await near.close();
      await far.close();
      await Promise.all(live.map((r) => r.close().catch(() => undefined)));
    },
    /** Sender at the near end, listener at the far end. */
    connect(feedback: FeedbackChannel, more: Partial<TransmitterOptions> = {}, signal?: AbortSignal) {
      const codec = new BytesCodec(0.9);
      const listenerCodec = new BytesCodec(0.9);
      const transmitter = new Transmitter({ numerology: SMALL, codec, ackTimeoutS: 0.3, ...more });
      const receiver = new Receiver({
        numerology: SMALL,
        codecs: [listenerCodec],
        prediction: { dopplerHz: null, latencyS: 0.02 },
      });
      const chain = new RxChain(FRONTEND, receiver);
      const events: LinkEvent[] = [];
      let air!: LiveAir;
      const listener = new Listener({
        chain,
        feedback,
        knowledge: null,
        timeOf: () => air.nowS,
        heard: (event) => void events.push(event),
      });
      const opened = far.openRx().then((rx) => {
        const time = new LiveReceiver({ rx, hear: (b) => listener.push(b), ...(signal ? { signal } : {}) });
        live.push(time);
        return time;
      });
      const time = {
        get nowS() {
          return live[0]?.nowS ?? 0;
        },
        until: async (timeS: number, enough?: () => boolean) => (await opened).until(timeS, enough),
        nudge: () => live[0]?.nudge(),
      };
      const tx = near.openTx();
      const port = {
        ready: async () => {
          await opened;
          const stream = await tx;
          return { chain: new TxChain(FRONTEND, stream), tx: stream };
        },
        done: async () => undefined,
      };
      air = new LiveAir({ port, time, modemRateHz: SMALL.sampleRateHz, deviceRateHz: SMALL.sampleRateHz });
      const sender = new SenderSession({
        transmitter,
        air,
        feedback,
        knowledge: null,
        answers: true,
        soundings: { count: 4, everyS: 0.02 },
        waitS: { report: 0.5, answers: 0.5 },
        ...(signal ? { signal } : {}),
      });
      return { sender, transmitter, codec, listenerCodec, receiver, events, air, listener };
    },
  };
}

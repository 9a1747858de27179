import { parentPort, workerData } from 'node:worker_threads';
import { ReceivePipeline } from '../../link/pipeline/receive-pipeline.ts';
import { GRAIN } from '../../link/rx-front.ts';
import type { PipelineQueues } from '../../link/telemetry.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import { type LinkConfig, occupiedHz } from '../config/link-config.ts';
import { setupLink, simulatedChannel } from '../config/link-setup.ts';
import { AirPace } from './air-pace.ts';
import { ModelledAir } from './modelled-air.ts';
import { failureNote, type ThreadNote, utcNowMs } from './thread.ts';
import { freeWaveform } from './waveform-slots.ts';

export interface AirSetup {
  readonly config: LinkConfig;
}

export type AirRequest =
  /** Time begins. */
  | { readonly kind: 'open' }
  | { readonly kind: 'burst'; readonly id: number; readonly reIm: Float32Array; readonly latestAtMs: number }
  /** The air is still there until `atMs`, then the receiver's stream ends. */
  | { readonly kind: 'end'; readonly atMs: number };

export type AirReply =
  /** `records` is the ring of the receiver's records (RecordStream). */
  | {
      readonly kind: 'described';
      readonly channel: string;
      readonly offsets: Readonly<Record<string, number>>;
      readonly records: SharedArrayBuffer;
    }
  /** UTC at which the burst begins; null: it could not begin in time. `startS` on the clock of the air. */
  | { readonly kind: 'placed'; readonly id: number; readonly startAtMs: number | null; readonly startS: number }
  /** About once a second: how far the air was behind time at worst, ms, and what waits to be received. */
  | { readonly kind: 'state'; readonly mostBehindMs: number; readonly queues: PipelineQueues }
  /** All records are in the ring. */
  | { readonly kind: 'ended'; readonly samples: number };

/** The thread of the modelled air, which keeps the channel going with time; what comes out is demodulated in another. Started by thread.ts. */
const port = parentPort!;
const { config } = workerData as AirSetup;
const STATE_MS = 1000;
/** Channel, and what the receiver needs behind a burst to know its end, ms. */
const HELD_BACK_MS = 1;

async function start(): Promise<void> {
  const setup = setupLink(config, null, null);
  const { frontend, numerology } = setup;
  const { channel, offsets } = simulatedChannel(config, setup);
  const air = new ModelledAir(channel, setup.format, setup.fullScale);
  const rate = frontend.deviceRateHz;
  let startAtMs = 0;
  let endAtMs = Number.POSITIVE_INFINITY;
  let mostBehindMs = 0;
  let toldAtMs = 0;
  const pipeline = await ReceivePipeline.start({
    subbands: numerology.nSubbands,
    estimator: config.estimator,
    occupiedHz: occupiedHz(numerology),
    rateHz: rate,
    loOffsetHz: frontend.loOffsetHz,
    format: setup.format,
    fullScale: setup.fullScale,
    live: true,
  });
  const fail = (error: unknown) => port.postMessage(failureNote(error));
  const sampleAt = (ms: number) => Math.floor(((ms - startAtMs) * rate) / 1e3);
  const pace = new AirPace(HELD_BACK_MS + (GRAIN * 1e3) / rate);
  let dueMs = 0;
  // A live pipeline never waits.
  const push = (block: SampleBlock): void => void pipeline.push(block).catch(fail);
  const tick = async (): Promise<void> => {
    const nowMs = Math.min(utcNowMs(), endAtMs);
    mostBehindMs = Math.max(mostBehindMs, nowMs - dueMs);
    air.advance(sampleAt(nowMs), push);
    if (nowMs >= endAtMs) {
      await pipeline.flush();
      await pipeline.finished();
      port.postMessage({ kind: 'ended', samples: air.now } satisfies AirReply);
      return;
    }
    if (nowMs - toldAtMs >= STATE_MS) {
      port.postMessage({ kind: 'state', mostBehindMs, queues: pipeline.depths() } satisfies AirReply);
      toldAtMs = nowMs;
      mostBehindMs = 0;
    }
    const end = air.endOfBurst;
    dueMs = Math.min(endAtMs, pace.next(nowMs, end === null ? null : startAtMs + (end * 1e3) / rate));
    setTimeout(() => tick().catch(fail), Math.ceil(Math.max(0, dueMs - utcNowMs())));
  };
  port.on('message', (request: AirRequest) => {
    if (request.kind === 'open') {
      startAtMs = utcNowMs();
      toldAtMs = startAtMs;
      dueMs = startAtMs;
      tick().catch(fail);
    } else if (request.kind === 'end') endAtMs = request.atMs;
    else {
      const { id, reIm, latestAtMs } = request;
      // Not in what has gone by already, though it may not be computed yet.
      const start = Math.max(air.now, air.freeAt, sampleAt(utcNowMs()));
      const inTime = startAtMs + (start * 1e3) / rate <= latestAtMs && air.send(reIm, start);
      if (!inTime) freeWaveform(reIm);
      const placed = inTime ? startAtMs + (start * 1e3) / rate : null;
      port.postMessage({ kind: 'placed', id, startAtMs: placed, startS: start / rate } satisfies AirReply);
    }
  });
  const { recordRing: records } = pipeline;
  port.postMessage({
    kind: 'described',
    channel: channel.describe(),
    offsets: { ...offsets },
    records,
  } satisfies AirReply);
  port.postMessage({ kind: 'ready' } satisfies ThreadNote);
}

start().catch((error) => port.postMessage(failureNote(error)));

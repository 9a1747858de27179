import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { FrontRecord } from '../../link/front-record.ts';
import { ReceivePipeline } from '../../link/pipeline/receive-pipeline.ts';
import type { PipelineQueues } from '../../link/telemetry.ts';
import { type LinkConfig, occupiedHz } from '../link-config.ts';
import { setupLink, simulatedChannel } from '../link-setup.ts';
import { ModelledAir } from './modelled-air.ts';
import { failureNote, type ThreadNote, utcNowMs } from './thread.ts';

export interface AirSetup {
  readonly config: LinkConfig;
}

export type AirRequest =
  /** What is heard goes through this port. */
  | { readonly kind: 'open'; readonly records: MessagePort }
  | { readonly kind: 'burst'; readonly id: number; readonly reIm: Float32Array; readonly latestAtMs: number }
  /** The air is still there until `atMs`, then the receiver's stream ends. */
  | { readonly kind: 'end'; readonly atMs: number };

export type AirReply =
  | { readonly kind: 'described'; readonly channel: string; readonly offsets: Readonly<Record<string, number>> }
  /** UTC at which the burst begins; null: it could not begin in time. `startS` on the clock of the air. */
  | { readonly kind: 'placed'; readonly id: number; readonly startAtMs: number | null; readonly startS: number }
  /** About once a second: how far the air was behind time at worst, ms, and what waits to be received. */
  | { readonly kind: 'state'; readonly mostBehindMs: number; readonly queues: PipelineQueues }
  | { readonly kind: 'ended'; readonly samples: number };

/** The thread of the modelled air, which keeps the channel going with time; what comes out is demodulated in another. Started by thread.ts. */
const port = parentPort!;
const { config } = workerData as AirSetup;
/** Between two looks at the clock, ms. */
const TICK_MS = 2;
const STATE_MS = 1000;

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
    ...{ subbands: numerology.nSubbands, estimator: config.estimator, occupiedHz: occupiedHz(numerology) },
    ...{ rateHz: rate, loOffsetHz: frontend.loOffsetHz, format: setup.format, fullScale: setup.fullScale, live: true },
  });
  const fail = (error: unknown) => port.postMessage(failureNote(error));
  const sampleAt = (ms: number) => Math.floor(((ms - startAtMs) * rate) / 1e3);
  const tick = async (): Promise<void> => {
    const nowMs = Math.min(utcNowMs(), endAtMs);
    mostBehindMs = Math.max(mostBehindMs, nowMs - startAtMs - (air.now * 1e3) / rate - TICK_MS);
    // A live pipeline never waits.
    air.advance(sampleAt(nowMs), (block) => void pipeline.push(block).catch(fail));
    if (nowMs >= endAtMs) {
      await pipeline.flush();
      return;
    }
    if (nowMs - toldAtMs >= STATE_MS) {
      port.postMessage({ kind: 'state', mostBehindMs, queues: pipeline.depths() } satisfies AirReply);
      toldAtMs = nowMs;
      mostBehindMs = 0;
    }
    setTimeout(() => tick().catch(fail), TICK_MS);
  };
  const hear = async (records: MessagePort): Promise<void> => {
    for await (const record of pipeline) records.postMessage(record, transferable(record));
    port.postMessage({ kind: 'ended', samples: air.now } satisfies AirReply);
  };
  port.on('message', (request: AirRequest) => {
    if (request.kind === 'open') {
      startAtMs = utcNowMs();
      toldAtMs = startAtMs;
      hear(request.records).catch(fail);
      tick().catch(fail);
    } else if (request.kind === 'end') endAtMs = request.atMs;
    else {
      const { id, reIm, latestAtMs } = request;
      // Not in what has gone by already, though it may not be computed yet.
      const start = Math.max(air.now, air.freeAt, sampleAt(utcNowMs()));
      const inTime = startAtMs + (start * 1e3) / rate <= latestAtMs && air.send(reIm, start);
      const placed = inTime ? startAtMs + (start * 1e3) / rate : null;
      port.postMessage({ kind: 'placed', id, startAtMs: placed, startS: start / rate } satisfies AirReply);
    }
  });
  port.postMessage({ kind: 'described', channel: channel.describe(), offsets: { ...offsets } } satisfies AirReply);
  port.postMessage({ kind: 'ready' } satisfies ThreadNote);
}

/** The large arrays of a burst, which are handed over. */
function transferable(record: FrontRecord): ArrayBuffer[] {
  if (record.type !== 'burst') return [];
  return [record.payload.buffer as ArrayBuffer, record.payloadSnr.buffer as ArrayBuffer];
}

start().catch((error) => port.postMessage(failureNote(error)));

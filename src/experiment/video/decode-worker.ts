import { parentPort, workerData } from 'node:worker_threads';
import { RecordRingReader } from '../../common/record-ring.ts';
import type { FrontRecord } from '../../link/front-record.ts';
import { RecordStream } from '../../link/pipeline/record-stream.ts';
import type { CsiReport } from '../../link/reverse/reverse-messages.ts';
import { UsualTime } from '../../link/video/deadline.ts';
import { sinceCaptureMs } from '../../phy/frame/capture-time.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology } from '../../phy/numerology.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { type LinkConfig, occupiedHz } from '../config/link-config.ts';
import { type DecodedFrame, FrameDecoder, type HeardFrame } from './frame-decoder.ts';
import { failureNote, type ThreadNote, utcNowMs } from './thread.ts';

export interface DecodeSetup {
  readonly config: LinkConfig;
  readonly loOffsetHz: number;
  /** From capture to screen; null: every frame is decoded, however late. */
  readonly deadlineMs: number | null;
  /** First 32 bits of the sender's model set's hash where it is known beforehand; 0 where not. */
  readonly modelSet: number;
  readonly sizePx: number;
  /** Every so manyeth frame that was restored with the one before is kept for a comparison; 0: none. */
  readonly keepEvery: number;
}

export type DecodeRequest =
  /** The receiver's records come through this ring. */
  { readonly kind: 'open'; readonly records: SharedArrayBuffer } | { readonly kind: 'compare' };

interface FrameFacts {
  readonly airNumber: number;
  readonly session: number;
  readonly capturedCode: number | null;
  readonly startS: number;
  readonly endS: number;
  readonly snrDb: number;
  /** When its last burst was handed to this thread, UTC ms. */
  readonly heardAtMs: number;
}

export type DecodeReply =
  | { readonly kind: 'report'; readonly report: CsiReport; readonly heardAtMs: number }
  | ({ readonly kind: 'frame'; readonly key: number } & FrameFacts & DecodedFrame)
  /** Not decoded: it would have been too late. */
  | ({ readonly kind: 'skipped' } & FrameFacts)
  | { readonly kind: 'compared'; readonly key: number; readonly without: RgbImage }
  /** All records are through; samples and what was lost of them, dropped bursts. */
  | {
      readonly kind: 'ended';
      readonly samples: number;
      readonly lostSamples: number;
      readonly droppedBursts: number;
      readonly misses: number;
    }
  | { readonly kind: 'all-compared' };

/** The thread that decodes frames; started by thread.ts. */
const port = parentPort!;
const { config, loOffsetHz, deadlineMs, modelSet, sizePx, keepEvery } = workerData as DecodeSetup;
const FIRST_DECODE_MS = 20;

const n = numerology(config.numerology);
const frontend = frontendFor(n.sampleRateHz, occupiedHz(n), config.rateHz, loOffsetHz);
const decoder = new FrameDecoder(config, n, frontend);
const usual = new UsualTime(FIRST_DECODE_MS);
const waiting: { frame: HeardFrame; heardAtMs: number }[] = [];
let working: Promise<void> | null = null;
let ending = false;
let misses = 0;
let frames = 0;

function post(reply: DecodeReply, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

function take(record: FrontRecord): void {
  const heardAtMs = utcNowMs();
  const { report, frames: heard, missed } = decoder.take(record);
  if (missed) misses++;
  if (report) post({ kind: 'report', report, heardAtMs });
  queue(heard, heardAtMs);
}

function queue(heard: readonly HeardFrame[], heardAtMs: number): void {
  for (const frame of heard) waiting.push({ frame, heardAtMs });
  if (waiting.length > 0) {
    working ??= work().finally(() => {
      working = null;
      finish();
    });
  }
}

async function work(): Promise<void> {
  while (waiting.length > 0) {
    const { frame, heardAtMs } = waiting.shift()!;
    const { picture: _, ...facts } = frame;
    try {
      if (tooLate(frame)) {
        usual.relax();
        decoder.skip(frame);
        post({ kind: 'skipped', ...facts, heardAtMs });
        continue;
      }
      const key = frames++;
      const decoded = await decoder.decode(frame, keepEvery > 0 && key % keepEvery === 0 ? key : undefined);
      usual.add(decoded.decodeMs);
      const buffers = decoded.image ? [decoded.image.data.buffer as ArrayBuffer] : [];
      post({ kind: 'frame', key, ...facts, heardAtMs, ...decoded }, buffers);
    } catch (error) {
      port.postMessage(failureNote(error));
      return;
    }
    // Records that came meanwhile have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Whether a frame would be shown after its deadline by the time that decoding usually takes. */
function tooLate({ capturedCode }: HeardFrame): boolean {
  if (deadlineMs === null || capturedCode === null) return false;
  return sinceCaptureMs(capturedCode, utcNowMs()) + usual.ms > deadlineMs;
}

function finish(): void {
  if (!ending || working || waiting.length > 0) return;
  ending = false;
  const { samples, lostSamples, droppedBursts } = decoder.back;
  post({ kind: 'ended', samples, lostSamples, droppedBursts, misses });
}

async function compare(): Promise<void> {
  for await (const { key, image } of decoder.compare()) post({ kind: 'compared', key, without: image });
  post({ kind: 'all-compared' });
}

/** Takes what is received until it ends. */
async function hear(records: SharedArrayBuffer): Promise<void> {
  for await (const record of new RecordStream(new RecordRingReader(records), true)) take(record);
  ending = true;
  queue(decoder.end(), utcNowMs());
  finish();
}

port.on('message', (request: DecodeRequest) => {
  const work = request.kind === 'open' ? hear(request.records) : compare();
  work.catch((error) => port.postMessage(failureNote(error)));
});

decoder.rehearse(modelSet, sizePx).then(
  () => port.postMessage({ kind: 'ready' } satisfies ThreadNote),
  (error) => port.postMessage(failureNote(error)),
);

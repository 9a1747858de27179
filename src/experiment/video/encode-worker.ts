import { parentPort, workerData } from 'node:worker_threads';
import type { CsiReport } from '../../link/reverse/reverse-messages.ts';
import { flatImage, type RgbImage } from '../../sct/image/rgb-image.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { FrameCoder, type FrameWaveform } from './frame-coder.ts';
import { failureNote, type ThreadNote } from './thread.ts';
import { transferOf, WaveformSlots } from './waveform-slots.ts';

export interface EncodeSetup {
  readonly config: LinkConfig;
  readonly session: number;
  readonly sizePx: number;
}

export type EncodeRequest =
  | {
      readonly kind: 'code';
      readonly number: number;
      readonly image: RgbImage;
      readonly nowS: number;
      readonly capturedAtMs: number;
    }
  | { readonly kind: 'report'; readonly report: CsiReport; readonly measuredAtS: number };

export type CodedReply = { readonly kind: 'coded'; readonly number: number } & FrameWaveform;

export type EncodeReply =
  | CodedReply
  /** Told before it is ready: the first 32 bits of the model set's hash (0: none), and the codec in words. */
  | { readonly kind: 'described'; readonly modelSet: number; readonly codec: string };

/** The thread that codes frames; started by thread.ts. */
const port = parentPort!;
const { config, session, sizePx } = workerData as EncodeSetup;
const REHEARSALS = 3;

async function start(): Promise<void> {
  const coder = await FrameCoder.open(config, session, new WaveformSlots());
  // Every step once with a picture of its own, so that nothing is made while frames are due.
  for (let i = 0; i < REHEARSALS; i++) await coder.rehearse(flatImage(sizePx, sizePx, 60 + 40 * i, 128, 90));
  port.on('message', (request: EncodeRequest) => {
    if (request.kind === 'report') {
      coder.takeReport(request.report, request.measuredAtS);
      return;
    }
    const { number, image, nowS, capturedAtMs } = request;
    coder.code(image, nowS, capturedAtMs).then(
      (waveform) => {
        const coded = { kind: 'coded', number, ...waveform } satisfies EncodeReply;
        port.postMessage(coded, transferOf(waveform.reIm));
      },
      (error) => port.postMessage(failureNote(error)),
    );
  });
  const { codec, modelSet } = coder.coding;
  port.postMessage({ kind: 'described', modelSet, codec: codec.describe() } satisfies EncodeReply);
  port.postMessage({ kind: 'ready' } satisfies ThreadNote);
}

start().catch((error) => port.postMessage(failureNote(error)));

import sharp from 'sharp';
import type { VideoEvent } from '../../../src/link/telemetry.ts';
import { source } from './made-run.ts';

/**
 * Frame n of a video at 30 a second whose latency is a formula: one in 97 is late, one in 131 was lost. The photo is cut where frame n looks at it; what
 * was not shown has no picture.
 */
export async function video(n: number, change: Partial<VideoEvent> = {}): Promise<VideoEvent> {
  const state = n % 131 === 130 ? 'lost' : n % 97 === 96 ? 'late' : 'shown';
  const of = (every: number) => Math.floor((n + 1) / every);
  const latencyMs = state === 'lost' ? null : state === 'late' ? 141 : 58 + 9 * Math.sin(n / 7) + 5 * Math.sin(2.1 * n);
  return {
    topic: 'video',
    frame: n,
    state,
    width: 256,
    height: 256,
    mediaType: 'image/jpeg',
    bytes: state === 'shown' ? await keptJpeg(n) : new Uint8Array(0),
    capturedAtMs: 1_764_000_000_000 + (1000 * n) / 30,
    shownAtMs: state === 'shown' ? 1_764_000_000_000 + (1000 * n) / 30 + (latencyMs ?? 0) : null,
    latencyMs,
    deadlineMs: 120,
    psnrDb: state === 'shown' ? 31.4 + Math.sin(n / 11) : null,
    conditioned: true,
    counts: { captured: n + 3, sent: n + 1, shown: n + 1 - of(97) - of(131), late: of(97), lost: of(131), dropped: 2 },
    fps: 29.7,
    latencyP50Ms: 58.2,
    latencyP99Ms: 71.4,
    ...change,
  };
}

const jpegs = new Map<number, Promise<Uint8Array>>();
const QUALITY = 85;

/** A window of 256 x 256 that goes over the photo and comes back after 64 frames. */
export async function frameJpeg(n: number, quality = QUALITY): Promise<Uint8Array> {
  const place = n % 64;
  return cut(place < 32 ? place : 64 - place, quality);
}

/** The same, made once. */
function keptJpeg(n: number): Promise<Uint8Array> {
  const place = n % 64;
  const made = jpegs.get(place) ?? frameJpeg(place);
  jpegs.set(place, made);
  return made;
}

async function cut(at: number, quality: number): Promise<Uint8Array> {
  const { bytes } = await source();
  const region = { left: 8 + 15 * at, top: 100 + 3 * at, width: 256, height: 256 };
  return new Uint8Array(await sharp(bytes).extract(region).jpeg({ quality }).toBuffer());
}

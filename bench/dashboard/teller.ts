/**
 * A job that tells made-up figures, for the cost of passing them on: `node --import tsx teller.ts UPDATES_PER_S`. All panels get something new in each update, of
 * the sizes that a link with 25 subbands has; it ends at SIGINT, or with its dashboard.
 */
import { Socket } from 'node:net';
import { encodeFrame, type FrameArray, type Topic } from '../../src/dashboard/frames.ts';

const updatesPerS = Number(process.argv[2]);
const [SUBBANDS, SLOTS, BINS, CARRIERS, TAPS, POINTS] = [25, 15, 512, 300, 256, 600];

const pipe = new Socket({ fd: 3, readable: true, writable: true });
pipe.resume().on('close', () => process.exit());
process.on('SIGINT', () => process.exit(130));

let n = 0;

function tell(topic: Topic, data: Record<string, unknown>, arrays: Record<string, FrameArray> = {}): void {
  pipe.write(encodeFrame({ topic, sequence: n, timeS: n / updatesPerS, data, arrays }));
}

const wave = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i + n));

function update(): void {
  n++;
  tell('spectrum', { timeS: n, spanHz: 7.68e6 }, { meanDbfs: wave(BINS), peakDbfs: wave(BINS) });
  tell(
    'burst',
    {
      use: 'data',
      burst: n,
      startS: n / updatesPerS,
      cfoHz: n,
      snrDb: 15,
      blocks: 30,
      blocksLost: 1,
      subbands: SUBBANDS,
      slots: SLOTS,
    },
    {
      rbSnrDb: wave(SLOTS * SUBBANDS),
      subbandSnrDb: wave(SUBBANDS),
      subbandSnrErrorDb: wave(SUBBANDS),
      owner: new Uint8Array(SLOTS * SUBBANDS),
      channel: wave(2 * CARRIERS),
      impulseDb: wave(TAPS),
      points: wave(2 * POINTS),
    },
  );
  const sfvs = Array.from({ length: 12 }, (_, id) => ({
    id,
    state: n % 12 > id ? 'received' : 'waiting',
    snrDb: id,
    rbs: n,
  }));
  tell('sfvs', { sfvs });
  tell('status', {
    timeS: n,
    samples: n * 256_000,
    lostMin: 0,
    lostMax: 0,
    gaps: 0,
    rmsDbfs: -12,
    samplesPerS: 7.68e6,
  });
  tell('replay', { positionS: n / updatesPerS, lengthS: 1e3, speed: 1, paused: false, loop: null });
  if (n % updatesPerS === 0)
    tell('picture', { stage: 'before', width: 768, height: 512 }, { bytes: new Uint8Array(60_000) });
}

tell('run', { state: 'starting', title: 'made up' });
// By the clock, so that a late timer does not make it fewer.
const startMs = performance.now();
setInterval(() => {
  while (n < ((performance.now() - startMs) / 1000) * updatesPerS) update();
}, 1000 / updatesPerS);

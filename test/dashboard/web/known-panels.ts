import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { eventOf } from '../../../src/dashboard/web/state/events.ts';
import type { BurstTelemetry, SpectrumEvent, TelemetryEvent } from '../../../src/link/telemetry.ts';
import type { TestPage } from '../helpers.ts';
import { distance, offLine, Pixels, rgbOf, straight, viridis } from './pixels.ts';
import { figure, reads } from './program.ts';

/** What the page must show, as a client that is no page heard it: events of one snapshot. */
export class Known {
  readonly events: readonly TelemetryEvent[];

  constructor({ frames }: TestPage) {
    this.events = frames.map(eventOf);
  }

  all<T extends TelemetryEvent['topic']>(topic: T) {
    return this.events.filter((e): e is Extract<TelemetryEvent, { topic: T }> => e.topic === topic);
  }

  last<T extends TelemetryEvent['topic']>(topic: T) {
    const found = this.all(topic).at(-1);
    assert.ok(found, `${topic} was told`);
    return found;
  }

  /** The burst that carries the picture. */
  get mapped(): BurstTelemetry {
    const found = this.all('burst').findLast(({ owner, use }) => owner.length > 0 && use !== 'reverse');
    assert.ok(found, 'a burst carries SFVs');
    return found;
  }
}

/** Room for axes, as all panels leave it. */
const [LEFT, RIGHT] = [46, 10];
const BLUE = rgbOf('#0072b2');
const GREEN = rgbOf('#009e73');

/** The page's way to write a number. */
export function written(value: number, digits: number): string {
  return value.toFixed(digits).replace('-', '−');
}

/** Bars: heights on one straight scale with the SNR, every slot in the colour of the SFV that rides there. */
export async function checkBars(page: Page, known: Known): Promise<void> {
  const burst = known.mapped;
  const colours = new Map(known.last('source').sfvs.map(({ id, colour }) => [id, rgbOf(colour)]));
  const shot = await Pixels.of(page, 'sct-rb-bars canvas');
  const width = (shot.width - LEFT - RIGHT) / burst.subbands;
  const bottom = shot.height - 19;
  const tops: number[] = [];
  let [right, looked] = [0, 0];
  for (let s = 0; s < burst.subbands; s++) {
    // Beside the error bar and the numbers, which are in the middle.
    const x = LEFT + (s + 0.2) * width;
    const owners = Array.from({ length: burst.slots }, (_, slot) => burst.owner[slot * burst.subbands + s]);
    const last = colours.get(owners[owners.length - 1]);
    const rows = last ? shot.rowsOf(x, last, 40) : [];
    tops.push(rows[0] ?? Number.NaN);
    if (!last || rows.length === 0) continue;
    const step = (bottom - rows[0]) / burst.slots;
    owners.forEach((owner, slot) => {
      const colour = colours.get(owner);
      if (!colour) return;
      looked++;
      if (distance(shot.at(x, bottom - (slot + 0.5) * step), colour) < 40) right++;
    });
  }
  assert.ok(looked > burst.subbands, `${looked} resource blocks were looked at`);
  assert.ok(
    right >= 0.9 * looked,
    `${right} of ${looked} blocks have their SFV's colour (marks and lines cross a few)`,
  );
  const bars = [...tops.keys()].filter((s) => Number.isFinite(tops[s]) && bottom - tops[s] > 12);
  assert.ok(bars.length > burst.subbands / 2, `${bars.length} bars`);
  const off = offLine(
    bars.map((s) => burst.subbandSnrDb[s]),
    bars.map((s) => tops[s]),
  ).at(-1)!;
  assert.ok(off < 6, `a bar is ${off} px off the SNR it stands for (a mark at its top hides 5)`);
}

/** Heat map: every cell's colour is the resource block's SNR between the limits that the panel says. */
export async function checkMap(page: Page, known: Known): Promise<void> {
  const bursts = known.all('burst').filter(({ use }) => use !== 'reverse');
  const { subbands } = bursts[bursts.length - 1];
  const rows: Float32Array[] = [];
  for (const { rbSnrDb } of bursts.toReversed()) {
    for (let slot = rbSnrDb.length / subbands - 1; slot >= 0; slot--) {
      rows.push(rbSnrDb.subarray(slot * subbands, (slot + 1) * subbands));
    }
  }
  rows.splice(160);
  await reads(page, 'sct-rb-map', 'slots', String(rows.length));
  const [low, high] = [await figure(page, 'sct-rb-map', 'low'), await figure(page, 'sct-rb-map', 'high')].map((text) =>
    Number(text.replace('−', '-')),
  );
  for (const row of rows) for (const v of row) assert.ok(v >= low && v <= high, `${v} dB is inside ${low} to ${high}`);
  const shot = await Pixels.of(page, 'sct-rb-map canvas');
  const [top, bottom] = [2, shot.height - 18];
  const rowPx = (bottom - top) / Math.max(8, rows.length);
  const width = (shot.width - LEFT - RIGHT) / subbands;
  let right = 0;
  rows.forEach((row, r) => {
    for (let s = 0; s < subbands; s++) {
      const seen = shot.at(LEFT + (s + 0.5) * width, top + (r + 0.5) * rowPx);
      if (distance(seen, viridis((row[s] - low) / (high - low))) < 30) right++;
    }
  });
  // Lines between bursts lie over rows that are as thin as they are.
  assert.ok(right >= 0.85 * rows.length * subbands, `${right} of ${rows.length * subbands} cells`);
}

/** Waterfall, row by row: every row of pixels is a spectrum between the levels of the sliders. */
export async function checkWaterfall(page: Page, known: Known): Promise<void> {
  const spectra = known.all('spectrum').toReversed();
  await reads(page, 'sct-waterfall', 'rows', String(spectra.length));
  await page.locator('sct-waterfall [data-is="auto"]').uncheck();
  await page.locator('sct-waterfall [data-is="zoom"]').selectOption('each');
  const slider = async (is: string) => Number(await page.locator(`sct-waterfall [data-is="${is}"]`).inputValue());
  const [low, high] = [await slider('lowDb'), await slider('highDb')];
  await page.waitForTimeout(300);
  const shot = await Pixels.of(page, 'sct-waterfall canvas');
  const rowPx = [32, 16, 8, 4, 2].find((px) => px * spectra.length <= shot.height) ?? 1;
  const columns = shot.width - LEFT - RIGHT;
  let [right, looked] = [0, 0];
  spectra.slice(0, Math.floor(shot.height / rowPx)).forEach((spectrum, row) => {
    for (let x = 5; x < columns - 5; x += 7) {
      looked++;
      const strongest = strongestIn(spectrum, x / columns, (x + 1) / columns);
      const seen = shot.at(LEFT + x, (row + 0.5) * rowPx);
      if (distance(seen, viridis((strongest - low) / (high - low))) < 40) right++;
    }
  });
  assert.ok(looked >= columns / 7 - 2, `${looked} places`);
  assert.ok(right >= 0.85 * looked, `${right} of ${looked} places (boxes around bursts lie over some)`);
}

function strongestIn({ meanDbfs }: SpectrumEvent, from: number, to: number): number {
  const first = Math.floor(from * meanDbfs.length + 1e-6);
  return Math.max(...meanDbfs.subarray(first, Math.max(first + 1, Math.ceil(to * meanDbfs.length - 1e-6))));
}

/** Value of the line between two bins, dB; at 0 to 1 of the width. */
function lineAt({ meanDbfs }: SpectrumEvent, at: number): number {
  const place = Math.min(meanDbfs.length - 1.001, Math.max(0, at * meanDbfs.length));
  const bin = Math.floor(place);
  return Math.min(meanDbfs[bin], meanDbfs[bin + 1]);
}

/** Lines: their height is the value on one straight scale. */
export async function checkLines(page: Page, known: Known): Promise<void> {
  const spectrum = known.last('spectrum');
  const shot = await Pixels.of(page, 'sct-spectrum canvas');
  const columns = shot.width - LEFT - RIGHT;
  // Bins that share a column, and steep lines, leave open which neighbour was painted: the top lies between that of the column's own
  // bins and that of the columns beside it, on the straight scale that fits all columns best.
  const values: number[] = [];
  const heights: number[] = [];
  const ranges: [number, number][] = [];
  for (let x = 10; x < columns - 10; x += 5) {
    const rows = shot.rowsOf(LEFT + x, BLUE, 150);
    if (rows.length === 0) continue;
    values.push(strongestIn(spectrum, (x - 0.5) / columns, (x + 1.5) / columns));
    ranges.push([
      lineAt(spectrum, (x + 0.5) / columns),
      strongestIn(spectrum, (x - 1.5) / columns, (x + 2.5) / columns),
    ]);
    heights.push(rows[0]);
  }
  assert.ok(values.length > columns / 10, `${values.length} columns of the mean's line`);
  const height = straight(values, heights);
  const off = ranges
    .map(([low, high], i) => Math.max(0, heights[i] - height(low), height(high) - heights[i]))
    .sort((a, b) => a - b);
  const [half, most] = [0.5, 0.9].map((part) => off[Math.floor(part * off.length)]);
  assert.ok(half < 1.5 && most < 6, `half of the spectrum is up to ${half} px off, nine tenths up to ${most} px`);

  const { impulseDb } = known.all('burst').findLast(({ impulseDb, use }) => impulseDb.length > 0 && use !== 'reverse')!;
  const impulse = await Pixels.of(page, 'sct-impulse canvas');
  const wide = impulse.width - LEFT - RIGHT;
  const strongest = impulseDb.indexOf(Math.max(...impulseDb));
  const peakX = LEFT + (strongest / (impulseDb.length - 1)) * wide;
  const top = Math.min(
    ...Array.from({ length: impulse.width }, (_, x) => impulse.rowsOf(x, GREEN, 90)[0] ?? impulse.height),
  );
  const near = [-3, -2, -1, 0, 1, 2, 3].flatMap((dx) => impulse.rowsOf(peakX + dx, GREEN, 90));
  assert.ok(Math.min(...near) <= top + 2, 'the strongest path is where the line is highest');
}

/** Constellation: something is painted at every symbol, and nothing far from all of them. */
export async function checkConstellation(page: Page, known: Known): Promise<void> {
  const burst = known.all('burst').findLast(({ points }) => points.length > 0);
  assert.ok(burst);
  await reads(page, 'sct-constellation', 'modulation', burst.pointsOf ?? '—');
  const shot = await Pixels.of(page, 'sct-constellation canvas');
  const ground = shot.at(1, 1);
  const side = Math.min(shot.width, shot.height);
  const scale = side / 2 / (burst.pointsOf === 'analog' ? 2.8 : 1.8);
  let [hit, inside] = [0, 0];
  for (let i = 0; i < burst.points.length; i += 2) {
    const x = shot.width / 2 + burst.points[i] * scale;
    const y = shot.height / 2 - burst.points[i + 1] * scale;
    if (Math.abs(x - shot.width / 2) > side / 2 - 3 || Math.abs(y - shot.height / 2) > side / 2 - 3) continue;
    inside++;
    if (shot.differsNear(x, y, 1, ground)) hit++;
  }
  assert.ok(inside > 50 && hit === inside, `${hit} of ${inside} symbols are shown`);
}

/** Pictures: what the canvases show is what was sent, and what the run wrote. */
export async function checkPictures(page: Page, known: Known, received: string | null): Promise<void> {
  await page.locator('sct-source label', { hasText: 'outlines' }).locator('input').uncheck();
  await page.locator('sct-received [data-is="states"]').uncheck();
  await page.waitForTimeout(300);
  const after = known.all('picture').findLast(({ stage }) => stage === 'after');
  assert.ok(after);
  if (received) {
    const [told, kept] = [await raw(after.bytes), await raw(await readFile(received))];
    assert.deepEqual([told.info.width, told.info.height], [kept.info.width, kept.info.height]);
    const off = told.data.reduce((sum, v, i) => sum + Math.abs(v - kept.data[i]), 0) / told.data.length;
    assert.ok(off < 4, `what is told is ${off.toFixed(2)} of 255 off the picture of the run (it is told as a JPEG)`);
  }
  for (const [panel, { bytes, width, height }] of [
    ['sct-source', known.last('source')],
    ['sct-received', after],
  ] as const) {
    const shot = await Pixels.of(page, `${panel} canvas`);
    const scale = Math.min(shot.width / width, shot.height / height);
    const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
    const { data } = await raw(bytes, wide, tall);
    const [left, top] = [Math.round((shot.width - wide) / 2), Math.round((shot.height - tall) / 2)];
    let sum = 0;
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < wide; x++) {
        const i = 3 * (y * wide + x);
        sum += distance(shot.at(left + x, top + y), [data[i], data[i + 1], data[i + 2]]);
      }
    }
    const off = sum / (3 * wide * tall);
    assert.ok(off < 6, `${panel}: ${off.toFixed(2)} of 255 off on the average (two ways to make a picture smaller)`);
  }
}

async function raw(bytes: Uint8Array, width?: number, height?: number) {
  const image = sharp(bytes).removeAlpha().toColourspace('srgb');
  if (width !== undefined) image.resize(width, height, { fit: 'fill', kernel: 'linear' });
  return image.raw().toBuffer({ resolveWithObject: true });
}

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { BINS, burst, SFVS, spectrum, status, subbandSnr } from './made-run.ts';
import { furnish, pictureRun, soundRun } from './scenes.ts';
import { reads, until } from './waits.ts';

let folder: string;
let browser: Browser;
let feeder: Feeder;

before(async () => {
  if (noBrowser) return;
  folder = builtPage();
  browser = await launch();
  feeder = await Feeder.start(folder);
  await furnish(feeder);
});

after(async () => {
  if (noBrowser) return;
  await browser.close();
  await feeder.close();
  rmSync(folder, { recursive: true });
});

/** Text of a figure in a panel, once it is there. */
async function figure(page: Page, panel: string, is: string): Promise<string> {
  return ((await page.locator(`${panel} [data-is="${is}"]`).first().textContent()) ?? '').trim();
}

/** Colour of a canvas at a place given as parts of its width and height, [r, g, b, a]. */
async function pixel(page: Page, canvas: string, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    `(() => { const c = document.querySelector(${JSON.stringify(canvas)});
      const at = (v, n) => Math.min(n - 1, Math.floor(v * n));
      return [...c.getContext('2d').getImageData(at(${x}, c.width), at(${y}, c.height), 1, 1).data]; })()`,
  ) as Promise<number[]>;
}

/** Of the waterfall at a part of its span, in a row of pixels from the top; its axis is 46 pixels wide, what is right of it 10. */
async function fallPixel(page: Page, x: number, row: number): Promise<number[]> {
  return page.evaluate(
    `(() => { const c = document.querySelector('sct-waterfall canvas');
      return [...c.getContext('2d').getImageData(46 + Math.floor(${x} * (c.width - 56)), ${row}, 1, 1).data]; })()`,
  ) as Promise<number[]>;
}

/** Pixels of a canvas that are within 12 of a colour. */
async function countColour(page: Page, canvas: string, [r, g, b]: readonly number[]): Promise<number> {
  return page.evaluate(
    `(() => { const c = document.querySelector(${JSON.stringify(canvas)});
      const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
      for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && Math.abs(d[i] - ${r}) + Math.abs(d[i + 1] - ${g}) + Math.abs(d[i + 2] - ${b}) < 12) n++;
      return n; })()`,
  ) as Promise<number>;
}

const AEROPLANE = [230, 159, 0];
const SFV_3 = [0, 158, 115];

test('every panel shows the figures and colours of a run that is known', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page, complaints } = await openPage(browser, feeder.url, { viewport: { width: 1280, height: 1800 } });
  await reads(page, 'sct-strip', 'lost', '2 048 to 4 096');
  await reads(page, 'sct-strip', 'state', 'loopback, modelled');
  await reads(page, 'sct-strip', 'clipped', '12');
  await reads(page, 'sct-strip', 'link', 'connected');
  await reads(page, 'sct-strip', 'level', '−18.4, −7.2 dBFS');
  assert.match((await page.locator('sct-strip .meters > div').first().getAttribute('class')) ?? '', /bad/);

  // The made tone: -20 dBFS mean, 6 dB more at its peak, at 3/4 of 7.68 MHz around 868.3 MHz.
  await reads(page, 'sct-spectrum', 'peak', '−14.0 dBFS');
  await reads(page, 'sct-spectrum', 'peak-at', '870.220 MHz');
  await reads(page, 'sct-waterfall', 'rows', '220');
  await until('the tone stands out', async () => {
    const tone = await fallPixel(page, 0.7505, 0);
    const beside = await fallPixel(page, 0.98, 0);
    return tone[0] + tone[1] > beside[0] + beside[1] + 150;
  });
  assert.deepEqual(
    await pixel(page, 'sct-waterfall canvas', 0.5, 0.99),
    await pixel(page, 'sct-waterfall canvas', 0.99, 0.99),
    'rows that never came are empty',
  );

  await reads(page, 'sct-constellation', 'evm', '19.5 % (−14.2 dB)');
  await reads(page, 'sct-constellation', 'modulation', 'analog');
  await until('the impulse response is drawn', async () => {
    return (await countColour(page, 'sct-impulse canvas', SFV_3)) > 20;
  });
  await reads(page, 'sct-impulse', 'cp', '4.69 µs');
  await reads(page, 'sct-channel', 'range', /^−\d+\.\d to \d+\.\d dB$/);

  await reads(page, 'sct-rb-bars', 'burst', '109');
  // Figures stand before what is painted with them.
  await until('the best subbands carry the aeroplane', async () => {
    return (await countColour(page, 'sct-rb-bars canvas', AEROPLANE)) > 10_000;
  });
  assert.match(
    (await page.locator('sct-rb-bars canvas').getAttribute('aria-label')) ?? '',
    new RegExp(`4: ${subbandSnr(4).toFixed(1)},`),
  );
  await reads(page, 'sct-rb-map', 'slots', '160');
  await reads(page, 'sct-bursts', 'bler', '0.0333');
  await reads(page, 'sct-bursts', 'bursts', '60');

  await reads(page, 'sct-source', 'sfvs', String(SFVS));
  await reads(page, 'sct-received', 'psnr', '26.94 dB');
  await reads(page, 'sct-received', 'n-received', '9');
  for (const state of ['repaired', 'synthesised', 'lost'])
    assert.equal(await figure(page, 'sct-received', `n-${state}`), '1');
  assert.equal(await page.locator('sct-sfvs tbody tr').count(), SFVS);
  // Below what fills the window.
  await page.locator('sct-budget').scrollIntoViewIfNeeded();
  await reads(page, 'sct-budget', 'gap', '−0.8 dB');
  const budget = { 'tx-dbm': '−3.0 dBm', 'path-loss': '60.0 dB, cable', 'rx-level': '−63.4 dBm, −18.4 dBFS' };
  const snr = { noise: '−76.1 dBm, −31.1 dBFS', predicted: '13.5 dB', measured: '12.7 dB' };
  for (const [is, text] of Object.entries({ ...budget, ...snr })) await reads(page, 'sct-budget', is, text);
  await reads(page, 'sct-budget', 'basis', /^assumed/);
  assert.equal(await page.locator('sct-log li').count(), 2);
  assert.deepEqual(await page.locator('.fault').allTextContents(), []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('SFVs and resource blocks highlight each other', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page } = await openPage(browser, feeder.url, { viewport: { width: 1280, height: 1800 } });
  await reads(page, 'sct-source', 'sfvs', String(SFVS));
  await reads(page, 'sct-rb-bars', 'burst', '109');
  const aeroplane = () => countColour(page, 'sct-rb-bars canvas', AEROPLANE);
  // Pictures that come, and a bar to scroll with them, change the width of the canvas: it is counted when it has stopped.
  let bright = 0;
  await until('bars are painted', async () => {
    const before = bright;
    bright = await aeroplane();
    return bright > 10_000 && bright === before;
  });
  // From a row of the table to bars and picture.
  await page.locator('sct-sfvs tr[data-sfv="3"]').hover();
  await reads(page, 'sct-rb-bars', 'picked', /^SFV 3 \(cluster 3\) rides on 15 RBs, subbands 7, 15$/);
  await until('all others step back', async () => (await aeroplane()) === 0);
  assert.ok((await countColour(page, 'sct-rb-bars canvas', SFV_3)) > 500);
  // From a bar to the table: subband 3 carries the aeroplane in all slots.
  const bars = page.locator('sct-rb-bars canvas');
  const box = await bars.boundingBox();
  assert.ok(box);
  await bars.hover({ position: { x: 46 + (3.5 / 25) * (box.width - 56), y: box.height - 40 } });
  await page.locator('sct-sfvs tr.chosen[data-sfv="0"]').waitFor();
  await reads(page, 'sct-rb-bars', 'picked', /^RB 3 in slot \d+: .* SFV 0 \(aeroplane\) rides on/);
  // From the picture to the bars, and pinned by a click.
  const picture = page.locator('sct-source canvas');
  const area = await picture.boundingBox();
  assert.ok(area);
  await picture.click({ position: { x: area.width / 2, y: area.height / 2.3 } });
  await page.mouse.move(5, 5);
  await reads(page, 'sct-rb-bars', 'picked', /^SFV 0 \(aeroplane\)/);
  await page.keyboard.press('Escape');
  await reads(page, 'sct-rb-bars', 'picked', /^Point at/);
  await until('bars are as they were', async () => (await aeroplane()) === bright);
  await page.close();
});

test('a lost connection is said, comes back, and begins with a snapshot', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-strip', 'link', 'connected');
  feeder.snapshot = soundRun();
  feeder.refusesToken = true;
  feeder.drop();
  await reads(page, 'sct-strip', 'link', /refuses this token/);
  feeder.refusesToken = false;
  await page.locator('sct-strip button', { hasText: 'try now' }).click();
  await reads(page, 'sct-strip', 'link', 'connected (again, 1×)');
  await reads(page, 'sct-strip', 'state', 'sound, modelled');
  await reads(page, 'sct-waterfall', 'rows', '220');
  feeder.drop();
  await reads(page, 'sct-strip', 'link', 'connected (again, 2×)');
  await page.close();
});

test('a run without a picture needs no room for one; bytes that are no frame are counted', {
  skip: noBrowser,
}, async () => {
  feeder.snapshot = soundRun();
  const { page, complaints } = await openPage(browser, feeder.url, { viewport: { width: 1280, height: 1800 } });
  await reads(page, 'sct-strip', 'state', 'sound, modelled');
  await page.locator('sct-source').waitFor({ state: 'hidden' });
  await reads(page, 'sct-rb-bars', 'burst', '118');
  feeder.send(new Uint8Array([1, 2, 3]));
  await reads(page, 'sct-strip', 'link', /1 unreadable/);
  // A burst with nothing in it: panels go on.
  feeder.tell(
    burst(120, { rbSnrDb: new Float32Array(0), subbandSnrDb: new Float32Array(0), subbands: 0 }),
    spectrum(300),
    status(9),
  );
  await reads(page, 'sct-strip', 'lost', '0');
  await reads(page, 'sct-waterfall', 'rows', '221');
  assert.equal(await page.locator('.fault').count(), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the waterfall goes on by one row a spectrum and follows its sliders', { skip: noBrowser }, async () => {
  feeder.snapshot = soundRun();
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-waterfall', 'rows', '220');
  // Fixed colours, a line a spectrum.
  await page.locator('sct-waterfall [data-is="auto"]').uncheck();
  await page.locator('sct-waterfall [data-is="zoom"]').selectOption('each');
  const line = (row: number) => fallPixel(page, 0.7505, row);
  const bright = async (row: number) => (await line(row))[1] > 150;
  await until('the tone is on top', () => bright(0));
  assert.ok(await bright(1));
  feeder.tell({ ...spectrum(400), meanDbfs: new Float32Array(BINS).fill(-100) });
  await reads(page, 'sct-waterfall', 'rows', '221');
  await until('the quiet line is on top', async () => !(await bright(0)));
  assert.ok(await bright(1), 'what was on top is one line lower');
  await page.locator('sct-waterfall [data-is="highDb"]').fill('-90');
  const last = [253, 231, 37];
  await until('above the range: the last colour', async () => {
    return (await line(1)).slice(0, 3).every((v, c) => v === last[c]);
  });
  await page.close();
});

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { builtPage, launch, noBrowser, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { burst, ownerOf, picture, run, SFVS, SHARED, SUBBANDS, sfvs, source, status } from './made-run.ts';
import { furnish, pictureRun, soundRun } from './scenes.ts';
import { reads } from './waits.ts';

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

test('the strip: counters, board, level of a converter and of floats', { skip: noBrowser }, async () => {
  feeder.snapshot = [
    run({ modelled: false, loOffsetHz: 500e3 }),
    status(3, { overruns: 2, underruns: 1, bytesPerS: 15.36e6, temperatureC: 41.5, clippedSamples: 9, peakDbfs: 0 }),
  ];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-strip', 'runs-over', '2, 1');
  await reads(page, 'sct-strip', 'usb', '15.4 MB/s');
  await reads(page, 'sct-strip', 'temperature', '41.5 °C');
  await reads(page, 'sct-strip', 'lo-offset', '500.0 kHz');
  await reads(page, 'sct-strip', 'rx-gain', 'lna 16, vga 24 dB');
  await reads(page, 'sct-strip', 'level', '−18.4, 0.0 dBFS');
  await page.locator('sct-strip .level svg.hot .full').waitFor({ state: 'attached' });
  assert.equal(await page.locator('sct-strip .meters .bad').count(), 1, 'overruns and underruns');
  // Floats of a model: another unit, no full scale, nothing hot above 0.
  feeder.tell(
    run({ startedAt: '2026-11-22T09:00:00.000Z', levelUnit: 'dB' }),
    status(4, { rmsDbfs: -11, peakDbfs: 3.9, temperatureC: null, bytesPerS: null }),
  );
  await reads(page, 'sct-strip', 'level', '−11.0, 3.9 dB');
  await reads(page, 'sct-strip', 'rx-gain', 'modelled');
  for (const gone of ['.hot', '.full', '[data-is="usb"]', '[data-is="temperature"]']) {
    assert.equal(await page.locator(`sct-strip ${gone}`).count(), 0, gone);
  }
  await page.close();
});

test('the way back to another host: who is there, what it carried, its clock', { skip: noBrowser }, async () => {
  const back = { connections: 1, sent: 12, received: 1034, dropped: 0, lost: 0, refused: 0, connected: true };
  const clock = { offsetMs: 1.254, uncertaintyMs: 0.31, delayMs: 0.6 };
  feeder.snapshot = [run({ modelled: false }), status(3, { wayBack: { ...back, clock: null } })];
  const { page } = await openPage(browser, feeder.url);
  await page.locator('sct-budget').scrollIntoViewIfNeeded();
  await reads(page, 'sct-budget', 'way-back', 'connected');
  await reads(page, 'sct-budget', 'way-back-messages', '12, 1 034');
  await reads(page, 'sct-budget', 'clock-offset', '—');
  feeder.tell(status(4, { wayBack: { ...back, clock } }));
  await reads(page, 'sct-budget', 'clock-offset', '+1.25 ± 0.31 ms');
  feeder.tell(status(5, { wayBack: { ...back, connected: false, connections: 3, lost: 2, refused: 1, clock } }));
  await reads(page, 'sct-budget', 'way-back', 'lost, 3×');
  await reads(page, 'sct-budget', 'way-back-messages', '12, 1 034; 2 lost; 1 refused');
  // Both ends in one process: nothing is said of it.
  feeder.tell(status(6));
  await page.locator('sct-budget [data-is="way-back"]').waitFor({ state: 'detached' });
  await page.close();
});

test('where no modem listens, the spectrum has the room and nothing waits for bursts', {
  skip: noBrowser,
}, async () => {
  const heard = { command: 'spectrum', modelled: false, channel: null, codec: null, mapping: null };
  feeder.snapshot = [
    run({ ...heard, fftSize: 0, subbands: 0, carriers: 0, modemRateHz: 10e6 }),
    status(3, { budget: null }),
  ];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-budget', 'rate', '10.00 Msps');
  assert.doesNotMatch(await page.locator('sct-budget').innerText(), /SNR|OFDM|codec|NaN/);
  for (const gone of ['.channel', '.mapping', '.points', '.pictures']) {
    assert.equal(await page.locator(`main > ${gone}`).first().isVisible(), false, gone);
  }
  for (const panel of ['.spectra', '.budget', '.events']) {
    const box = await page.locator(`main > ${panel}`).first().boundingBox();
    assert.ok(box!.height >= 200 && box!.width >= 500, `${panel} ${JSON.stringify(box)}`);
  }
  await page.close();
});

test('sweeps are listed where there are any; their report is opened', { skip: noBrowser }, async () => {
  const { page } = await openPage(browser, feeder.url);
  await page.locator('sct-runs tbody tr').first().waitFor();
  assert.equal(await page.locator('sct-sweeps').isVisible(), false);
  const sweep = { name: 'sweep_night', kind: 'sweep', state: 'running', startedAt: '2026-11-23T08:43:51.897Z' };
  feeder.rest.set('/api/sweeps', [
    { ...sweep, points: 10_000, measured: 4321, failed: 2, report: 'sweep_night/report' },
    { ...sweep, name: 'odd', state: null, startedAt: null, points: null, measured: null, failed: null, report: null },
  ]);
  await page.reload();
  const row = page.locator('sct-sweeps tbody tr').first();
  await row.waitFor();
  assert.match(await row.innerText(), /sweep_night\s+running\s+4 321 of 10 000\s+2\s+2026-11-23 08:43/);
  assert.match(
    await page.locator('sct-sweeps tbody tr').nth(1).innerText(),
    /odd\s+unreadable\s+—\s+—\s+—\s+no report/,
  );
  const asked = page.waitForRequest(/\/api\/tickets$/);
  await row.getByRole('button').click();
  assert.deepEqual((await asked).postDataJSON(), { path: '/api/sweeps/sweep_night%2Freport/files/report.html' });
  feeder.rest.set('/api/sweeps', []);
  await page.close();
});

test('needed SNR follows modulation and code rate of each subband', { skip: noBrowser }, async () => {
  // QPSK 0.5 needs 0 dB, 16-QAM 0.75 needs 10 log10(2^3 - 1) = 8.45 dB.
  const half = Math.floor(SUBBANDS / 2);
  const coded = burst(111, {
    modulation: Array.from({ length: SUBBANDS }, (_, s) => (s < half ? 1 : 2)),
    codeRate: Float32Array.from({ length: SUBBANDS }, (_, s) => (s < half ? 0.5 : 0.75)),
    pointsOf: 'QPSK',
    suspect: 'another burst',
    blocks: 8,
    blocksLost: 2,
  });
  feeder.snapshot = [run(), status(1), burst(2), coded];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-rb-bars', 'mcs', 'QPSK 0.50, 16-QAM 0.75');
  await reads(page, 'sct-constellation', 'modulation', 'QPSK');
  await reads(page, 'sct-bursts', 'bler', '0.2500');
  await reads(page, 'sct-bursts', 'suspect', '1');
  await reads(page, 'sct-offsets', 'sfo', '5.98 ppm');
  await reads(page, 'sct-offsets', 'cfo', /^−79\d\d Hz$/);
  await page.close();
});

test('a picture builds up: as it came until it is corrected, states and R on the way', {
  skip: noBrowser,
}, async () => {
  const before = await picture('before');
  feeder.snapshot = [run(), status(1), await source(), sfvs(3), { ...before, psnrDb: 12.5, msSsim: 0.41 }];
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-received', 'psnr', '12.50 dB');
  await reads(page, 'sct-received', 'n-received', '3');
  await reads(page, 'sct-received', 'n-heard', '1');
  await reads(page, 'sct-received', 'n-waiting', String(SFVS - 4));
  const granted = 23_658 + Array.from({ length: SFVS - 1 }, (_, i) => 2000 + 100 * (i + 1)).reduce((a, b) => a + b);
  await reads(page, 'sct-source', 'symbols-per-pixel', (granted / (768 * 512)).toFixed(4));
  await reads(page, 'sct-source', 'sfvs', '12');
  feeder.tell(sfvs(), before, await picture('after'));
  await reads(page, 'sct-received', 'psnr', '26.94 dB');
  await reads(page, 'sct-received', 'n-lost', '1');
  feeder.tell(run({ metrics: { symbolsPerPixel: 0.1875 } }));
  await reads(page, 'sct-source', 'symbols-per-pixel', '0.1875');
  // The next picture of the same stream is not corrected yet.
  feeder.tell({ ...before, psnrDb: 11.25 });
  await reads(page, 'sct-received', 'psnr', '11.25 dB');
  await page.close();
});

test('a shared block: all its SFVs are named, and each counts it among its own', { skip: noBrowser }, async () => {
  const carrying = burst(1);
  const uniform = run({ mapping: 'uniform', mappingReason: 'a subband too weak' });
  feeder.snapshot = [uniform, await source(), carrying];
  const { page } = await openPage(browser, feeder.url, { viewport: { width: 1280, height: 1800 } });
  await page.locator('sct-budget').scrollIntoViewIfNeeded();
  await reads(page, 'sct-budget', 'codec', 'integrated, uniform');
  assert.equal(await page.locator('sct-budget div:has([data-is="codec"])').getAttribute('title'), 'a subband too weak');
  const [first, second] = SHARED;
  const rbs = (id: number) => carrying.owner.filter((owner) => owner === id).length + (id === ownerOf(0, 0) ? 0 : 1);
  for (const id of [first, second]) {
    await page.locator(`sct-sfvs tr[data-sfv="${id}"]`).hover();
    await reads(page, 'sct-rb-bars', 'picked', new RegExp(`^SFV ${id} .* rides on ${rbs(id)} RBs, subbands 0,`));
  }
  const bars = page.locator('sct-rb-bars canvas');
  await bars.focus();
  await page.mouse.move(5, 5);
  await page.keyboard.press('ArrowRight');
  const shared = `SFV ${ownerOf(0, 0)} 50 %, SFV ${first} 25 %, SFV ${second} 25 %`;
  await reads(
    page,
    'sct-rb-bars',
    'picked',
    new RegExp(`^RB 0 in slot 0: [^ ]+ dB, ${shared}\\. SFV ${ownerOf(0, 0)} `),
  );
  await page.close();
});

test('keys go from block to block and from SFV to SFV; events pass a filter', { skip: noBrowser }, async () => {
  feeder.snapshot = await pictureRun();
  const { page } = await openPage(browser, feeder.url);
  await reads(page, 'sct-rb-bars', 'burst', '109');
  await page.locator('sct-rb-bars canvas').focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowUp']) await page.keyboard.press(key);
  await reads(page, 'sct-rb-bars', 'picked', /^RB 3 in slot 1: .* SFV 0 \(aeroplane\)/);
  await page.locator('sct-received canvas').focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('sct-sfvs tr.chosen[data-sfv="0"]').waitFor();
  await page.keyboard.press('ArrowRight');
  // All others matter as much: the first of them.
  await page.locator('sct-sfvs tr.chosen[data-sfv="1"]').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('sct-log [data-is="filter"]').fill('SAMPLES');
  await page.locator('sct-log li', { hasText: '2048 to 4096' }).waitFor();
  assert.equal(await page.locator('sct-sfvs tr.chosen[data-sfv="1"]').count(), 1, 'kept by Enter');
  await page.locator('sct-log li').nth(1).waitFor({ state: 'detached' });
  await page.close();
});

test('nothing is empty without a word: before a run, before a burst, in soundings', { skip: noBrowser }, async () => {
  feeder.snapshot = [];
  const { page } = await openPage(browser, feeder.url);
  await page.locator('[data-is="demo"]').waitFor();
  assert.ok(await page.locator('sct-spectrum').isHidden());
  await page.locator('[data-is="demo"]').click();
  while (feeder.asked.at(-1)?.do !== 'start') await page.waitForTimeout(50);
  assert.deepEqual(feeder.asked.at(-1)?.options, { demo: true });
  feeder.tell(run({ state: 'starting' }));
  await page.locator('sct-channel [data-none="no burst yet"]').waitFor();
  await page.locator('sct-spectrum [data-none="no samples yet"]').waitFor();
  assert.ok(await page.locator('sct-welcome').isHidden());
  feeder.snapshot = soundRun();
  feeder.drop();
  await reads(page, 'sct-strip', 'state', 'sound, modelled');
  for (const gone of ['sct-source', 'sct-constellation']) await page.locator(gone).waitFor({ state: 'hidden' });
  for (const seen of ['sct-budget', 'sct-log', 'sct-offsets']) assert.ok(await page.locator(seen).isVisible(), seen);
  await page.close();
});

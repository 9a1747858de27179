import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fitted } from '../../../src/experiment/report/svg/text.ts';
import {
  makeSweepReport,
  type ReportRequest,
  type SweepReport,
} from '../../../src/experiment/sweep-report/document.ts';
import { panelFile, panelSvg } from '../../../src/experiment/sweep-report/draw.ts';
import { type CurvePoint, panelsOf } from '../../../src/experiment/sweep-report/panels.ts';
import { assertWellFormed } from '../report/xml.ts';
import { type FakePoint, fakePoints, writeSweep } from './sweep-folder.ts';

async function report(t: TestContext, points: readonly FakePoint[], more: Partial<ReportRequest> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sct-figures-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = await writeSweep(join(folder, 'night'), points);
  return makeSweepReport({ paths: [path], where: [], gains: [], figures: null, limits: null, ...more }, () =>
    Promise.resolve(),
  );
}

const figure = (r: SweepReport, name: string) => r.figures.find((f) => f.name === name)!;

test('a curve has the same colour, mark and dash in every figure, also in one that is drawn alone', async (t) => {
  const looks = (r: SweepReport) => {
    const all = r.figures.flatMap((f) => f.panels.flatMap((p) => p.curves));
    return all.map(({ label, style }) => `${label.replace(/ − \w+/, '')}: ${style}`);
  };
  const whole = new Set(looks(await report(t, fakePoints())));
  assert.equal(whole.size, new Set([...whole].map((w) => w.split(':')[0])).size, [...whole].join('\n'));
  for (const name of ['bler-snr', 'gain-codec-psnr-snr', 'sfv-received-snr']) {
    for (const look of looks(await report(t, fakePoints(), { figures: [name] }))) assert.ok(whole.has(look), look);
  }
});

test('for print: width and height in mm, text of 8 pt, no dark variant, nothing that has to be fetched', async (t) => {
  const r = await report(t, fakePoints());
  for (const f of r.figures) {
    f.panels.forEach((panel, i) => {
      for (const mm of [60, 88, 180]) {
        const svg = panelSvg(f, panel, mm);
        assertWellFormed(svg);
        assert.match(svg, new RegExp(`viewBox="0 0 ${mm * 4.25} [0-9.]+" width="${mm}mm" height="[0-9.]+mm"`));
        // 12 units at 4.25 a mm are 2.82 mm, 8 pt of 0.3528 mm.
        assert.match(svg, /font:12px/);
        assert.doesNotMatch(svg, /@media|url\(|href/);
      }
      assert.match(panelFile(f, i), /^[a-z0-9.-]+$/);
    });
  }
});

test('a probability of which nothing was seen is drawn as a limit, and a figure of nothing else only where it is asked for', async (t) => {
  const r = await report(t, fakePoints(), { figures: ['outage-snr'] });
  const [panel] = figure(r, 'outage-snr').panels;
  const svg = panelSvg(figure(r, 'outage-snr'), panel, 88);
  assert.match(svg, /none seen: 95 % limit/);
  assert.match(svg, />0\.1</);
  const withoutOutage = fakePoints().filter(({ result }) => (result.metrics as { outage: number }).outage === 0);
  const calm = await report(t, withoutOutage);
  assert.equal(figure(calm, 'outage-snr'), undefined);
  const asked = await report(t, withoutOutage, { figures: ['outage-snr'] });
  assertWellFormed(panelSvg(asked.figures[0], asked.figures[0].panels[0], 88));
});

test('captions say intervals, pictures, and what was the same everywhere', async (t) => {
  const { caption, yLabel, xLabel } = figure(await report(t, fakePoints()), 'psnr-snr');
  assert.equal(yLabel, 'PSNR, dB');
  assert.equal(xLabel, 'SNR, dB');
  assert.match(caption, /95 % intervals.*12 pictures, 3 photos, 4 seeds.*R 0\.125.*EVA/);
});

test('curves go into plots of at most five; what is compared stays together where it can', () => {
  const point = { x: 0, y: 1, low: 0, high: 2, n: 1, photos: 1, seeds: 1 };
  const curves = (settings: Record<string, string[]>) => {
    const product = Object.entries(settings).reduce<Record<string, string>[]>(
      (list, [key, values]) => list.flatMap((one) => values.map((v) => ({ ...one, [key]: v }))),
      [{}],
    );
    return product.map((one) => ({ settings: one, points: [point] }));
  };
  const shape = (settings: Record<string, string[]>) =>
    panelsOf(curves(settings)).map((p) => [p.title, p.curves.map((c) => c.label).join('; ')]);
  assert.deepEqual(shape({ codec: ['a', 'b'], channel: ['awgn', 'eva'] }), [
    ['AWGN', 'a; b'],
    ['EVA', 'a; b'],
  ]);
  assert.deepEqual(shape({ codec: ['a', 'b', 'c'] }), [['', 'a; b; c']]);
  // One setting alone is what is compared, whichever it is.
  assert.equal(shape({ dopplerHz: ['5', '50', '100', '200'] }).length, 1);
  for (const panel of panelsOf(curves({ codec: ['a', 'b', 'c'], mapping: ['1', '2', '3'], channel: ['p', 'q'] }))) {
    assert.ok(panel.curves.length <= 5, panel.title);
  }
  const many = panelsOf(curves({ seedling: Array.from({ length: 12 }, (_, i) => `v${i}`) }));
  assert.deepEqual(
    many.map((p) => [p.title, p.curves.length]),
    [
      ['part 1', 5],
      ['part 2', 5],
      ['part 3', 2],
    ],
  );
});

test('over a setting that is neither SNR nor R: drawn by itself where nothing else varies, by name elsewhere', async (t) => {
  const over = (snrs: readonly number[]) =>
    fakePoints()
      .filter(({ result }) => snrs.includes((result.metrics as { snrDb: number }).snrDb))
      .map((p, i) => {
        const config = p.point.config as Record<string, unknown>;
        return { ...p, point: { ...p.point, config: { ...config, dopplerHz: i % 2 === 0 ? 5 : 70 } } };
      });
  const alone = await report(t, over([6]));
  const { xLabel, panels } = figure(alone, 'psnr-dopplerHz');
  assert.equal(xLabel, 'Doppler, Hz');
  assert.deepEqual([...new Set(panels.flatMap((p) => p.curves.flatMap((c) => c.points.map((q) => q.x))))], [5, 70]);
  assert.equal(figure(await report(t, over([0, 6])), 'psnr-dopplerHz'), undefined);
  const asked = await report(t, over([0, 6]), { figures: ['outage-dopplerHz', 'outage-dopplerHz'] });
  assert.equal(asked.figures.length, 1);
});

test('labels and titles are no wider than the plot: what is longer loses its middle', async (t) => {
  const points = fakePoints().map((p, i) => {
    const { dopplerHz: _, ...config } = p.point.config as Record<string, unknown>;
    const channel = `trace:${'roof-'.repeat(18)}${i % 2}`;
    return { ...p, point: { ...p.point, config: { ...config, channel } } };
  });
  const r = await report(t, points);
  for (const panel of figure(r, 'psnr-snr').panels) {
    const svg = panelSvg(figure(r, 'psnr-snr'), panel, 60);
    const texts = Array.from(svg.matchAll(/<text[^>]*>([^<]*)</g), ([, text]) => text);
    assert.match(texts.join('\n'), /roof.*…/);
    for (const text of texts) assert.ok(text.length * 12 * 0.56 < 60 * 4.25, text);
  }
  assert.equal(fitted('abcdefghij', 10, 1000), 'abcdefghij');
  assert.equal(fitted('abcdefghij', 10, 40), 'abc…hij');
  assert.equal(fitted('abcdefghij', 10, 0), 'a…j');
  assert.equal(fitted('\u{1F600}'.repeat(9), 10, 20), '\u{1F600}…\u{1F600}');
});

test('an axis of probabilities reaches below the least interval', () => {
  const point = (y: number, low: number, high: number) => ({ x: 1, y, low, high, n: 9, photos: 3, seeds: 3 });
  const ticks = (...points: CurvePoint[]) => {
    const panel = { title: '', curves: [{ label: '', points, style: 0 }] };
    const words = { name: 'p', title: 'p', xLabel: 'x', yLabel: 'p', caption: '', zero: false };
    const svg = panelSvg({ ...words, log: true, panels: [panel] }, panel, 88);
    return Array.from(svg.matchAll(/text-anchor="end">([^<]*)</g), ([, text]) => text);
  };
  assert.deepEqual(ticks(point(0.5, 0.3, 0.8)), ['1', '0.5', '0.2', '0.1']);
  assert.deepEqual(ticks(point(0.2, 0.09, 0.4)), ['1', '0.5', '0.2', '0.1', '0.05']);
  assert.deepEqual(ticks(point(0.2, 0, 0.4)), ['1', '0.5', '0.2', '0.1', '0.05', '0.02']);
  assert.deepEqual(ticks(point(0.01, 0.001, 0.4)), ['1', '10⁻¹', '10⁻²', '10⁻³']);
  assert.deepEqual(ticks(point(0, 0, 0.3)), ['1', '0.5', '0.2', '0.1']);
});

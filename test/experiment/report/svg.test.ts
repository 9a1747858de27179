import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import {
  checkedPictureUri,
  crc32,
  encodeIndexedPng,
  pictureDataUri,
} from '../../../src/experiment/report/svg/indexed-png.ts';
import { viridis, viridisTable } from '../../../src/experiment/report/svg/palette.ts';
import { type PlotSpec, plot } from '../../../src/experiment/report/svg/plot.ts';
import type { Series } from '../../../src/experiment/report/svg/series.ts';
import { stackedBar, strip } from '../../../src/experiment/report/svg/strips.ts';
import { bytes, escapeText, fixed, grouped, si } from '../../../src/experiment/report/svg/text.ts';
import { linearTicks, logTicks } from '../../../src/experiment/report/svg/ticks.ts';
import { assertWellFormed, attribute, elements } from './xml.ts';

const spec = (series: Series[], more: Partial<PlotSpec> = {}): PlotSpec => ({
  title: 'T',
  xLabel: 'x, s',
  yLabel: 'y, dB',
  series,
  ...more,
});

test('ticks fall on 1, 2, 2.5 or 5 times a power of ten, inside the range, with equal decimals', () => {
  assert.deepEqual(
    linearTicks(0, 10, 5).map((t) => t.label),
    ['0', '2', '4', '6', '8', '10'],
  );
  assert.deepEqual(
    linearTicks(-0.31, 0.52, 4).map((t) => t.label),
    ['\u22120.25', '0.00', '0.25', '0.50'],
  );
  assert.deepEqual(
    linearTicks(0, 4e6, 4).map((t) => t.label),
    ['0', '10⁶', '2·10⁶', '3·10⁶', '4·10⁶'],
  );
  assert.deepEqual(
    logTicks(1e-4, 1, 6).map((t) => t.label),
    ['10⁻⁴', '10⁻³', '0.01', '0.1', '1'],
  );
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
      (low, span) => {
        const ticks = linearTicks(low, low + span, 6);
        assert.ok(ticks.length >= 2 && ticks.length <= 14, `${ticks.length} ticks`);
        // Rounding: a millionth of the span, and the spacing of doubles this far from zero.
        const slack = 1e-6 * span + 4 * Number.EPSILON * (Math.abs(low) + span);
        for (const t of ticks) assert.ok(t.value >= low - slack && t.value <= low + span + slack);
      },
    ),
  );
});

test('numbers are written with a true minus, grouped thousands and SI prefixes; nothing measured is a dash', () => {
  assert.equal(fixed(-2.345678, 2), '\u22122.35');
  assert.equal(fixed(-0.001, 1), '0.0');
  assert.equal(fixed(null), '—');
  assert.equal(fixed(Number.NaN), '—');
  assert.equal(grouped(-1234567), '\u22121\u202f234\u202f567');
  assert.equal(si(7.68e6, 'Hz'), '7.68 MHz');
  assert.equal(si(4.7e-6, 's'), '4.7 µs');
  assert.equal(si(1000, 'Hz'), '1 kHz');
  assert.equal(si(0, 's'), '0 s');
  assert.equal(bytes(1536), '1.5 KiB');
});

test('escaped text holds no markup, control or direction characters and is bounded', () => {
  assert.equal(escapeText('<a href="x">&\'</a>'), '&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;');
  assert.equal(escapeText('a\u0000\u001bb\u202ec\ud800'), 'a\ufffd\ufffdbc\ufffd');
  assert.equal(escapeText('ü😀'), 'ü😀');
  assert.equal(escapeText('x'.repeat(50), 10), `${'x'.repeat(9)}…`);
});

test('a line goes through its points: pixel positions equal the axis mapping', () => {
  const svg = plot(
    spec([{ kind: 'line', x: [0, 5, 10], y: [0, 10, 5] }], {
      xRange: [0, 10],
      yRange: [0, 10],
      width: 500,
      height: 300,
      marginLeft: 50,
      marginRight: 50,
      showTitle: false,
    }),
  );
  // Plot area 400 wide; top 4 + 6, bottom 44 leave 246 high.
  const line = elements(svg, 'path').find((p) => attribute(p, 'class')?.startsWith('li'))!;
  assert.equal(attribute(line, 'd'), 'M0 246h0L200 0L400 123');
});

test('values that are not finite break a line and never reach the markup', () => {
  const y = [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5, 6];
  const svg = plot(spec([{ kind: 'line', x: [0, 1, 2, 3, 4, 5], y }]));
  assertWellFormed(svg);
  const d = attribute(elements(svg, 'path').find((p) => attribute(p, 'class')?.startsWith('li'))!, 'd')!;
  assert.equal(d.match(/M/g)?.length, 3);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('a long line keeps its extremes when it is thinned', () => {
  const n = 100_000;
  const y = new Float32Array(n);
  y[77_777] = 9;
  const svg = plot(spec([{ kind: 'line', x: Float32Array.from(y, (_, i) => i), y }], { yRange: [0, 10] }));
  assert.ok(svg.length < 60_000, `${svg.length} characters`);
  const d = attribute(elements(svg, 'path').find((p) => attribute(p, 'class')?.startsWith('li'))!, 'd')!;
  const area = Number(attribute(elements(svg, 'svg')[1], 'height'));
  const ys = [...d.matchAll(/[ML]\S+ (\S+?)(?=[LMh]|$)/g)].map((m) => Number(m[1]));
  assert.ok(Math.abs(Math.min(...ys) - area * 0.1) < 0.02);
});

test('bars stand on their baseline, carry tooltips, colours and whiskers', () => {
  const svg = plot(
    spec([
      {
        kind: 'bars',
        x: [0, 1, 2],
        y: [5, -3, Number.NaN],
        error: [1, 0, 1],
        colours: [2, 4, 1],
        tooltips: ['a<b', 'c', 'd'],
      },
    ]),
  );
  assertWellFormed(svg);
  const bars = elements(svg, 'rect').filter((r) => /^f\d$/.test(attribute(r, 'class') ?? ''));
  assert.deepEqual(
    bars.map((b) => attribute(b, 'class')),
    ['f2', 'f4'],
  );
  const base = Number(attribute(bars[0], 'y')) + Number(attribute(bars[0], 'height'));
  assert.ok(Math.abs(base - Number(attribute(bars[1], 'y'))) < 0.02);
  assert.ok(svg.includes('<title>a&lt;b</title>'));
  assert.equal(elements(svg, 'path').filter((p) => attribute(p, 'class') === 'er').length, 1);
});

test('a small heat map has one rectangle a cell, a large one becomes one picture; missing cells stay empty', () => {
  const cells = { kind: 'heatmap' as const, x: [0, 4] as const, y: [0, 3] as const, range: [0, 11] as const };
  const values = Float32Array.from({ length: 12 }, (_, i) => (i === 5 ? Number.NaN : i));
  const small = plot(spec([{ ...cells, rows: 3, columns: 4, values, tooltip: (r, c, v) => `${r},${c}: ${v}` }]));
  assertWellFormed(small);
  assert.equal(elements(small, 'rect').filter((r) => attribute(r, 'fill')?.startsWith('#')).length, 11);
  assert.ok(small.includes('<title>2,3: 11</title>'));
  assert.ok(small.includes(`fill="${viridis(1)}"`));
  const large = plot(spec([{ ...cells, rows: 50, columns: 50, values: new Float32Array(2500) }]));
  assertWellFormed(large);
  assert.equal(elements(large, 'image').length, 1);
});

test('equal aspect makes the constellation square', () => {
  const svg = plot(
    spec([{ kind: 'scatter', x: [1, -1], y: [1, -1] }], {
      xRange: [-2, 2],
      yRange: [-2, 2],
      equalAspect: true,
      width: 333,
    }),
  );
  const inner = elements(svg, 'svg')[1];
  assert.equal(attribute(inner, 'width'), attribute(inner, 'height'));
});

test('log axes, confidence bands, error bars, thresholds, regions, boxes and legends draw', () => {
  const x = [0, 2, 4, 6];
  const y = [0.3, 0.05, 0.002, 0];
  const svg = plot(
    spec(
      [
        {
          kind: 'line',
          label: 'band',
          x,
          y,
          low: [0.2, 0.03, 0.001, 0],
          high: [0.4, 0.08, 0.004, 0.001],
          markers: true,
        },
        { kind: 'line', label: 'bars', x, y, low: y, high: y, bars: true, dash: true, step: true },
        { kind: 'threshold', axis: 'y', value: 0.01, text: 'required', label: 'limit' },
        { kind: 'threshold', axis: 'x', value: 3, text: 'here', outside: true },
        { kind: 'region', axis: 'x', from: 1, to: 2, text: 'cyclic prefix' },
        { kind: 'box', x: [0, 6], y: [0.001, 0.1], text: 'burst' },
        { kind: 'legend', label: 'extra', colour: 3 },
      ],
      { yScale: 'log', yRange: [1e-4, 1] },
    ),
  );
  assertWellFormed(svg);
  for (const text of ['band', 'bars', 'required', 'limit', 'cyclic prefix', 'burst', 'extra', '10⁻³']) {
    assert.ok(svg.includes(`>${text}</text>`), text);
  }
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('hostile labels and empty or degenerate data give well-formed SVG without scripts', () => {
  const numbers = fc.array(fc.oneof(fc.double(), fc.constant(0), fc.double({ min: -5, max: 5 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), numbers, numbers, fc.boolean(), (text, x, y, log) => {
      const svg = plot({
        title: `${text}<script>`,
        description: `"${text}`,
        xLabel: text,
        yLabel: `${text}</svg>`,
        xScale: log ? 'log' : 'linear',
        colourBar: { range: [x[0] ?? 0, y[0] ?? 0], label: text },
        series: [
          { kind: 'line', label: text, x, y, markers: true },
          { kind: 'scatter', label: text, x, y, shape: 'cross' },
          { kind: 'bars', x, y, tooltips: x.map(() => text) },
          { kind: 'box', x: [0, 1], y: [0, 1], text },
        ],
      });
      assertWellFormed(svg);
      assert.doesNotMatch(svg, /<script|NaN|Infinity|undefined/);
    }),
    { numRuns: 300 },
  );
});

test('viridis has the published ends and rises in lightness', () => {
  assert.equal(viridis(0), '#440154');
  assert.equal(viridis(1), '#fde725');
  assert.equal(viridis(0.5), '#21918c'); // table entry 128
  const table = viridisTable(256);
  let last = -1;
  for (let i = 0; i < 256; i++) {
    const light = 0.2126 * table[4 * i] + 0.7152 * table[4 * i + 1] + 0.0722 * table[4 * i + 2];
    assert.ok(light > last - 0.5, `entry ${i}`);
    last = light;
  }
});

test('an indexed PNG holds its pixels, palette and transparency, with right checksums', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926); // check value of CRC-32/ISO-HDLC
  const indices = Uint8Array.of(0, 1, 2, 2, 1, 0);
  const png = encodeIndexedPng({
    width: 3,
    height: 2,
    indices,
    palette: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 0),
  });
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)), type);
    chunks.set(type, png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
  assert.deepEqual([...chunks.get('PLTE')!], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([...chunks.get('tRNS')!], [255, 255, 0]);
  assert.deepEqual([...inflateSync(chunks.get('IDAT')!)], [0, 0, 1, 2, 0, 2, 1, 0]);
  assert.match(pictureDataUri(png), /^data:image\/png;base64,/);
  assert.throws(() => pictureDataUri(Buffer.from('hello world!')), TypeError);
  assert.throws(() => checkedPictureUri('data:image/svg+xml;base64,PHN2Zz4='), TypeError);
  assert.throws(() => checkedPictureUri('data:image/png;base64,AA" onload="x'), TypeError);
  assert.throws(() => encodeIndexedPng({ width: 2, height: 2, indices, palette: new Uint8Array(4) }), RangeError);
});

test('strips and stacked bars: one cell an item, parts fill the width, zero parts vanish', () => {
  const cells = Array.from({ length: 200 }, (_, i) => ({ colour: i % 3, tooltip: `<${i}>`, mark: i % 3 === 1 }));
  const s = strip(cells, 'blocks', [{ colour: 0, label: 'ok' }]);
  assertWellFormed(s);
  assert.equal(elements(s, 'title').length, 200);
  const bar = stackedBar(
    [
      { label: 'a', value: 3, colour: 0 },
      { label: 'none', value: 0, colour: 1 },
      { label: 'b', value: 1, colour: 2 },
    ],
    'use',
    400,
  );
  assertWellFormed(bar);
  const parts = elements(bar, 'rect').filter((r) => attribute(r, 'height') === '30');
  assert.deepEqual(
    parts.map((p) => [attribute(p, 'x'), attribute(p, 'width')]),
    [
      ['0', '298.5'],
      ['300', '98.5'],
    ],
  );
  assert.ok(!bar.includes('none'));
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CRC24A } from '../../../../src/common/crc.ts';
import { RandomStream } from '../../../../src/common/random.ts';
import { parseParts } from '../../../../src/experiment/bench/models/models.ts';
import { receivedSymbols, sideInformationSymbols } from '../../../../src/experiment/bench/models/models-awgn.ts';
import { fillLaplace } from '../../../../src/experiment/bench/models/models-fill.ts';
import { fullSizeClasses, gridOracle, resized } from '../../../../src/experiment/bench/models/models-heads.ts';
import { wholeSfvs } from '../../../../src/experiment/bench/models/models-holes.ts';
import { judgeFigures, writeIfOther } from '../../../../src/experiment/bench/models/models-judge.ts';
import { atLeast, atMost, between, shown } from '../../../../src/experiment/bench/models/models-row.ts';
import { pictureSheet, withHoles } from '../../../../src/experiment/bench/models/models-sheet.ts';
import { decodeControl, encodeControl } from '../../../../src/phy/fec/control-code.ts';
import { flatImage } from '../../../../src/sct/image/rgb-image.ts';

test('side information: the counted symbols are those of the robust code, and it decodes at -4 dB', () => {
  assert.equal(sideInformationSymbols(100), (8 * 100 + 24) * 3); // QPSK at rate 1/6: 1/3 bit a symbol
  assert.equal(sideInformationSymbols(600), 2 * (8 * 302 + 24) * 3); // two blocks of 302 bytes, CRC-24B each
  const message = new RandomStream(3).bytes(170);
  const symbols = sideInformationSymbols(message.length);
  const bits = encodeControl(message, CRC24A, 2 * symbols);
  const random = new RandomStream(4);
  const n0 = 10 ** 0.4; // Es = 1, two bits a symbol
  const llr = Float32Array.from(
    bits,
    (b) => (2 * Math.SQRT2 * ((b ? -1 : 1) / Math.SQRT2 + Math.sqrt(n0 / 2) * random.normal())) / n0,
  );
  const decoded = decodeControl(llr, message.length, CRC24A);
  assert.ok(decoded.ok);
  assert.deepEqual([...decoded.bytes], [...message]);
});

test('AWGN: Es/N0 of the stream is what was asked, whatever the power of the symbols; nothing outside k', () => {
  const cells = 96;
  const random = new RandomStream(7);
  const z = Float32Array.from({ length: 384 * cells }, () => 3.7 * random.normal());
  const k = Float32Array.from({ length: cells }, (_, i) => [0, 4, 192, 64][i % 4]);
  for (const snrDb of [-2, 10, 20]) {
    const out = receivedSymbols(z, { symbols: { rows: 8, columns: 12, data: k } }, snrDb, random.fork(String(snrDb)));
    const measured = 10 * Math.log10(out.signalEnergy / out.noiseEnergy);
    assert.ok(Math.abs(measured - snrDb) < 0.25, `${measured}`); // 6240 symbols: 0.055 dB a sigma
    assert.ok(Math.abs(Math.log2(out.scale) * 16 - Math.round(Math.log2(out.scale) * 16)) < 1e-9);
    assert.ok(Math.abs(out.knownSnrDb - snrDb) < 0.19); // the power scale's 8 bits
    for (let cell = 0; cell < cells; cell++) {
      assert.equal(out.received[2 * k[cell] * cells + cell] ?? 0, 0);
    }
    // the demapper's factor: at high SNR received = z / scale nearly
    if (snrDb === 20) assert.ok(Math.abs(out.received[2] - z[2] / out.scale) < 0.5);
  }
});

test('Laplace fill: exact on a ramp, equal to Gauss-Seidel, known points and whole holes untouched', () => {
  const [w, h] = [12, 9];
  const ramp = Float32Array.from({ length: w * h }, (_, p) => 3 * (p % w) - 2 * Math.floor(p / w));
  const free = Uint8Array.from({ length: w * h }, (_, p) => {
    const [x, y] = [p % w, Math.floor(p / w)];
    return x > 2 && x < 8 && y > 1 && y < 7 ? 1 : 0;
  });
  const holes = ramp.map((v, p) => (free[p] ? 99 : v));
  const filled = fillLaplace(holes, free, w, h, 1e-7);
  filled.forEach((v, p) => {
    assert.ok(Math.abs(v - ramp[p]) < 1e-3);
  });
  const random = new RandomStream(5);
  const noise = Float32Array.from({ length: 2 * w * h }, () => random.normal());
  const mask = Uint8Array.from({ length: w * h }, () => (random.uniform() < 0.5 ? 1 : 0));
  const found = fillLaplace(noise, mask, w, h, 1e-7);
  for (let plane = 0; plane < 2; plane++) {
    const u = Float64Array.from(noise.subarray(plane * w * h, (plane + 1) * w * h));
    for (let sweep = 0; sweep < 3000; sweep++) {
      for (let p = 0; p < u.length; p++) {
        if (!mask[p]) continue;
        const [x, y] = [p % w, Math.floor(p / w)];
        const near = [x > 0 && p - 1, x + 1 < w && p + 1, y > 0 && p - w, y + 1 < h && p + w].filter(
          (q) => q !== false,
        );
        u[p] = near.reduce((s, q) => s + u[q as number], 0) / near.length;
      }
    }
    u.forEach((v, p) => {
      assert.ok(Math.abs(v - found[plane * w * h + p]) < 1e-3, `${v} ${found[plane * w * h + p]}`);
    });
  }
  assert.deepEqual(fillLaplace(noise, new Uint8Array(w * h).fill(1), w, h), noise);
  assert.throws(() => fillLaplace(noise, mask.subarray(1), w, h), /do not fit/);
});

test('quarter-size planes at full size as PyTorch does it (align_corners = false)', () => {
  // torch 1.13: F.interpolate([[0, 3, -6], [9, 1.5, 4]], (8, 12), mode="bilinear", align_corners=False)[:7, :10]
  const rows = [
    [0.0, 0.0, 0.375, 1.125, 1.875, 2.625, 1.875, -0.375, -2.625, -4.875],
    [0.0, 0.0, 0.375, 1.125, 1.875, 2.625, 1.875, -0.375, -2.625, -4.875],
    [1.125, 1.125, 1.33594, 1.75781, 2.17969, 2.60156, 1.86719, -0.02344, -1.91406, -3.80469],
    [3.375, 3.375, 3.25781, 3.02344, 2.78906, 2.55469, 1.85156, 0.67969, -0.49219, -1.66406],
    [5.625, 5.625, 5.17969, 4.28906, 3.39844, 2.50781, 1.83594, 1.38281, 0.92969, 0.47656],
    [7.875, 7.875, 7.10156, 5.55469, 4.00781, 2.46094, 1.82031, 2.08594, 2.35156, 2.61719],
    [9.0, 9.0, 8.0625, 6.1875, 4.3125, 2.4375, 1.8125, 2.4375, 3.0625, 3.6875],
  ];
  const out = resized(Float32Array.of(0, 3, -6, 9, 1.5, 4), 3, 2, 10, 7);
  rows.flat().forEach((v, p) => {
    assert.ok(Math.abs(v - out[p]) < 1e-4, `${p}: ${out[p]}, expected ${v}`);
  });
  const maps = new Float32Array(11 * 16);
  maps.fill(5, 3 * 16, 4 * 16);
  maps.fill(9, 7 * 16 + 12, 7 * 16 + 16); // class 7 in the last row
  const classes = fullSizeClasses(maps, { rows: 1, columns: 1 }, 16, 14);
  assert.equal(classes[0], 3);
  assert.equal(classes[13 * 16], 7);
});

test('the grid oracle gives a cell its commonest class, void not counted', () => {
  const truth = new Uint8Array(20 * 16).fill(11);
  truth.fill(4, 0, 5);
  truth.fill(2, 20, 26); // 6 of class 2, 5 of class 4, the rest void
  truth[19] = 8;
  const out = gridOracle(truth, 20, 16);
  assert.equal(out[0], 2);
  assert.equal(out[15 * 20 + 15], 2);
  assert.equal(out[16], 8);
});

test('rows: what is held against what', () => {
  const input = { part: 'kodak' as const, what: 'x', value: 2 };
  assert.equal(atLeast('limit', 2, input).met, true);
  assert.equal(atMost('target', 1, input).met, false);
  assert.equal(between('limit', 0.5, 2, input).met, true);
  assert.equal(atLeast('limit', 2, { ...input, value: Number.NaN }).met, null);
  assert.equal(atLeast('limit', 2, { ...input, value: null }).met, null);
  assert.equal(shown(input).met, null);
  assert.deepEqual(parseParts('kodak, latency'), ['latency', 'kodak']);
  assert.throws(() => parseParts('kodak,x'), /"x" is no part/);
});

test('sheets and holes', () => {
  const sheet = pictureSheet([[flatImage(10, 8, 1), flatImage(10, 8, 2)], [flatImage(10, 8, 3)]]);
  assert.deepEqual([sheet.width, sheet.height], [26, 22]);
  assert.deepEqual([sheet.data[0], sheet.data[3 * 16], sheet.data[3 * 14 * 26], sheet.data[3 * 12]], [1, 2, 3, 255]);
  const holed = withHoles(flatImage(32, 16, 9), Uint8Array.of(0, 1), 2);
  assert.deepEqual([holed.data[0], holed.data[3 * 16]], [9, 128]);
});

test('whole SFVs: enough, never too much, the same for a seed', () => {
  const sfvOf = Uint8Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i < 80 ? 1 : i < 97 ? 2 : 3));
  const sfvs = [60, 20, 17, 3].map((cells, id) => ({ id, label: id, cells }));
  const partition = {
    rows: 10,
    columns: 10,
    space: 'street' as const,
    labels: sfvOf,
    sfvOf,
    sfvs,
    bytes: new Uint8Array(),
  };
  for (let seed = 0; seed < 20; seed++) {
    const lost = wholeSfvs(partition, new RandomStream(seed), 0.1, 0.4, 9)!;
    const share = lost.reduce((a, b) => a + b, 0) / 100;
    assert.ok(share === 0.2 || share === 0.17, `${share}`);
    assert.deepEqual(wholeSfvs(partition, new RandomStream(seed), 0.1, 0.4, 9), lost);
  }
  assert.equal(wholeSfvs(partition, new RandomStream(1), 0.1, 0.1, 9), null);
});

test("the judge's lines count only for pictures that were judged as they are", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sct-judge-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const iou = Object.fromEntries(Array.from({ length: 11 }, (_, c) => [`class${c}`, c / 10]));
  for (const name of ['old', 'new']) {
    mkdirSync(join(folder, name));
    await writeIfOther(join(folder, name, 'a.png'), Uint8Array.of(1, 2));
  }
  assert.equal(judgeFigures(folder).size, 0);
  writeFileSync(
    join(folder, 'judge.jsonl'),
    ['old', 'new', 'gone'].map((f) => JSON.stringify({ folder: f, mIoU: 0.4, iou })).join('\n'),
  );
  const soon = Date.now() / 1000 + 50;
  utimesSync(join(folder, 'judge.jsonl'), soon, soon);
  await writeIfOther(join(folder, 'old', 'a.png'), Uint8Array.of(1, 2)); // the same bytes: not written again
  utimesSync(join(folder, 'new', 'a.png'), soon + 50, soon + 50);
  const found = judgeFigures(folder);
  assert.deepEqual([...found.keys()], ['old']);
  assert.ok(Math.abs(found.get('old')!.task - (0.6 + 0.8 + 0.9 + 1) / 4) < 1e-12);
  writeFileSync(join(folder, 'judge.jsonl'), '{"folder":"../x","mIoU":1}');
  assert.throws(() => judgeFigures(folder), /line 1/);
  writeFileSync(join(folder, 'judge.jsonl'), 'x');
  assert.throws(() => judgeFigures(folder), /no JSON/);
});

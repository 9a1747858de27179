import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import type { ReportData, ReportSemantics } from '../../../src/experiment/report/data.ts';
import { reportHtml } from '../../../src/experiment/report/html.ts';
import { machineAgreement } from '../../../src/experiment/report/machine-text.ts';
import { placementOf, rbShares } from '../../../src/experiment/report/rb-shares.ts';
import type { PlacedBurst } from '../../../src/experiment/report/semantic-data.ts';
import { reportSemantics } from '../../../src/experiment/report/semantic-report.ts';
import { sfvColour } from '../../../src/experiment/report/sfv-colours.ts';
import { RB_DATA_RE } from '../../../src/phy/numerology.ts';
import { allocate } from '../../../src/sct/allocation/allocate.ts';
import { encodeCsiReport } from '../../../src/sct/allocation/csi-code.ts';
import { reportedChannels } from '../../../src/sct/allocation/effective-snr.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import type { RgbImage } from '../../../src/sct/image/rgb-image.ts';
import { cropImage } from '../../../src/sct/image/save.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';
import { sampleReport } from './sample.ts';
import { type SemanticRun, semanticRun } from './semantic-run.ts';
import { assertWellFormed, asXml } from './xml.ts';

let models: SemanticModels;
let photo: RgbImage;
/** Two SFVs lost on the way, `matched`. */
let hurt: SemanticRun;
let view: ReportSemantics;

const LOST = 2;
const traceOf = (run: SemanticRun) => ({ dataBursts: [{ burst: 1, slots: 1, rbSnrDb: run.measuredDb } as never] });
const drawn = (run: SemanticRun) =>
  reportSemantics(
    { facts: { reportedSnrDb: run.reportedDb }, trace: traceOf(run), source: run.source, decoded: run.decoded },
    run.semantic,
  );
const pageOf = (semantics: ReportSemantics, change: Partial<ReportData> = {}) =>
  reportHtml({ ...sampleReport(), semantics, ...change });

before(async () => {
  models = await loadModels({ size: 'live' });
  photo = cropImage(await loadDemoPhoto(), 256, 60, 256, 256);
  hurt = await semanticRun(models, photo, { lost: (id) => id < LOST });
  view = await drawn(hurt);
});
after(() => models.close());

test('shares of resource blocks: every symbol once, in the SFV it belongs to', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom('matched', 'uniform', 'random', 'worst'),
      fc.integer({ min: 0, max: 200 }),
      (subbands, slots, sfvs, mapping, reservedRe) => {
        const random = new RandomStream(`${subbands}/${slots}/${sfvs}`);
        const csi = random.bytes(subbands);
        const rePerRb = new Uint16Array(subbands * slots).fill(100);
        const { map } = allocate({
          shape: { nSubbands: subbands, nSlots: slots, rePerRb },
          csi,
          scores: random.bytes(sfvs),
          mapping: mapping as 'matched',
        });
        const used = map.reCounts.map((n) => Math.floor((n * (slots * 100 - reservedRe)) / (slots * 100)));
        const burst: PlacedBurst = { burst: 1, subbands, slots, reservedRe, map: { ...map, reCounts: used } };
        const shares = rbShares(placementOf(burst, 100), map.sfvOrder, subbands * slots);
        const bySfv = new Map<number, number>();
        for (let rb = 0; rb < subbands * slots; rb++) {
          let inBlock = 0;
          const seen = new Set<number>();
          for (let e = shares.first[rb]; e < shares.first[rb + 1]; e++) {
            assert.ok(shares.re[e] > 0 && !seen.has(shares.sfv[e]));
            seen.add(shares.sfv[e]);
            inBlock += shares.re[e];
            bySfv.set(shares.sfv[e], (bySfv.get(shares.sfv[e]) ?? 0) + shares.re[e]);
          }
          const reserved = Math.max(0, Math.min(100, reservedRe - 100 * Math.floor(rb / subbands)));
          assert.ok(inBlock <= 100 - reserved);
        }
        map.sfvOrder.forEach((id, i) => {
          assert.equal(bySfv.get(id) ?? 0, used[i]);
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('colours of 255 SFVs are colours, those of the first 32 differ', () => {
  const rgb = (hex: string) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  const colours = Array.from({ length: 255 }, (_, i) => sfvColour(i));
  for (const c of colours) assert.match(c, /^#[0-9a-f]{6}$/);
  for (let i = 0; i < 32; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [rgb(colours[i]), rgb(colours[j])];
      assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) > 24, `${i} ${j}`);
    }
  }
});

test('the table says what allocation, channel and decoder did', () => {
  const { semantic, decoded } = hurt;
  const { map } = semantic.bursts[0];
  assert.deepEqual(
    view.sfvs.map((s) => s.id),
    semantic.ranking,
  );
  for (const s of view.sfvs) {
    const at = map.sfvOrder.indexOf(s.id);
    const outcome = decoded.sfvs![s.id];
    assert.equal(s.symbols, at < 0 ? 0 : map.reCounts[at]);
    assert.equal(s.state, outcome.state);
    if (outcome.snrDb !== null) assert.equal(s.measuredDb, outcome.snrDb);
    else assert.equal(s.measuredDb === null, s.symbols === 0);
    assert.equal(s.cells, semantic.partition!.sfvs[s.id].cells);
    assert.equal(s.state === 'synthesised', s.id < LOST || at < 0);
  }
  const sum = view.sfvs.reduce((total, s) => total + s.importance!, 0);
  assert.ok(Math.abs(sum - 1) < 1e-5);
  const { subbands } = semantic.bursts[0];
  const csi = encodeCsiReport(hurt.reportedDb);
  const channels = reportedChannels(placementOf(semantic.bursts[0], RB_DATA_RE), csi, subbands);
  map.sfvOrder.forEach((id, i) => {
    assert.ok(Math.abs(view.sfvs.find((s) => s.id === id)!.reportedDb! - channels[i].snrDb) < 1e-9);
  });
  // The best blocks go to what matters most: the report's SNR falls with the rank (to the coarseness of shared blocks).
  const reported = view.sfvs.filter((s) => s.symbols > 0).map((s) => s.reportedDb!);
  for (let i = 1; i < reported.length; i++) assert.ok(reported[i] <= reported[i - 1] + 0.01);
  const best = Math.max(...hurt.reportedDb);
  // Capacity is counted in whole 1/1024 bits.
  assert.ok(reported[0] <= best + 0.01 && reported[0] > best - 6);
});

test('effect of correction: PSNR of an area counted again pixel by pixel, and only where something was lost', () => {
  const { source, decoded, semantic } = hurt;
  const { sfvOf, columns } = semantic.partition!;
  const area = (shown: RgbImage, id: number) => {
    let [sum, n] = [0, 0];
    for (let y = 0; y < source.height; y++) {
      for (let x = 0; x < source.width; x++) {
        if (sfvOf[(y >> 4) * columns + (x >> 4)] !== id) continue;
        for (let c = 0; c < 3; c++, n++) {
          const i = 3 * (y * source.width + x) + c;
          sum += (source.data[i] - shown.data[i]) ** 2;
        }
      }
    }
    return 10 * Math.log10((255 * 255 * n) / sum);
  };
  for (const s of view.sfvs.slice(0, 6)) {
    assert.ok(Math.abs(s.afterDb! - area(decoded.image!, s.id)) < 1e-9);
    assert.ok(Math.abs(s.beforeDb! - area(decoded.uncorrected!, s.id)) < 1e-9);
  }
  const { correction } = view;
  assert.equal(correction!.damagedCells, decoded.mask!.damage.filter((d) => d > 0).length);
  assert.notEqual(correction!.damagedBeforeDb, correction!.damagedAfterDb);
});

test('the page is well formed, asks for nothing, and shows every part', () => {
  const page = pageOf(view);
  assertWellFormed(asXml(page).trim());
  const text = page.replace(/base64,[A-Za-z0-9+/=]*/g, ''); // in which any letters can stand
  assert.doesNotMatch(text, /NaN|Infinity|undefined|\[object/);
  assert.doesNotMatch(text, /<script|<link|<iframe|@import|\son\w+=|\sstyle=|url\((?!#viridis)/i);
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]{0,40})/g)) {
    assert.match(address, /^(data:image\/|\.\/|#)/);
  }
  for (const title of ['What was sent and what became of it', 'Who rides where', 'Semantic feature vectors']) {
    assert.ok(page.includes(title), title);
  }
  for (const panel of [
    'Source',
    'Importance',
    'before correction',
    'after correction',
    'Error mask',
    'State of each',
  ]) {
    assert.ok(page.includes(panel), panel);
  }
  // Every SFV: an outline, a row that its outline links to, a piece of the map where it was sent.
  for (const s of view.sfvs) {
    for (const part of [`id="p${s.id}"`, `id="r${s.id}"`, `href="#r${s.id}"`]) assert.ok(page.includes(part), part);
    assert.equal(page.includes(`class="m m${s.id}"`), s.symbols > 0);
  }
  assert.ok(page.length < 1_000_000, `${page.length}`);
});

test('ids on the page are unique', () => {
  const ids = [...pageOf(view).matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]);
  assert.equal(new Set(ids).size, ids.length);
});

test('a receiver alone: no importance, no source, no report, and the page says so', async () => {
  const { semantic, decoded, measuredDb } = hurt;
  const alone = await reportSemantics(
    { facts: null, trace: traceOf(hurt), source: undefined, decoded },
    { ...semantic, importance: undefined, ranking: undefined, settings: {}, timingsMs: {} },
  );
  assert.equal(alone.importance, null);
  assert.equal(alone.correction, null);
  assert.ok(alone.sfvs.every((s) => s.reportedDb === null && s.afterDb === null && s.importance !== null));
  assert.ok(alone.sfvs.every((s, i) => i === 0 || s.importance! <= alone.sfvs[i - 1].importance!));
  assert.equal(alone.bursts[0].measuredDb, measuredDb);
  const page = pageOf(alone, { pictures: { ...sampleReport().pictures, source: null } });
  assertWellFormed(asXml(page).trim());
  assert.match(page, /quality not known without the source/);
  assert.doesNotMatch(page, /<figcaption>Importance/);
});

test('an outage: side information lost, only who rode where is known', async () => {
  const outage = { image: undefined, decodable: false, complete: false, mask: undefined, note: 'lost' };
  const lost = await reportSemantics(
    { facts: null, trace: { dataBursts: [] }, source: undefined, decoded: outage },
    { ...hurt.semantic, partition: undefined, importance: undefined, scores: undefined, ranking: undefined },
  );
  assert.equal(lost.grid, null);
  assert.ok(lost.sfvs.every((s) => s.label === 'label not known' && s.symbols > 0));
  const page = pageOf(lost);
  assertWellFormed(asXml(page).trim());
  assert.match(page, /the burst did not arrive/);
});

test('undamaged: one received picture, nothing to correct', async () => {
  const whole = await drawn(await semanticRun(models, photo, { mapping: 'uniform', meanDb: 20 }));
  assert.equal(whole.before, null);
  assert.equal(whole.correction!.damagedCells, 0);
  const page = pageOf(whole);
  assert.match(page, /there was nothing to correct/);
  assert.doesNotMatch(page, /before correction/);
  assert.match(page, /a stripe is as wide as its share/);
});

test('what a machine saw stands with how far it is right, and without any photo too', () => {
  const machine = {
    classes: [],
    streetProbability: 1,
    withClean: { mIoU: 0.6, pixelAccuracy: 0.875, missed: [], invented: [] },
    withTruth: { mIoU: 0.41234, pixelAccuracy: 0.8, missed: [], invented: [] },
    cleanWithTruth: { mIoU: 0.5, pixelAccuracy: 0.8, missed: [], invented: [] },
  };
  assert.deepEqual(machineAgreement({ machine: null }), []);
  const [pixels, truth] = machineAgreement({ machine });
  assert.match(pixels, /^87.5 % of pixels as from the original's features$/);
  assert.match(truth, /^mIoU 0.412 by truth \(original's features 0.500\)$/);
  const alone = pageOf({ ...view, photo: null, before: null, after: null });
  assert.match(alone, /What the heads see/);
  assert.doesNotMatch(alone, /href="#photo"/);
  assertWellFormed(asXml(alone).trim());
});

test('hostile names of labels and settings stay text', () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
  const page = pageOf({
    ...view,
    sfvs: view.sfvs.map((s) => ({ ...s, label: evil })),
    settings: { [evil]: evil },
    timingsMs: { [evil]: 1 },
  });
  assertWellFormed(asXml(page).trim());
  assert.doesNotMatch(page, /<script|<img src=x/);
  assert.throws(() => pageOf({ ...view, sfvs: view.sfvs.map((s) => ({ ...s, colour: 'red;x' })) }), TypeError);
});

test('a large map stays bounded', () => {
  const [subbands, slots, sfvs] = [50, 96, 255];
  const shape = { nSubbands: subbands, nSlots: slots, rePerRb: new Uint16Array(subbands * slots).fill(RB_DATA_RE) };
  const scores = new Uint8Array(sfvs).fill(200);
  for (const mapping of ['uniform', 'matched'] as const) {
    const { map } = allocate({ shape, csi: new Uint8Array(subbands).fill(90), scores, mapping });
    const burst: PlacedBurst = { burst: 1, subbands, slots, reservedRe: 0, map };
    const shares = rbShares(placementOf(burst, RB_DATA_RE), map.sfvOrder, subbands * slots);
    const page = pageOf({
      ...view,
      bursts: [{ ...view.bursts[0], subbands, slots, shares, sideRe: null, measuredDb: null, reportedDb: null }],
    });
    assert.ok(page.length < 2_500_000, `${mapping}: ${page.length}`);
  }
});

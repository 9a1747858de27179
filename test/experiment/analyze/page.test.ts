import assert from 'node:assert/strict';
import test from 'node:test';
import { labelPoints, outlinePicture } from '../../../src/experiment/analyze/overlay.ts';
import { analysisHtml } from '../../../src/experiment/analyze/page.ts';
import { heatPicture, largePng, MAP_NAMES, mapPictures, smallPng } from '../../../src/experiment/analyze/pictures.ts';
import { analysisRecord } from '../../../src/experiment/analyze/record.ts';
import { analysisText } from '../../../src/experiment/analyze/text.ts';
import { pictureDataUri } from '../../../src/experiment/report/svg/indexed-png.ts';
import { decodeImage } from '../../../src/sct/image/load.ts';
import { toDataUri } from '../../../src/sct/image/save.ts';
import { sfvOutlines } from '../../../src/sct/partition/outlines.ts';
import type { ModelSetInfo } from '../../../src/sct/semantics/model-set.ts';
import { sampleAnalysis, samplePhoto, tables } from './sample.ts';

const SET: ModelSetInfo = { name: 'base', version: 3, id: 'abcd0123', sha256: 'ab'.repeat(32), channels: 6, files: [] };

async function sample(name: string, street = 2) {
  const analysis = await sampleAnalysis(240, 150, { task: 'machine' }, street);
  const photo = { name, width: 240, height: 150 };
  const record = analysisRecord(analysis, photo, SET, tables, { totalMs: 12 }, {});
  return { analysis, record };
}

async function page(name: string, street = 2): Promise<string> {
  const { analysis, record } = await sample(name, street);
  const maps = mapPictures(analysis, tables.labels.palette);
  return analysisHtml({
    record,
    photoUri: await toDataUri(samplePhoto(240, 150), 'jpeg'),
    outlines: sfvOutlines(analysis.partition),
    points: labelPoints(analysis.partition),
    panels: MAP_NAMES.map((n) => ({
      title: n,
      note: name,
      uri: pictureDataUri(smallPng(maps[n]!)),
      size: maps[n]!,
      kind: n === 'features' ? ('mosaic' as const) : ('heat' as const),
      scale: ['0', name] as const,
      file: `${n}.png`,
    })),
    colourOf: () => '#123456',
    legend: [{ name, label: 3, share: 0.5 }],
    command: `sct analyze ${name}`,
    program: 'sct 0',
  });
}

test('record: SFVs in order of importance, boxes within the photo, names', async () => {
  const { record } = await sample('x.png');
  assert.equal(record.schema, 'sct-analysis/1');
  assert.deepEqual(record.models, { name: 'base', version: 3, id: 'abcd0123', sha256: 'ab'.repeat(32) });
  assert.deepEqual(record.grid, { rows: 10, columns: 15, cellPx: 16 });
  assert.deepEqual(record.weights, { entropy: 1 - 0.7, attention: 0.7 });
  assert.equal(record.activationTarget, 'maps');
  assert.equal(record.order, 'density');
  // Scores are rounded to 4 %.
  assert.ok(record.sfvs.every((s, i) => i === 0 || s.density <= 1.05 * record.sfvs[i - 1].density));
  const sky = record.sfvs.find((s) => s.labelName === 'sky')!;
  assert.deepEqual(sky.bbox.slice(0, 3), [0, 0, 240]);
  const road = record.sfvs.find((s) => s.labelName === 'road')!;
  assert.equal(road.bbox[3], 150);
  assert.ok(Math.abs(record.presence.pedestrian - 1 / (1 + Math.exp(-4))) < 1e-6);
  const { record: other } = await sample('x.png', -3);
  assert.equal(other.labelSpace, 'codebook');
  assert.match(other.sfvs[0].labelName, /^cluster \d+$/);
});

test('page: no script, nothing from outside, names escaped, every SFV has a row and an outline', async () => {
  const evil = '<img src=x onerror=alert(1)>"\'&.png';
  const text = await page(evil);
  assert.doesNotMatch(text, /<script|<img|https?:\/\/(?!www\.w3\.org)|javascript:/i);
  assert.match(text, /default-src 'none'; img-src data:; style-src 'sha256-[A-Za-z0-9+/=]+'/);
  assert.ok(!text.includes(' style='), 'inline styles would be refused by the policy');
  assert.ok(text.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;.png'));
  for (const id of [0, 1, 2]) {
    assert.ok(text.includes(`id="r${id}"`) && text.includes(`<path id="p${id}" d="M`), `SFV ${id}`);
  }
  assert.equal(text.match(/<figure/g)?.length, 1 + MAP_NAMES.length);
});

test('text: one line for each SFV, no control characters from the name', async () => {
  const { record } = await sample('a\u001b[31mb.png');
  const text = analysisText(record, { colour: false, directory: 'out' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
  assert.doesNotMatch(text, /\u001b/);
  assert.equal(text.split('\n').filter((l) => /^ +\d+ +\d+ +(sky|car|road) /.test(l)).length, 3);
  assert.match(text, /out\/analysis\.html/);
  assert.ok(analysisText(record, { colour: true }).includes('\u001b[1m'));
});

test('map pictures: sizes, colours, enlarged to the photo', async () => {
  const { analysis } = await sample('x');
  const maps = mapPictures(analysis, tables.labels.palette);
  assert.deepEqual([maps.entropy?.width, maps.labels?.width, maps.saliency?.height], [15, 60, 40]);
  const png = await decodeImage(largePng(maps.partition!, analysis.y, { width: 240, height: 150 }), 'map');
  assert.deepEqual([png.width, png.height], [240, 150]);
  const label = analysis.partition.labels[9 * 15 + 14];
  const corner = 3 * (149 * 240 + 239);
  assert.deepEqual([...png.data.slice(corner, corner + 3)], [...tables.labels.palette.slice(3 * label, 3 * label + 3)]);
  const wide = { rows: 4, columns: 500 };
  const strip = heatPicture(new Float32Array(2000).fill(Number.NaN), wide, 0, 0);
  const large = await decodeImage(largePng(strip, wide, { width: 8000, height: 50 }), 'strip');
  assert.deepEqual([large.width, large.height], [2000, 13]);
});

test('outlines are drawn between SFVs only; numbers stand inside their SFV', async () => {
  const { analysis } = await sample('x');
  const photo = samplePhoto(240, 150);
  const drawn = outlinePicture(photo, analysis.partition);
  assert.deepEqual(drawn.data.slice(0, 300), photo.data.slice(0, 300));
  assert.notDeepEqual(drawn.data, photo.data);
  labelPoints(analysis.partition).forEach(({ x, y, depth }, id) => {
    assert.equal(analysis.partition.sfvOf[Math.floor(y) * 15 + Math.floor(x)], id);
    assert.ok(depth >= 1);
  });
});

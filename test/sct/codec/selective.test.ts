import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { overAir } from '../../../bench/integrated/air.ts';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { EncodedSource, ReceivedStream, StreamGrant } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec, type IntegratedPlan } from '../../../src/sct/codec/integrated.ts';
import { decodeSideInfo } from '../../../src/sct/codec/side-info.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import type { ModeOptions } from '../../../src/sct/modes/mode-choice.ts';
import { roiPsnrDb } from '../../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../../src/sct/quality/regions.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

const SIZE = 192;
const SNR_DB = 7;
const ROI = { x: 50, y: 50, width: 60, height: 44 };

let models: SemanticModels;
let image: RgbImage;
before(async () => {
  models = await loadModels({ size: 'live' });
  const photo = await loadDemoPhoto();
  const rows = Array.from({ length: SIZE }, (_, y) => {
    const from = 3 * (photo.width * (150 + y) + 150);
    return photo.data.subarray(from, from + 3 * SIZE);
  });
  image = rgbImage(SIZE, SIZE, Uint8Array.from(rows.flatMap((row) => [...row])));
});
after(() => models.close());

const planOf = (mode: ModeOptions, more: { referenceId?: number } = {}): Promise<IntegratedPlan> =>
  new IntegratedCodec(models, { mode, ...more }).analyse(image, { symbols: Math.floor((SIZE * SIZE) / 16) });

/** The budget over all streams by cells. */
function grantsFor(plan: IntegratedPlan, symbols: number): StreamGrant[] {
  const cells = plan.streams.reduce((sum, s) => sum + s.cells!, 0);
  return plan.streams.map((s) => ({
    id: s.id,
    size: Math.max(s.minSize, Math.floor((symbols * s.cells!) / cells)),
    snrDb: SNR_DB,
  }));
}

const air = (coded: EncodedSource): ReceivedStream[] =>
  coded.streams.map((s) => overAir(s, () => SNR_DB, new RandomStream('selective').fork(`${s.id}`)));

test('a rectangle: kept SFVs alone are streams, both ends hold the same, the rest is synthesised and marked', async () => {
  const whole = await planOf({});
  const plan = await planOf({ roi: ROI });
  const { partition, selection, streams, mode } = plan.parts;
  assert.deepEqual([mode, plan.decision.asked], ['selective', 'selective']);
  assert.equal(plan.streams.length, streams);
  assert.deepEqual(
    plan.streams.map((s) => s.id),
    [...plan.streams.keys()],
  );
  // Cells 3..6 by 3..5: what the rectangle touches.
  partition.sfvOf.forEach((id, at) => {
    const [r, c] = [Math.floor(at / 12), at % 12];
    assert.equal(id < streams, c >= 3 && c <= 6 && r >= 3 && r <= 5);
  });
  assert.ok(plan.parts.ranking.every((id) => id < streams) && plan.parts.ranking.length === streams);
  assert.ok(plan.parts.split.classMap < whole.parts.split.classMap, 'cells that are not kept have no class code');

  const coded = await plan.encode(grantsFor(plan, 1500));
  assert.equal(coded.sideInfo.length, plan.sideInfoBytes);
  const side = decodeSideInfo(coded.sideInfo, models.tables);
  assert.deepEqual([side.mode, side.selection], ['selective', selection]);
  assert.deepEqual(side.partition, partition);
  assert.deepEqual(side.classMap, plan.parts.classMap);
  assert.equal(coded.settings.mode, 'selective');
  assert.equal(coded.settings.sfvsKept, streams);

  const source = { sideInfo: coded.sideInfo, streams: air(coded) };
  const got = await new IntegratedCodec(models).decode(source);
  assert.ok(got.decodable && got.complete, got.note);
  for (const s of got.sfvs!) {
    assert.deepEqual([s.state, s.sent], s.id < streams ? ['received', true] : ['synthesised', false]);
  }
  assert.ok(got.mask!.damage.every((d, at) => d === (partition.sfvOf[at] < streams ? 0 : 1)));
  // The same symbols on fewer cells: better there, and nowhere else.
  const other = await whole.encode(grantsFor(whole, 1500));
  const before = await new IntegratedCodec(models).decode({ sideInfo: other.sideInfo, streams: air(other) });
  const inside = cellsToPixels(
    partition.sfvOf.map((id) => (id < streams ? 1 : 0)),
    SIZE,
    SIZE,
  );
  const gain = roiPsnrDb(image, got.image!, inside)! - roiPsnrDb(image, before.image!, inside)!;
  assert.ok(gain > 1, `${gain} dB in the rectangle`);
  // A stream for what is not kept is refused.
  const wrong: ReceivedStream = {
    id: streams,
    kind: 'analog',
    symbolsReIm: new Float32Array(8),
    snrDb: new Float32Array(4),
  };
  const refused = await new IntegratedCodec(models).decode({ ...source, streams: [...source.streams, wrong] });
  assert.match(refused.note!, /refused: streams: stream \d+ belongs to no SFV, there are \d+ and \d+ are kept/);
  assert.deepEqual(refused.image, got.image);
});

test('the most important SFVs by default; classes of a picture that has none and grants for others are refused', async () => {
  const plan = await planOf({ mode: 'selective' });
  assert.ok(plan.parts.streams < plan.parts.partition.sfvs.length);
  await assert.rejects(plan.encode([{ id: plan.parts.streams, size: 100 }]), UsageError);
  await assert.rejects(planOf({ keep: { kind: 'score', atLeast: 255 } }), /nothing to keep/);
  await assert.rejects(planOf({ mode: 'overall', roi: ROI }), /selective mode: not allowed in overall/);
  await assert.rejects(planOf({ roi: { ...ROI, x: 190 } }), /the picture has 192x192 pixels/);
});

test('overall and selective: an SFV that was lost is synthesised and said to be lost', async () => {
  for (const mode of [{}, { roi: ROI }]) {
    const plan = await planOf(mode);
    const coded = await plan.encode(grantsFor(plan, 1500));
    const last = plan.streams.length - 1;
    const streams = air(coded).filter((s) => s.id !== last);
    const got = await new IntegratedCodec(models).decode({ sideInfo: coded.sideInfo, streams });
    assert.deepEqual([got.sfvs![last].state, got.sfvs![last].sent, got.complete], ['synthesised', true, false]);
    assert.match(got.note!, /^1 of \d+ SFVs did not arrive$/);
  }
});

test('task view: what the heads see without a picture; both gives the same and a picture', async () => {
  const plan = await planOf({});
  const coded = await plan.encode(grantsFor(plan, 1500));
  const source = { sideInfo: coded.sideInfo, streams: air(coded) };
  const codec = new IntegratedCodec(models);
  const task = await codec.decode(source, { view: 'task' });
  assert.equal(task.image, undefined);
  assert.ok(task.decodable && task.complete && task.task);
  assert.equal(task.task.labels.length, 48 * 48);
  assert.equal(task.timingsMs?.synthesis, undefined);
  assert.ok(task.timingsMs?.heads !== undefined);
  const both = await codec.decode(source, { view: 'both' });
  assert.deepEqual(both.task?.labels, task.task.labels);
  assert.deepEqual(both.image, (await codec.decode(source)).image);
});

test('a reference picture helps where SFVs are lost, and is named where it is not there', async () => {
  const plan = await planOf({}, { referenceId: 0xabcdef12 });
  const coded = await plan.encode(grantsFor(plan, 1500));
  const largest = plan.streams.reduce((a, b) => (b.cells! > a.cells! ? b : a)).id;
  const source = { sideInfo: coded.sideInfo, streams: air(coded).filter((s) => s.id !== largest) };
  const codec = new IntegratedCodec(models);
  const hole = cellsToPixels(
    plan.parts.partition.sfvOf.map((id) => (id === largest ? 1 : 0)),
    SIZE,
    SIZE,
  );
  const without = await codec.decode(source);
  assert.match(without.note!, /names reference picture abcdef12, which is not here/);
  const seen: number[] = [];
  const { y } = plan.analysis;
  const reference = async (id: number) => {
    seen.push(id);
    return y;
  };
  const withIt = await codec.decode(source, { reference });
  assert.deepEqual(seen, [0xabcdef12]);
  const gain = roiPsnrDb(image, withIt.image!, hole)! - roiPsnrDb(image, without.image!, hole)!;
  assert.ok(gain > 1, `${gain} dB`);
  const other = async () => ({ ...y, rows: y.rows - 1 });
  assert.match((await codec.decode(source, { reference: other })).note!, /has 12x11 cells, the picture 12x12/);
});

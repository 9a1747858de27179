import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { overAir } from '../../../bench/integrated/air.ts';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { codePicture, overAwgn } from '../../../src/experiment/bench/models/models-awgn.ts';
import type { EncodedSource, ReceivedStream, StreamGrant } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec, type IntegratedPlan } from '../../../src/sct/codec/integrated.ts';
import { decodeSideInfo, encodeSideInfo, type IntegratedSide } from '../../../src/sct/codec/side-info.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

/** A strip of the demo photo: 32 x 4 cells, so that there are cells far from any SFV. */
const WIDTH = 512;
const HEIGHT = 64;
const SNR_DB = 7;
/** Cells that f_d looks around itself: two 3x3 convolutions in each of at most three blocks. */
const REACH = 6;

let models: SemanticModels;
let image: RgbImage;
let plan: IntegratedPlan;
let grants: StreamGrant[];
let coded: EncodedSource;
const codec = (m: SemanticModels = models) => new IntegratedCodec(m);

before(async () => {
  models = await loadModels({ size: 'live' });
  const photo = await loadDemoPhoto();
  const rows = Array.from({ length: HEIGHT }, (_, y) =>
    photo.data.subarray(3 * photo.width * (200 + y), 3 * (photo.width * (200 + y) + WIDTH)),
  );
  image = rgbImage(WIDTH, HEIGHT, Uint8Array.from(rows.flatMap((row) => [...row])));
  plan = await codec().analyse(image, { symbols: Math.floor((3 * WIDTH * HEIGHT) / 16) });
  const { sfvOf, sfvs } = plan.parts.partition;
  const sizes = new Array<number>(sfvs.length).fill(0);
  codePicture(models, plan.analysis.y, 1 / 16, SNR_DB).symbols.data.forEach((k, at) => {
    sizes[sfvOf[at]] += k;
  });
  grants = sizes.map((size, id) => ({ id, size: Math.max(size, plan.streams[id].minSize), snrDb: SNR_DB }));
  coded = await plan.encode(grants);
});
after(() => models.close());

const air = (streams = coded.streams, snr: (id: number, place: number) => number = () => SNR_DB): ReceivedStream[] => {
  const random = new RandomStream('integrated-test');
  return streams.map((s) => overAir(s, (place) => snr(s.id, place), random.fork(`${s.id}`)));
};

/** The same networks, and what f_d and g_s were given and gave. */
function watched() {
  const seen: { received: Float32Array[]; yHat: FeatureMap[]; shown: FeatureMap[] } = {
    received: [],
    yHat: [],
    shown: [],
  };
  const watch: SemanticModels = Object.create(models);
  watch.decodeSymbols = async (received, ...rest) => {
    const out = await models.decodeSymbols(received, ...rest);
    seen.received.push(received);
    seen.yHat.push(out.yHat);
    return out;
  };
  watch.synthesise = (y, ...rest) => {
    seen.shown.push(y);
    return models.synthesise(y, ...rest);
  };
  return { models: watch, seen };
}

test('grants are filled exactly, each stream has unit power, side information is as long as planned', () => {
  assert.ok(plan.streams.length > 3, 'the picture has SFVs');
  assert.equal(
    plan.streams.reduce((sum, s) => sum + s.cells!, 0),
    128,
  );
  assert.deepEqual(
    coded.streams.map((s) => s.kind === 'analog' && s.symbolsReIm.length / 2),
    grants.map((g) => g.size),
  );
  for (const s of coded.streams) {
    if (s.kind !== 'analog') continue;
    const power = s.symbolsReIm.reduce((sum, v) => sum + v * v, 0) / (s.symbolsReIm.length / 2);
    assert.ok(Math.abs(10 * Math.log10(power)) < 0.1, `stream ${s.id}: ${power}`);
  }
  assert.equal(coded.sideInfo.length, plan.sideInfoBytes);
  assert.equal(coded.settings.csiDb, SNR_DB);
});

test('AWGN: within 0.3 dB of the networks alone at the same rate', async () => {
  const got = await codec().decode({ sideInfo: coded.sideInfo, streams: air() });
  assert.ok(got.decodable && got.complete && got.note === undefined, got.note);
  assert.ok(got.sfvs!.every((s) => s.state === 'received' && Math.abs(s.snrDb! - SNR_DB) < 1e-3));
  const random = new RandomStream('integrated-test').fork('reference');
  const alone = await overAwgn(models, plan.analysis.y, 1 / 16, SNR_DB, random);
  const ours = psnrDb(image, got.image!);
  const theirs = psnrDb(image, alone.image);
  assert.ok(Math.abs(ours - theirs) < 0.3, `${ours} dB, the networks alone ${theirs}`);
});

test('a lost SFV changes nothing that f_d is told of the others, and no cell beyond its reach', async () => {
  const { models: watch, seen } = watched();
  const { partition } = plan.parts;
  const streams = air();
  await codec(watch).decode({ sideInfo: coded.sideInfo, streams });
  const far = (id: number) => {
    const cells = [...partition.sfvOf.keys()];
    const own = cells.filter((at) => partition.sfvOf[at] === id);
    const apart = (a: number, b: number) => Math.max(Math.abs((a >> 5) - (b >> 5)), Math.abs((a & 31) - (b & 31)));
    return cells.filter((at) => own.every((o) => apart(at, o) > REACH));
  };
  const lost = plan.streams.map((s) => s.id).reduce((a, b) => (far(b).length > far(a).length ? b : a));
  const beyond = far(lost);
  assert.ok(beyond.length > 10, `${beyond.length} cells beyond the reach`);
  const got = await codec(watch).decode({ sideInfo: coded.sideInfo, streams: streams.filter((s) => s.id !== lost) });
  const [before, after] = seen.received;
  for (let i = 0; i < before.length; i++) {
    if (partition.sfvOf[i % 128] === lost) assert.equal(after[i], 0);
    else assert.equal(after[i], before[i]);
  }
  for (let c = 0; c < plan.analysis.y.channels; c++) {
    for (const at of beyond) assert.equal(seen.yHat[1].data[c * 128 + at], seen.yHat[0].data[c * 128 + at]);
  }
  // Correction touches the lost cells alone.
  seen.shown[1].data.forEach((v, i) => {
    if (partition.sfvOf[i % 128] !== lost) assert.equal(v, seen.yHat[1].data[i]);
  });
  assert.equal(got.sfvs![lost].state, 'synthesised');
  assert.ok(got.sfvs!.every((s) => s.id === lost || s.state === 'received'));
  assert.ok(got.decodable && !got.complete);
  assert.match(got.note!, /1 of \d+ SFVs did not arrive/);
  const { mask } = got;
  assert.ok(mask!.damage.every((d, at) => d === (partition.sfvOf[at] === lost ? 1 : 0)));
});

test('unequal channels: each SFV has its own SNR, symbols lost in part are repaired', async () => {
  const streams = air(coded.streams, (id, place) =>
    id === 0 ? (place % 2 === 0 ? Number.NEGATIVE_INFINITY : 3) : id === 1 ? 15 : 6,
  );
  const source = { sideInfo: coded.sideInfo, streams };
  const got = await codec().decode(source, { uncorrected: true });
  const states = got.sfvs!.map((s) => s.state);
  assert.equal(states[0], 'repaired');
  assert.ok(states.slice(1).every((s) => s === 'received'));
  assert.ok(Math.abs(got.sfvs![1].snrDb! - 15) < 1e-3 && Math.abs(got.sfvs![0].snrDb! - 3) < 1e-3);
  assert.ok(got.sfvs![0].damage > 0.3 && got.sfvs![0].damage < 0.7);
  assert.ok(got.uncorrected && psnrDb(got.uncorrected, got.image!) < 99);
  const off = await codec().decode(source, { correction: false });
  assert.deepEqual(off.image, got.uncorrected);
  assert.equal(off.sfvs![0].state, 'received');
  assert.ok(!off.complete && off.sfvs![0].damage > 0.3);
});

test('too small a grant is padding, and its SFV is synthesised', async () => {
  const small = await plan.encode(grants.map((g) => (g.id === 0 ? { ...g, size: plan.streams[0].minSize - 1 } : g)));
  assert.equal(small.settings.padSymbols, plan.streams[0].minSize - 1);
  const got = await codec().decode({ sideInfo: small.sideInfo, streams: air(small.streams) });
  assert.deepEqual([got.sfvs![0].state, got.sfvs![0].sent, got.complete], ['synthesised', false, true]);
  for (const bad of [
    [{ id: 99, size: 10 }],
    [{ id: 0, size: 0 }],
    [{ id: 0, size: 2 ** 20 }],
    [
      { id: 0, size: 9 },
      { id: 0, size: 9 },
    ],
  ]) {
    await assert.rejects(plan.encode(bad), UsageError);
  }
});

test('outages and contradictions are said, never thrown', async () => {
  const streams = air();
  const { sideInfo } = coded;
  const none = await codec().decode({ sideInfo: undefined, streams });
  assert.deepEqual([none.decodable, none.image], [false, undefined]);
  const cut = await codec().decode({ sideInfo: sideInfo.subarray(0, 20), streams });
  assert.match(cut.note!, /side information not usable: \S/);
  const { kind: _, ...side } = decodeSideInfo(sideInfo, models.tables) as IntegratedSide;
  const levels = side.sfvScales.map(() => 3);
  const modular = encodeSideInfo(
    { ...side, kind: 'modular', classes: new Uint8Array(side.sfvScales.length), levels },
    models.tables,
  );
  assert.match((await codec().decode({ sideInfo: modular, streams })).note!, /kind: modular/);

  const nothing = await codec().decode({ sideInfo, streams: [] });
  assert.ok(!nothing.decodable && !nothing.complete && nothing.image);
  assert.ok(nothing.sfvs!.every((s) => s.state === 'synthesised'));
  const bare = await codec().decode({ sideInfo, streams: [] }, { correction: false });
  assert.ok(bare.sfvs!.every((s) => s.state === 'lost'));

  const wrong: ReceivedStream[] = [
    { id: 200, kind: 'analog', symbolsReIm: new Float32Array(8), snrDb: new Float32Array(4) },
    { id: 0, kind: 'bits', payload: new Uint8Array(9), missing: [] },
    { id: 1, kind: 'analog', symbolsReIm: new Float32Array(8), snrDb: new Float32Array(5) },
  ];
  const got = await codec().decode({ sideInfo, streams: [...wrong, ...streams] });
  assert.match(got.note!, /refused: streams: stream 200 belongs to no SFV.* and 4 more/);
  assert.deepEqual(
    got.sfvs!.slice(0, 3).map((s) => s.state),
    ['synthesised', 'synthesised', 'received'],
  );
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import type { EncodedSource, ReceivedStream, StreamGrant } from '../../../src/sct/codec/codec.ts';
import { ModularCodec, type ModularPlan } from '../../../src/sct/codec/modular.ts';
import { decodeSideInfo, encodeSideInfo, LEVEL_NOT_SENT, type ModularSide } from '../../../src/sct/codec/side-info.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

/** A piece of the demo photo: 16 x 10 cells. */
const WIDTH = 256;
const HEIGHT = 160;

let models: SemanticModels;
let image: RgbImage;
let plan: ModularPlan;
let grants: StreamGrant[];
let coded: EncodedSource;
const codec = (m: SemanticModels = models) => new ModularCodec(m);

before(async () => {
  models = await loadModels({ size: 'live' });
  const photo = await loadDemoPhoto();
  const rows = Array.from({ length: HEIGHT }, (_, y) => {
    const from = 3 * (photo.width * (150 + y) + 100);
    return photo.data.subarray(from, from + 3 * WIDTH);
  });
  image = rgbImage(WIDTH, HEIGHT, Uint8Array.from(rows.flatMap((row) => [...row])));
  plan = await codec().analyse(image, { symbols: Math.floor((3 * WIDTH * HEIGHT) / 16) });
  grants = plan.streams.map(({ id, cells }) => ({ id, size: 40 + 14 * cells!, snrDb: 7 }));
  coded = await plan.encode(grants);
});
after(() => models.close());

const air = (source = coded): ReceivedStream[] =>
  source.streams.map((s) => {
    assert.ok(s.kind === 'bits');
    return { ...s, missing: [], score: plan.streams[s.id].score };
  });
const decode = (streams: ReceivedStream[], options = {}, sideInfo: Uint8Array | undefined = coded.sideInfo) =>
  codec().decode({ sideInfo, streams }, options);

/** The same networks, and what g_s and the corrector were given. */
function watched() {
  const shown: FeatureMap[] = [];
  const watch: SemanticModels = Object.create(models);
  watch.synthesise = (y, ...rest) => {
    shown.push(y);
    return models.synthesise(y, ...rest);
  };
  return { codec: codec(watch), shown };
}

test('every grant is filled to within 2 %, never more; side information is as long as planned', () => {
  assert.ok(plan.streams.length > 3, 'the picture has SFVs');
  assert.deepEqual(
    coded.streams.map((s) => s.kind === 'bits' && s.payload.length),
    grants.map((g) => g.size),
  );
  const { grantedBytes, payloadBytes, codeBytes } = coded.settings;
  assert.equal(payloadBytes, grantedBytes);
  assert.ok(Number(codeBytes) <= Number(payloadBytes) && Number(codeBytes) >= 0.98 * Number(payloadBytes));
  assert.equal(coded.sideInfo.length, plan.sideInfoBytes);
  for (const s of plan.streams) assert.ok(s.kind === 'bits' && s.minSize >= 4 && s.minSize < 4 + 2 * s.cells!);
});

test('all came: the picture is complete, and better the more bytes there are', async () => {
  let before = 24;
  for (const share of [0.5, 1, 2]) {
    const source = await plan.encode(grants.map((g) => ({ ...g, size: Math.round(share * g.size) })));
    const got = await decode(air(source), {}, source.sideInfo);
    assert.ok(got.complete && got.decodable && got.note === undefined && got.mask!.damage.every((d) => d === 0));
    assert.ok(got.sfvs!.every((s) => s.state === 'received' && s.sent && s.damage === 0 && s.bytes! > 0));
    const db = psnrDb(image, got.image!);
    assert.ok(db > before + 1, `${db} dB at ${share}, less had ${before}`);
    before = db;
  }
});

test('a lost packet changes no embedding of another SFV, bit for bit, and the mask marks its cells alone', async () => {
  const { codec: watching, shown } = watched();
  await watching.decode({ sideInfo: coded.sideInfo, streams: air() }, { correction: false });
  const { sfvOf } = plan.parts.partition;
  for (const lost of plan.streams.map((s) => s.id)) {
    const streams = air().filter((s) => s.id !== lost);
    const got = await watching.decode({ sideInfo: coded.sideInfo, streams }, { correction: false });
    const [whole, damaged] = [shown[0].data, shown.at(-1)!.data];
    whole.forEach((v, i) => {
      assert.ok(Object.is(damaged[i], sfvOf[i % sfvOf.length] === lost ? 0 : v));
    });
    assert.ok(got.mask!.damage.every((d, at) => d === (sfvOf[at] === lost ? 1 : 0)));
    assert.equal(got.sfvs![lost].state, 'lost');
    assert.ok(got.decodable && !got.complete);
    assert.match(got.note!, /1 of \d+ SFVs did not arrive/);
  }
});

test('missing bytes: the cells whose bytes did not come are marked, repaired, and no other changes', async () => {
  const large = plan.streams.reduce((a, b) => (b.cells! > a.cells! ? b : a));
  const only = [{ id: large.id, size: 2400 }];
  const source = await plan.encode(only);
  assert.ok(Number(source.settings.segments) > 3);
  const { codec: watching, shown } = watched();
  const [stream] = air(source);
  await watching.decode({ sideInfo: source.sideInfo, streams: [stream] }, { correction: false });
  const payload = (stream.kind === 'bits' ? stream.payload : new Uint8Array()).slice().fill(7, 700, 1000);
  const hurt = { ...stream, payload, missing: [{ from: 700, to: 1000 }] } as ReceivedStream;
  const got = await watching.decode({ sideInfo: source.sideInfo, streams: [hurt] }, { correction: false });
  const { damage } = got.mask!;
  const own = plan.parts.partition.sfvOf.map((id) => (id === large.id ? 1 : 0));
  const lost = damage.filter((d, at) => own[at] && d === 1).length;
  assert.ok(lost > 0 && lost < 0.4 * large.cells!, `${lost} of ${large.cells} cells`);
  shown[1].data.forEach((v, i) => {
    assert.ok(Object.is(v, damage[i % damage.length] === 1 ? 0 : shown[0].data[i]));
  });
  const repaired = await watching.decode({ sideInfo: source.sideInfo, streams: [hurt] });
  assert.equal(repaired.sfvs![large.id].state, 'repaired');
  assert.equal(repaired.sfvs![large.id].bytes, 2100);
  assert.ok(psnrDb(image, repaired.image!) > psnrDb(image, got.image!));
});

test('SFVs without a grant or with too small a one are not sent and made up; nothing at all is not decodable', async () => {
  const [first, ...others] = grants;
  const source = await plan.encode([{ ...first, size: plan.streams[first.id].minSize - 1 }, ...others.slice(1)]);
  assert.equal(source.streams.length, others.length - 1);
  const got = await decode(air(source), {}, source.sideInfo);
  for (const id of [first.id, others[0].id]) {
    assert.deepEqual([got.sfvs![id].state, got.sfvs![id].sent, got.sfvs![id].damage], ['synthesised', false, 1]);
  }
  assert.ok(got.complete, 'all that was sent came');
  const nothing = await decode([]);
  assert.ok(!nothing.decodable && nothing.image !== undefined && nothing.sfvs!.every((s) => s.state === 'synthesised'));
  assert.match(nothing.note!, /made up from labels/);
  const outage = await codec().decode({ sideInfo: undefined, streams: air() });
  assert.ok(!outage.decodable && outage.image === undefined);
});

test('streams that contradict the side information count as not received', async () => {
  const [a, ...rest] = air();
  assert.ok(a.kind === 'bits');
  const analog: ReceivedStream = {
    id: a.id,
    kind: 'analog',
    symbolsReIm: new Float32Array(4),
    snrDb: new Float32Array(2),
  };
  const cases: [ReceivedStream[], RegExp][] = [
    [[{ ...a, id: 200 }, ...rest], /belongs to no SFV/],
    [[analog, ...rest], /analog/],
    [[{ ...a, missing: [{ from: 5, to: 1e9 }] }, ...rest], /misses bytes/],
    [[{ ...a, missing: [{ from: 9, to: 5 }] }, ...rest], /misses bytes/],
    [[{ ...a, payload: new Uint8Array(2 ** 22) }, ...rest], /allowed up to/],
  ];
  for (const [streams, reason] of cases) {
    const got = await decode(streams, { correction: false });
    assert.match(got.note!, reason);
    assert.equal(got.sfvs![a.id].state, 'lost');
    assert.ok(got.sfvs!.every((s) => s.id === a.id || s.state === 'received'));
  }
  const twice = await decode([a, ...rest, a]);
  assert.match(twice.note!, /stands twice/);
  const side = decodeSideInfo(coded.sideInfo, models.tables) as ModularSide;
  const unsent = encodeSideInfo({ ...side, levels: side.levels.map(() => LEVEL_NOT_SENT) }, models.tables);
  assert.ok(!(await decode(air(), {}, unsent)).decodable, 'the side information says that nothing was sent');
  const wrong = encodeSideInfo({ ...side, levels: side.levels.map((l) => (l + 1) % 24) }, models.tables);
  assert.ok(!(await decode(air(), {}, wrong)).decodable, 'codes of another level do not end as they should');
});

test('grants that name no stream, one twice, or no size are refused', async () => {
  for (const bad of [[{ id: 99, size: 50 }], [grants[0], grants[0]], [{ id: 0, size: 0 }], [{ id: 0, size: 1.5 }]]) {
    await assert.rejects(plan.encode(bad), UsageError);
  }
});

test('selective: kept SFVs are streams, the others are made up', async () => {
  const keep = { mode: 'selective' as const };
  const selective = await new ModularCodec(models, { mode: keep }).analyse(image);
  const kept = selective.streams.length;
  assert.ok(kept > 0 && kept < selective.parts.partition.sfvs.length);
  const source = await selective.encode(selective.streams.map(({ id, cells }) => ({ id, size: 40 + 14 * cells! })));
  assert.equal(source.sideInfo.length, selective.sideInfoBytes);
  const streams = source.streams.flatMap((s) => (s.kind === 'bits' ? [{ ...s, missing: [] }] : []));
  const got = await codec().decode({ sideInfo: source.sideInfo, streams });
  assert.ok(got.sfvs!.every((s) => s.state === (s.id < kept ? 'received' : 'synthesised')));
});

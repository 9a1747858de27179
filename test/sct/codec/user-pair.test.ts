import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { overAir } from '../../../bench/integrated/air.ts';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { EncodedSource, ReceivedStream } from '../../../src/sct/codec/codec.ts';
import { UserPairCodec } from '../../../src/sct/codec/user-pair.ts';
import { decodeUserSide, encodeUserSide } from '../../../src/sct/codec/user-side.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { ModelError } from '../../../src/sct/semantics/model-error.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';
import { UserCodec } from '../../../src/sct/semantics/user-codec.ts';
import { syntheticSource } from '../quality/synthetic.ts';

const vector = (name: string) => fileURLToPath(new URL(`../../vectors/user-codec/${name}`, import.meta.url));
const SNR_DB = 10;
const image = syntheticSource(96, 64);
const N = (96 * 64 * 3) / 16;

let pair: UserCodec;
let withGrid: UserCodec;
let wrongGrid: UserCodec;
let models: SemanticModels;
const folders: string[] = [];

async function pairWith(grid: unknown): Promise<UserCodec> {
  const folder = mkdtempSync(join(tmpdir(), 'sct-user-pair-'));
  folders.push(folder);
  cpSync(vector('pair'), folder, { recursive: true });
  const path = join(folder, 'codec.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), grid }));
  return UserCodec.open(folder);
}

before(async () => {
  pair = await UserCodec.open(vector('pair'));
  withGrid = await pairWith({ cellPx: 4, symbols: 3, order: 'planes' });
  wrongGrid = await pairWith({ cellPx: 4, symbols: 4, order: 'planes' });
  models = await loadModels({ size: 'live' });
});
after(async () => {
  for (const p of [pair, withGrid, wrongGrid]) await p.close();
  await models.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const air = (coded: EncodedSource, snrDb = SNR_DB): ReceivedStream[] =>
  coded.streams.map((s) => overAir(s, () => snrDb, new RandomStream('user-pair').fork(`${s.id}`)));

test('one stream of exactly the symbols of the pair, unit power, as good as the pair alone', async () => {
  const codec = new UserPairCodec(pair);
  const plan = await codec.analyse(image, { symbols: N + 100 });
  assert.deepEqual(
    plan.streams.map((s) => [s.id, s.minSize, s.score]),
    [[0, N, 255]],
  );
  const coded = await plan.encode([{ id: 0, size: N, snrDb: SNR_DB }]);
  assert.equal(coded.sideInfo.length, plan.sideInfoBytes);
  const [stream] = coded.streams;
  assert.ok(stream.kind === 'analog');
  const power = stream.symbolsReIm.reduce((sum, v) => sum + v * v, 0) / N;
  assert.ok(Math.abs(10 * Math.log10(power)) < 0.1, `${power}`);
  const got = await codec.decode({ sideInfo: coded.sideInfo, streams: air(coded) });
  assert.ok(got.decodable && got.complete && got.note === undefined, got.note);
  const noisy = await pair.encode(image, SNR_DB);
  new RandomStream('alone').addComplexNoise(noisy, 10 ** (-SNR_DB / 10));
  const alone = await pair.decode(noisy, SNR_DB, { widthPx: 96, heightPx: 64 });
  assert.ok(Math.abs(psnrDb(image, got.image!) - psnrDb(image, alone)) < 0.3);
  // Twice the places: every symbol twice, combined: 3 dB more.
  const twice = await plan.encode([{ id: 0, size: 2 * N, snrDb: SNR_DB }]);
  assert.equal(twice.settings.repeatedSymbols, N);
  const better = await codec.decode({ sideInfo: twice.sideInfo, streams: air(twice) });
  const at13 = await codec.decode({ sideInfo: coded.sideInfo, streams: air(coded, SNR_DB + 3.01) });
  assert.ok(Math.abs(psnrDb(image, better.image!) - psnrDb(image, at13.image!)) < 0.2);
});

test('unit power also where a part of the symbols is repeated', async () => {
  const plan = await new UserPairCodec(pair).analyse(image);
  for (const size of [Math.round(N * 1.3), Math.round(N * 1.7), 2 * N]) {
    const [stream] = (await plan.encode([{ id: 0, size, snrDb: SNR_DB }])).streams;
    assert.ok(stream.kind === 'analog' && stream.symbolsReIm.length === 2 * size);
    const power = stream.symbolsReIm.reduce((sum, v) => sum + v * v, 0) / size;
    assert.ok(Math.abs(10 * Math.log10(power)) < 0.1, `${size} places: ${power}`);
  }
});

test('a pair with a grid: SFVs are streams, a lost one damages its own part', async () => {
  const codec = new UserPairCodec(withGrid, { models });
  const plan = await codec.analyse(image);
  assert.ok(plan.streams.length > 1);
  assert.equal(
    plan.streams.reduce((sum, s) => sum + s.minSize, 0),
    N,
  );
  for (const s of plan.streams) assert.equal(s.minSize, s.cells! * 16 * 3);
  const coded = await plan.encode(plan.streams.map((s) => ({ id: s.id, size: s.minSize, snrDb: SNR_DB })));
  const whole = await codec.decode({ sideInfo: coded.sideInfo, streams: air(coded) });
  assert.ok(whole.complete);
  assert.equal(whole.partition?.sfvs.length, plan.streams.length);
  const rest = air(coded).filter((s) => s.id !== 0);
  const part = await codec.decode({ sideInfo: coded.sideInfo, streams: rest });
  assert.deepEqual([part.decodable, part.complete], [true, false]);
  assert.match(part.note!, new RegExp(`^${plan.streams[0].minSize} of ${N} symbols did not arrive`));
  assert.ok(psnrDb(image, part.image!) < psnrDb(image, whole.image!) - 1);
});

test('a pair that breaks power, rate or shape, and budgets that are too small, are refused', async () => {
  const loud = await UserCodec.open(vector('loud'));
  await assert.rejects(new UserPairCodec(loud).analyse(image), (error: unknown) => {
    assert.ok(error instanceof ModelError);
    assert.match(error.message, /mean power .*: allowed 1 within 0.05/);
    return true;
  });
  await loud.close();
  await assert.rejects(
    new UserPairCodec(wrongGrid).analyse(image),
    /makes 1152 symbols: allowed 1536, as its grid says/,
  );
  const codec = new UserPairCodec(pair);
  await assert.rejects(codec.analyse(image, { symbols: N - 1 }), (e: unknown) => {
    assert.ok(e instanceof UsageError);
    assert.match(e.message, /1152 symbols.*holds 1151: allowed CBR from 0.0625/);
    return /--cbr 0\.0688$/.test(e.hint ?? '');
  });
  const plan = await codec.analyse(image);
  await assert.rejects(plan.encode([{ id: 0, size: N - 1 }]), UsageError);
  // The number of symbols changes with the SNR.
  const fickle: UserCodec = Object.create(pair);
  fickle.encode = async (picture, snrDb) => (await pair.encode(picture, snrDb)).slice(0, snrDb > 7 ? N : 2 * N);
  const halved = await new UserPairCodec(fickle).analyse(image);
  await assert.rejects(halved.encode([{ id: 0, size: N, snrDb: 10 }]), ModelError);
  await assert.rejects(pairWith({ cellPx: 8, symbols: 3, order: 'planes' }), /cellPx 8 does not divide multipleOf 4/);
  await assert.rejects(pairWith({ cellPx: 3, symbols: 3, order: 'planes' }), ModelError);
});

test('another pair, other streams and damaged side information are outages that say so', async () => {
  const codec = new UserPairCodec(pair);
  const plan = await codec.analyse(flatImage(20, 12, 90, 120, 60));
  const coded = await plan.encode([{ id: 0, size: plan.streams[0].minSize }]);
  assert.match((await codec.decode({ sideInfo: undefined, streams: [] })).note!, /did not arrive/);
  const other = Uint8Array.from(coded.sideInfo);
  other[0] ^= 1;
  assert.match((await codec.decode({ sideInfo: other, streams: air(coded) })).note!, /sender's pair is .*this end has/);
  const nothing = await codec.decode({ sideInfo: coded.sideInfo, streams: [] });
  assert.deepEqual([nothing.decodable, nothing.complete], [false, false]);
  const wrong: ReceivedStream = { id: 3, kind: 'bits', payload: new Uint8Array(4), missing: [] };
  const got = await codec.decode({ sideInfo: coded.sideInfo, streams: [wrong, ...air(coded)] });
  assert.ok(got.complete);
  assert.match(got.note!, /stream 3 contradicts/);

  const huge = Uint8Array.from(coded.sideInfo);
  huge.fill(255, 4, 7);
  assert.throws(() => decodeUserSide(huge), /picture pixels/);
  const random = new RandomStream('user-side');
  const fields = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    let bytes = Uint8Array.from(coded.sideInfo);
    if (i % 4 === 0) bytes = bytes.slice(0, random.integer(bytes.length));
    for (let n = 1 + random.integer(3); n > 0 && bytes.length > 0; n--) {
      bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    }
    try {
      const side = decodeUserSide(bytes);
      assert.deepEqual(encodeUserSide(side), bytes);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      fields.add(error.field);
    }
  }
  for (const name of ['streams', 'padding', 'partition bytes']) assert.ok(fields.has(name), name);
});

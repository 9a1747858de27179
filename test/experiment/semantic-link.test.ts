import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ExitCode, UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import {
  decodeOptions,
  type LinkCodec,
  modelSetNumber,
  ReceiverCodecs,
  senderCodec,
} from '../../src/experiment/config/link-codecs.ts';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { exitCodeOf } from '../../src/experiment/metrics/exit-code.ts';
import { linkMetrics } from '../../src/experiment/metrics/link-metrics.ts';
import { LinkTrace } from '../../src/experiment/metrics/link-trace.ts';
import { transmitFacts } from '../../src/experiment/metrics/transmit-facts.ts';
import type { TransmitBurst } from '../../src/link/transmitter.ts';
import { SIDE_RATES } from '../../src/phy/frame/side-block.ts';
import type { ReceivedStream } from '../../src/sct/codec/codec.ts';
import { type RgbImage, rgbImage } from '../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../src/sct/quality/psnr.ts';
import { shippedModelsDir } from '../../src/sct/semantics/model-files.ts';
import { readModelSets } from '../../src/sct/semantics/model-set.ts';
import { loopback, photo, receive, replay, scratch, send } from './link-helpers.ts';

const LIVE = { codec: 'integrated', size: 'live', numerology: 6, snrDb: 10, cbr: 1 / 12 } as const;
const [WIDTH, HEIGHT] = [256, 192];

/** A picture with objects, the same every time. */
function picture(): RgbImage {
  const data = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const i = 3 * (y * WIDTH + x);
      const inside = (x - 90) ** 2 + (y - 110) ** 2 < 55 ** 2;
      data[i] = inside ? 200 - 40 * Math.sin(x / 5) : 60 + y / 2;
      data[i + 1] = inside ? 60 + 30 * Math.cos(y / 7) : 120 + 20 * Math.sin(x / 31);
      data[i + 2] = inside ? 50 : x > 180 ? 90 + 60 * (((x >> 4) + (y >> 4)) % 2) : 190;
    }
  }
  return rgbImage(WIDTH, HEIGHT, data);
}

let coding: LinkCodec;
let image: RgbImage;

before(async () => {
  coding = await senderCodec(resolveLinkConfig(LIVE));
  image = picture();
});

/** The picture over a loopback; what came of it by the contract. */
async function over(input: LinkInput, lose?: (burst: TransmitBurst) => boolean) {
  const config = resolveLinkConfig({ ...LIVE, ...input });
  const exchange = new LoopbackExchange(
    config,
    setupLink(config, null, input.codec ? await senderCodec(config) : coding),
    lose ? { lose } : {},
  );
  await exchange.open();
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const received = exchange.chain.receiver.received.at(-1);
  const decoded = received ? await exchange.chain.receiver.picture(received, decodeOptions(config)) : undefined;
  const { trace, chain } = exchange;
  const metrics = linkMetrics({
    config,
    trace,
    facts: transmitFacts(plan, exchange.transmitter),
    source: image,
    decoded,
    picture: received,
    labels: coding.labels,
    samples: chain.samples,
    lostSamples: 0,
    clippedSamples: 0,
    modelled: true,
  });
  return { plan, decoded, metrics, trace, exitCode: exitCodeOf(metrics, config, trace.bursts.length > 0) };
}

/** Symbols over AWGN alone, at the equaliser's output. */
function flatAir(symbols: Float32Array, snrDb: number, random: RandomStream): Float32Array {
  const s = 10 ** (snrDb / 10);
  return symbols.map((v) => (s / (1 + s)) * (v + Math.sqrt(1 / (2 * s)) * random.normal()));
}

test('the whole modem costs at most 0.3 dB against the same symbols over AWGN alone', async () => {
  for (const mapping of ['matched', 'uniform', 'random', 'worst'] as const) {
    const { plan, decoded, metrics, exitCode } = await over({ mapping });
    assert.equal(exitCode, ExitCode.ok);
    assert.equal(metrics.mapping, mapping);
    const coded = await plan.source.encode(plan.grants);
    const random = new RandomStream('alone');
    const streams = coded.streams.map((s): ReceivedStream => {
      assert.ok(s.kind === 'analog');
      const snrDb = new Float32Array(s.symbolsReIm.length / 2).fill(LIVE.snrDb);
      return { id: s.id, kind: 'analog', symbolsReIm: flatAir(s.symbolsReIm, LIVE.snrDb, random), snrDb };
    });
    const alone = await coding.codec.decode({ sideInfo: coded.sideInfo, streams });
    const loss = psnrDb(image, alone.image!) - psnrDb(image, decoded!.image!);
    assert.ok(Math.abs(loss) < 0.3, `${mapping}: ${loss} dB`);
  }
});

test('of packets the blocks of every SFV are counted, lost ones too', async () => {
  const { metrics, trace } = await over({ codec: 'modular', snrDb: 6, assumeSnrDb: 9, feedback: 'none', harq: 0 });
  const [burst] = trace.dataBursts;
  const streams = burst.carried!.streams.map((s) => s.id);
  assert.ok(streams.length > 1);
  assert.deepEqual([...new Set(burst.blocks.map((b) => b.stream))], streams);
  const failed = burst.blocks.filter((b) => !b.ok).length;
  assert.deepEqual([metrics.codeBlocks, metrics.codeBlockErrors], [burst.blocks.length, failed]);
  assert.equal(metrics.bler, failed / burst.blocks.length);
});

test('the figures are those of the contract: every symbol is counted, every SFV listed', async () => {
  const { plan, metrics } = await over({ channel: 'epa', seed: 4 });
  assert.equal(metrics.codec, 'integrated');
  assert.equal(metrics.mode, 'overall');
  assert.equal(metrics.task, 'human');
  assert.equal(metrics.outage, 0);
  assert.equal(metrics.bler, null, 'no block was sent');
  assert.deepEqual([metrics.codeBlocks, metrics.codeBlockErrors], [0, 0]);
  assert.equal(metrics.modelSet, plan.settings.modelSet);
  assert.ok(metrics.cbr! <= LIVE.cbr && metrics.cbr! > 0.8 * LIVE.cbr, `${metrics.cbr}`);
  assert.equal(metrics.sideInfoBytes, plan.sideInfoBytes);
  const sideRate = SIDE_RATES[plan.bursts[0].extension!.sideRate];
  assert.ok(metrics.sideInfoSymbols! >= (8 * plan.sideInfoBytes + 24) / (2 * sideRate));
  assert.ok(metrics.sfvs.length > 1);
  assert.equal(
    metrics.sfvs.reduce((sum, s) => sum + s.symbols, 0),
    plan.grants.reduce((sum, g) => sum + g.size, 0),
  );
  const shares = metrics.sfvs.reduce((sum, s) => sum + (s.importance ?? 0), 0);
  assert.ok(Math.abs(shares - 1) < 0.05, `importances add up to ${shares}`);
  const [{ slots }] = plan.bursts;
  for (const s of metrics.sfvs) {
    assert.ok(s.label.length > 0 && s.snrDb !== null);
    assert.ok(s.rbs.length > 0 && s.rbs.every((rb) => rb >= 0 && rb < slots * LIVE.numerology));
  }
});

test('a burst that is lost whole, with nothing to repeat it: nothing of the picture came, exit 5', async () => {
  const { decoded, metrics, exitCode } = await over({ harq: 0 }, (b) => b.use === 'data');
  assert.equal(decoded, undefined);
  assert.equal(metrics.outage, 1);
  assert.equal(exitCode, ExitCode.quality);
});

test('nothing but side information: the guess is given, every SFV said to be synthesised, exit 5', async () => {
  const { plan } = await over({});
  const coded = await plan.source.encode(plan.grants);
  const decoded = await coding.codec.decode({ sideInfo: coded.sideInfo, streams: [] });
  assert.ok(decoded.image && !decoded.decodable);
  const config = resolveLinkConfig(LIVE);
  const metrics = linkMetrics({
    config,
    trace: new LinkTrace(),
    facts: null,
    source: image,
    decoded,
    samples: 0,
    lostSamples: 0,
    clippedSamples: 0,
    modelled: true,
  });
  assert.equal(metrics.ok, false);
  assert.equal(exitCodeOf(metrics, config, true), ExitCode.quality);
  assert.ok(metrics.psnrDb! > 5, 'the guess is what is shown');
  assert.ok(metrics.sfvs.every((s) => s.state === 'synthesised' && s.symbols === 0));
});

test('no report, or one that is too old: the robust map, said so; the picture comes all the same', async () => {
  for (const input of [{ feedback: 'none' }, { csiDelayMs: 300 }] as const) {
    const { metrics, exitCode } = await over(input);
    assert.equal(metrics.mapping, 'robust');
    assert.equal(exitCode, ExitCode.ok);
  }
});

test('run, replay, send and receive give the same picture; both codecs of SFVs', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 192, 128);
  for (const codec of ['integrated', 'modular'] as const) {
    const input = { ...LIVE, codec, cbr: 1 / 6, channel: 'epa', seed: 2 } as const;
    const run = await loopback(path, join(at, codec), input);
    assert.equal(run.exitCode, ExitCode.ok, codec);
    const again = await replay(join(at, codec), join(at, `${codec}-again`), true);
    assert.deepEqual(again.differences, [], codec);
    assert.equal(again.exitCode, ExitCode.ok);
    const air = `file:${join(at, `${codec}-air`)}`;
    await send(path, air, join(at, `${codec}-send`), { ...input, channel: undefined, assumeSnrDb: 12 } as LinkInput);
    // The receiver is told nothing of codec or model set.
    const got = await receive(air, join(at, `${codec}-receive`), { numerology: 6 }, {});
    assert.equal(got.exitCode, ExitCode.ok, codec);
    assert.equal(got.metrics.codec, codec);
    assert.equal(got.metrics.modelSet, run.metrics.modelSet);
    assert.ok(got.metrics.sfvs.length > 0 && got.metrics.sfvs.every((s) => s.symbols > 0));
  }
});

test('a model set that is not here is told with both names, and one in a folder of its own is found', async (t) => {
  const at = await scratch(t);
  const sets = await readModelSets(shippedModelsDir());
  const codecs = new ReceiverCodecs(resolveLinkConfig({}));
  await assert.rejects(codecs.find('integrated', 0x12345678), (error: unknown) => {
    assert.ok(error instanceof UsageError && error.message.includes('12345678'));
    for (const set of sets) assert.ok(error.message.includes(`${set.name} ${set.id}`), error.message);
    return true;
  });
  await assert.rejects(codecs.find('user', 0), /a pair of the sender's own, 00000000; this receiver has none/);
  assert.equal((await codecs.find('classical', 0)).name, 'classical');
  // A folder with the live set alone: what a receiver that keeps an old set has.
  const own = join(at, 'models');
  const live = sets.find((s) => s.name === 'live')!;
  const manifest = JSON.parse(await readFile(join(shippedModelsDir(), 'models.json'), 'utf8'));
  await cp(join(shippedModelsDir(), 'live'), join(own, 'live'), { recursive: true });
  manifest.sets = manifest.sets.filter((s: { name: string }) => s.name === 'live');
  await writeFile(join(own, 'models.json'), JSON.stringify(manifest));
  const found = await new ReceiverCodecs(resolveLinkConfig({ modelsDir: own })).find(
    'integrated',
    modelSetNumber(live.id),
  );
  assert.match(found.describe(), new RegExp(live.id));
});

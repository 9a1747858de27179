import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { NoSignalError, UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { validateCapture } from '../../src/radio/sigmf/capture-info.ts';
import { copyCapture, loopback, photo, pictureSpan, receive, replay, scratch, send } from './link-helpers.ts';

const JPEG = { codec: 'classical', format: 'jpeg' } as const;
/** Bytes of a cf32_le sample. */
const SAMPLE = 8;
let at: string;
let run: string;
let span: { start: number; count: number };

before(async (t) => {
  at = await scratch(t as never);
  const source = await photo(join(at, 'photo.png'), 256, 192);
  run = join(at, 'run');
  const result = await loopback(source, run, { ...JPEG, numerology: 6, cbr: 1 / 5, seed: 4 });
  assert.equal(result.exitCode, 0);
  span = await pictureSpan(join(run, 'rx'));
});

test('a capture cut in the middle of the picture: exit 5, a partial or grey picture, and the reason', async () => {
  for (const [name, share] of [
    ['early', 0.3],
    ['late', 0.7],
  ] as const) {
    const cut = await copyCapture(join(run, 'rx'), join(at, name), {
      data: (bytes) => bytes.subarray(0, SAMPLE * (span.start + Math.round(share * span.count))),
    });
    const result = await replay(cut, join(at, `${name}-out`), false);
    assert.equal(result.exitCode, 5, name);
    assert.equal(result.metrics.ok, false);
    assert.ok((result.metrics.bler ?? 0) > 0);
    assert.ok(
      result.report.warnings.some((w) => /cut off after \d+ of \d+ slots/.test(w)),
      result.report.warnings.join(),
    );
    assert.match(result.report.warnings[0], /^the picture (is damaged|could not be decoded)/);
    const manifest = JSON.parse(await readFile(join(at, `${name}-out`, 'run.json'), 'utf8'));
    assert.equal(manifest.exit.code, 5);
    assert.match(JSON.stringify(manifest.exit), /picture/);
  }
});

test('a capture cut inside the preamble or the header leaves the sounding burst; inside the extension, exit 5', async () => {
  const codes: number[] = [];
  for (const share of [0.01, 0.05, 0.1]) {
    const cut = await copyCapture(join(run, 'rx'), join(at, 'cut'), {
      data: (bytes) => bytes.subarray(0, SAMPLE * (span.start + Math.round(share * span.count))),
    });
    codes.push((await replay(cut, join(at, 'cut-out'), false)).exitCode);
  }
  assert.equal(codes[0], 0, 'only a sounding burst was there to be heard, and it was');
  for (const code of codes.slice(1)) assert.ok(code === 0 || code === 5, codes.join());
});

test('replay --check of a run whose samples were changed: exit 7 with what differs, never a crash', async () => {
  const data = await readFile(join(run, 'rx.sigmf-data'));
  const random = new RandomStream('flips');
  for (const region of [200, 20_000]) {
    const broken = Buffer.from(data);
    const from = SAMPLE * (span.start + (span.count >> 1));
    for (let i = 0; i < region; i++) broken[from + i] ^= 1 << random.integer(8);
    await writeFile(join(run, 'rx.sigmf-data'), broken);
    const result = await replay(run, join(at, 'check'), true);
    assert.equal(result.exitCode, 7, `${region} bytes`);
    assert.ok(result.differences!.length > 0);
  }
  await writeFile(join(run, 'rx.sigmf-data'), data);
  assert.equal((await replay(run, join(at, 'check'), true)).exitCode, 0);
});

test('bits flipped all over a capture: whatever is left is received, nothing throws', async () => {
  const random = new RandomStream('bit flips');
  const flipped = await copyCapture(join(run, 'rx'), join(at, 'flipped'), {
    data: (bytes) => {
      const out = Buffer.from(bytes);
      // Every hundredth sample or so, exponents and signs included: infinities and NaN among them.
      for (let i = random.integer(1600); i < out.length; i += 1 + random.integer(1600))
        out[i] ^= 1 << random.integer(8);
      return out;
    },
  });
  const result = await replay(flipped, join(at, 'flipped-out'), false).catch((e: unknown) => {
    assert.ok(e instanceof NoSignalError, `${e}`);
    return null;
  });
  assert.ok(result === null || result.exitCode === 0 || result.exitCode === 5);
});

test('the wrong numerology finds nothing: exit 4, a hint with the right one, and the recording is kept', async () => {
  const air = `file:${join(run, 'rx')}`;
  // 128-point numerology at 1.92 Msps, received as one with 4 subbands at the same rate.
  const error = await receive(air, join(at, 'wrong'), { numerology: 4, rateHz: 1.92e6 }).catch((e: unknown) => e);
  assert.ok(error instanceof NoSignalError, `${error}`);
  assert.equal(error.exitCode, 4);
  assert.match(error.hint!, /--numerology 6\. The recording is in/);
  assert.ok((await validateCapture(join(at, 'wrong', 'rx'))).ok);
  const manifest = JSON.parse(await readFile(join(at, 'wrong', 'run.json'), 'utf8'));
  assert.equal(manifest.exit.code, 4);
});

test('noise alone: exit 4, and what was recorded is a valid capture', async () => {
  const random = new RandomStream('noise');
  const noise = await copyCapture(join(run, 'rx'), join(at, 'noise'), {
    data: (bytes) => {
      const samples = new Float32Array(bytes.length / 4);
      random.addComplexNoise(samples, 0.1);
      return Buffer.from(samples.buffer);
    },
  });
  await assert.rejects(receive(`file:${noise}`, join(at, 'noise-out'), { numerology: 6 }), NoSignalError);
  assert.ok((await validateCapture(join(at, 'noise-out', 'rx'))).ok);
});

test('a capture that says nothing of ours is received with the flags alone; a rate that does not fit is refused', async () => {
  const bare = await copyCapture(join(run, 'rx'), join(at, 'bare'), {
    meta: (m) => {
      for (const key of Object.keys(m.global)) if (key.startsWith('sct:')) delete m.global[key];
      m.annotations = [];
      m.global['core:extensions'] = [];
    },
  });
  assert.equal((await replay(bare, join(at, 'bare-out'), false, { numerology: 6 })).exitCode, 0);
  // Numerology 25 needs 7.68 Msps; the capture has 1.92.
  const error = await replay(bare, join(at, 'bare-out'), false).catch((e: unknown) => e);
  assert.ok(error instanceof UsageError, `${error}`);
  assert.match(`${error.message} ${error.hint}`, /7\.68/);
});

test('a rate and numerology that do not go together: exit 2 with the rates that do', () => {
  for (const input of [
    { numerology: 50, profile: 'hackrf', rateHz: 2e6 },
    { numerology: 25, rateHz: 4.4e6 },
  ]) {
    assert.throws(
      () => resolveLinkConfig(input),
      (e: unknown) => e instanceof UsageError && e.exitCode === 2 && /Msps/.test(`${e.message} ${e.hint}`),
      JSON.stringify(input),
    );
  }
  assert.throws(() => resolveLinkConfig({ numerology: 7 }), /6, 15, 25, 50/);
});

test('an image that cannot be read, or is too large, is refused before anything is sent', async () => {
  const text = join(at, 'text.png');
  await writeFile(text, 'this is no picture');
  await assert.rejects(loopback(text, join(at, 'no'), {}), UsageError);
  // A PNG whose header claims 20000x20000.
  const png = await readFile(join(at, 'photo.png'));
  png.writeUInt32BE(20_000, 16);
  png.writeUInt32BE(20_000, 20);
  const huge = join(at, 'huge.png');
  await writeFile(huge, png);
  await assert.rejects(
    loopback(huge, join(at, 'no'), {}),
    (e: unknown) => e instanceof UsageError && /8192/.test(`${e.message} ${e.hint}`),
  );
});

test('a budget that is too small says what would fit, and that works', async () => {
  const source = join(at, 'photo.png');
  const input = { ...JPEG, numerology: 25, snrDb: 20 } as const;
  const error = await loopback(source, join(at, 'small'), { ...input, cbr: 0.01 }).catch((e: unknown) => e);
  assert.ok(error instanceof UsageError, `${error}`);
  const cbr = Number(/--cbr ([\d.]+)/.exec(error.hint!)![1]);
  const manifest = JSON.parse(await readFile(join(at, 'small', 'run.json'), 'utf8'));
  assert.equal(manifest.exit.code, 2);
  assert.ok((await validateCapture(join(at, 'small', 'rx'))).ok);
  const result = await loopback(source, join(at, 'small'), { ...input, cbr });
  assert.equal(result.exitCode, 0);
  assert.ok(result.metrics.cbr! <= cbr);
});

test('an interrupted reception keeps a valid capture and what had come', async () => {
  const controller = new AbortController();
  // The sender's file stays open: without the interruption the receiver would wait for more.
  const open = await copyCapture(join(run, 'rx'), join(at, 'open'), {
    meta: (m) => {
      m.global['sct:complete'] = false;
    },
  });
  let bursts = 0;
  const result = await receive(
    `file:${open}`,
    join(at, 'stopped'),
    { numerology: 6 },
    {
      signal: controller.signal,
      progress: {
        update: (text: string | (() => string)) => {
          if (typeof text === 'string' && /burst/.test(text) && ++bursts === 1) controller.abort();
        },
        note: () => undefined,
      } as never,
    },
  );
  assert.equal(result.exitCode, 130);
  assert.equal(result.report.bursts[0].kind, 'sounding');
  assert.ok((await validateCapture(join(at, 'stopped', 'rx'))).ok);

  const waiting = new AbortController();
  const nobody = receive(`file:${join(at, 'never')}`, join(at, 'never-out'), {}, { signal: waiting.signal });
  setTimeout(() => waiting.abort(), 50);
  await assert.rejects(nobody, (e: unknown) => (e as { exitCode?: number }).exitCode === 130);
});

test('a transmission without a way back says that it used the robust map', async () => {
  const sent = await send(join(at, 'photo.png'), `file:${join(at, 'oneway')}`, join(at, 'tx'), {
    ...JPEG,
    numerology: 6,
    cbr: 1 / 4,
  });
  assert.equal(sent.metrics.mapping, 'robust');
  assert.equal(sent.metrics.csiAgeMs, null);
  const stale = await loopback(join(at, 'photo.png'), join(at, 'stale'), {
    ...JPEG,
    numerology: 6,
    cbr: 1 / 4,
    csiDelayMs: 20,
    maxCsiAgeMs: 5,
  });
  assert.equal(stale.exitCode, 0);
  assert.equal(stale.metrics.mapping, 'robust');
  assert.ok(stale.metrics.csiAgeMs! > 20);
  assert.ok(stale.report.warnings.some((w) => /robust map/.test(w)));
});

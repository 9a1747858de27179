// Copies of a sample recording with something wrong: an error that names it, never a crash, never a silent success.
import assert from 'node:assert/strict';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../../src/common/random.ts';
import { scratch, sctInside } from '../cli/helpers.ts';

const NAME = 'emulated-pluto';
const SAMPLE = fileURLToPath(new URL(`../../captures/${NAME}`, import.meta.url));
/** Exit code of something wrong inside this program. */
const INTERNAL = 1;

type Json = Record<string, unknown> & { global: Record<string, unknown>; captures: object[]; annotations: object[] };

const CASES: readonly {
  readonly name: string;
  damage(run: string): Promise<unknown>;
  /** Of `sct capture validate`, and of `sct replay --check`. */
  readonly validate: [number, RegExp];
  readonly replay: [number, RegExp];
}[] = [
  {
    name: 'the data are cut off in the middle of the picture',
    damage: (run) => truncate(join(run, `${NAME}.sigmf-data`), 200_000),
    validate: [8, /sct:sample_count|core:sha512/],
    replay: [7, /^$/],
  },
  {
    name: 'a byte of the data is another',
    damage: async (run) => {
      const data = await readFile(join(run, `${NAME}.sigmf-data`));
      data[150_000] ^= 0x40;
      await writeFile(join(run, `${NAME}.sigmf-data`), data);
    },
    validate: [8, /core:sha512 does not match/],
    replay: [7, /^$/],
  },
  {
    name: 'no data',
    damage: (run) => rm(join(run, `${NAME}.sigmf-data`)),
    validate: [8, /cannot open .*\.sigmf-data/],
    replay: [2, /no received capture/],
  },
  {
    name: 'a sample format that does not exist',
    damage: (run) => edit(run, (meta) => ({ ...meta, global: { ...meta.global, 'core:datatype': 'ci12_le' } })),
    validate: [8, /core:datatype/],
    replay: [2, /core:datatype/],
  },
  {
    name: 'entries in the wrong order',
    damage: (run) =>
      edit(run, (meta) => ({
        ...meta,
        captures: [{ ...meta.captures[0], 'core:sample_start': 70_000 }, ...meta.captures],
      })),
    validate: [8, /captures/],
    replay: [2, /captures/],
  },
  {
    name: 'metadata that end in the middle',
    damage: (run) => truncate(join(run, `${NAME}.sigmf-meta`), 300),
    validate: [8, /JSON/],
    replay: [2, /JSON/],
  },
  {
    name: 'a run.json that says something else',
    damage: (run) => writeFile(join(run, 'run.json'), '{"schema":"sct.run/9"}'),
    validate: [0, /^$/],
    replay: [2, /schema/],
  },
  {
    name: 'no metrics to compare with',
    damage: (run) => rm(join(run, 'metrics.json')),
    validate: [0, /^$/],
    replay: [2, /no metrics\.json/],
  },
];

async function edit(run: string, change: (meta: Json) => object): Promise<void> {
  const path = join(run, `${NAME}.sigmf-meta`);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

for (const { name, damage, validate, replay } of CASES) {
  test(name, async (t) => {
    const folder = await scratch(t);
    const run = join(folder, NAME);
    await cp(SAMPLE, run, { recursive: true });
    await damage(run);
    const checked = await sctInside(['capture', 'validate', join(run, NAME)]);
    assert.equal(checked.code, validate[0], checked.stdout + checked.stderr);
    assert.match(validate[0] === 0 ? '' : checked.stdout + checked.stderr, validate[1]);
    const again = await sctInside(['replay', run, '--check', '-o', join(folder, 'again')]);
    assert.equal(again.code, replay[0], again.stdout + again.stderr);
    assert.match(again.stderr, replay[1]);
  });
}

test('metadata with any bytes changed are valid or refused, and nothing else', async (t) => {
  const run = join(await scratch(t), NAME);
  await cp(SAMPLE, run, { recursive: true });
  const path = join(run, `${NAME}.sigmf-meta`);
  const whole = await readFile(path);
  const random = new RandomStream(12);
  for (let trial = 0; trial < 200; trial++) {
    const bytes = Buffer.from(whole);
    for (let k = 0; k < 1 + (trial % 4); k++) {
      bytes[Math.floor(random.uniform() * bytes.length)] = Math.floor(256 * random.uniform());
    }
    await writeFile(path, bytes);
    const ended = await sctInside(['capture', 'validate', join(run, NAME)]);
    assert.ok([0, 8].includes(ended.code ?? INTERNAL), `${ended.code} ${ended.stderr}\n${bytes.toString('latin1')}`);
  }
});

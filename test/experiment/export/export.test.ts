import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { parseNpy } from '../../../src/experiment/bench/npy.ts';
import { csvText } from '../../../src/experiment/export/csv.ts';
import { matBytes } from '../../../src/experiment/export/mat.ts';
import { npyBytes, npzBytes } from '../../../src/experiment/export/npz.ts';
import { c8, f4, f8, i4, type Table, text } from '../../../src/experiment/export/table.ts';
import { crc32, zipStored } from '../../../src/experiment/export/zip.ts';

const TABLE: Table = {
  name: 't',
  about: 'every kind of column',
  columns: {
    a: f8([1.5, -2, Number.NaN]),
    b: f4(Float32Array.of(0.1, 2, 3)),
    c: i4([7, -8, 9]),
    d: { kind: 'u1', shape: [3], data: Uint8Array.of(0, 128, 255) },
    e: text(['sounding', 'dätä', 'x,"y"']),
    h: c8(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [3, 2],
    ),
  },
};

const python = ['python3', '/usr/bin/python3'].find(
  (exe) => spawnSync(exe, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0,
);
const hasScipy = python !== undefined && spawnSync(python, ['-c', 'import scipy.io'], { stdio: 'ignore' }).status === 0;

test('crc32: check value of the standard, and zlib where it has one', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  if (typeof zlibCrc32 === 'function') {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) & 255);
    assert.equal(crc32(bytes), zlibCrc32(bytes));
  }
});

test('npy: our own reader gets the numbers back', () => {
  const back = parseNpy('a', npyBytes(TABLE.columns.a));
  assert.deepEqual([...back.values], [1.5, -2, Number.NaN]);
  assert.deepEqual([...parseNpy('c', npyBytes(TABLE.columns.c)).values], [7, -8, 9]);
  assert.equal(npyBytes(TABLE.columns.h).length % 64, (12 * 4) % 64);
});

test('csv: names, quoting, empty cells for what is not finite, single precision without noise', () => {
  assert.deepEqual(csvText(TABLE).split('\n'), [
    'a,b,c,d,e,h_0_re,h_0_im,h_1_re,h_1_im',
    '1.5,0.100000001,7,0,sounding,0,1,2,3',
    '-2,2,-8,128,dätä,4,5,6,7',
    ',3,9,255,"x,""y""",8,9,10,11',
    '',
  ]);
});

test('zip: an independent reader unpacks it', { skip: python ? false : 'no python3 with numpy' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-export-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.zip');
  await writeFile(path, zipStored([{ name: 'x/ä.txt', bytes: Buffer.from('hello') }]));
  const code = `import zipfile,sys
z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist()[0], z.read('x/ä.txt').decode())`;
  const { stdout, stderr } = spawnSync(python!, ['-c', code, path], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONIOENCODING: 'utf8' },
  });
  assert.equal(stdout.trim(), 'x/ä.txt hello', stderr);
});

const LOADED = `
assert np.array_equal(a['t_a'].ravel(), [1.5, -2, np.nan], equal_nan=True)
assert a['t_b'].dtype == np.float32 and np.array_equal(a['t_b'].ravel(), np.array([0.1, 2, 3], np.float32))
assert a['t_c'].dtype == np.int32 and np.array_equal(a['t_c'].ravel(), [7, -8, 9])
assert a['t_d'].dtype == np.uint8 and np.array_equal(a['t_d'].ravel(), [0, 128, 255])
assert [s.rstrip() for s in a['t_e']] == ['sounding', 'dätä', 'x,"y"'], a['t_e']
assert a['t_h'].dtype == np.complex64 and np.array_equal(a['t_h'], [[0+1j, 2+3j], [4+5j, 6+7j], [8+9j, 10+11j]])
print('same')
`;

test('npz: numpy loads every kind', { skip: python ? false : 'no python3 with numpy' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-export-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.npz');
  await writeFile(path, npzBytes([TABLE]));
  const code = `import numpy as np,sys\na=np.load(sys.argv[1])\n${LOADED}`;
  const { stdout, stderr } = spawnSync(python!, ['-c', code, path], { encoding: 'utf8' });
  assert.equal(stdout.trim(), 'same', stderr);
});

test('mat: scipy loads every kind', { skip: hasScipy ? false : 'no python3 with scipy' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-export-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.mat');
  assert.throws(() => matBytes([TABLE], 'test'), /not ASCII/);
  const ascii = { ...TABLE, columns: { ...TABLE.columns, e: text(['sounding', 'data', 'x,"y"']) } };
  await writeFile(path, matBytes([ascii], 'test'));
  const code = `import numpy as np,sys,scipy.io\na=scipy.io.loadmat(sys.argv[1])\n${LOADED.replace('dätä', 'data')}`;
  const { stdout, stderr } = spawnSync(python!, ['-c', code, path], { encoding: 'utf8' });
  assert.equal(stdout.trim(), 'same', stderr);
});

test('mat: header and first element by the format description', () => {
  const bytes = Buffer.from(matBytes([{ name: 't', about: '', columns: { c: i4([7]) } }], 'test'));
  assert.match(bytes.toString('latin1', 0, 116), /^MATLAB 5\.0 MAT-file, test/);
  assert.equal(bytes.toString('latin1', 126, 128), 'IM');
  assert.equal(bytes.readUInt16LE(124), 0x0100);
  assert.equal(bytes.readUInt32LE(128), 14); // miMATRIX
  assert.equal(bytes.readUInt32LE(132), bytes.length - 136);
  assert.equal(bytes.length % 8, 0);
});

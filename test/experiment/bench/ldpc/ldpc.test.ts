import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { DeviceError, FormatError, SctError, UsageError } from '../../../../src/common/errors.ts';
import { RandomStream } from '../../../../src/common/random.ts';
import { benchLdpcVectors } from '../../../../src/experiment/bench/ldpc/ldpc.ts';
import { parseNpy } from '../../../../src/experiment/bench/npy.ts';
import { ldpcCode } from '../../../../src/phy/fec/ldpc-code.ts';
import { ldpcEncoder } from '../../../../src/phy/fec/ldpc-encoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'sct-ldpc-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A codeword file of one lifting size; `change` may spoil it. */
function codewordText(id: 1 | 2, z: number, change = (_: string[]) => {}): string {
  const code = ldpcCode(id, z);
  const random = new RandomStream(z);
  const messages: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < 3; i++) {
    const info = Uint8Array.from({ length: code.k }, (_, j) => (j < code.k - z ? random.uint32() >>> 31 : 0));
    const word = new Uint8Array(code.n);
    ldpcEncoder(code).encode(info, word);
    const filler = '-'.repeat(z);
    messages.push(info.join('').slice(0, code.k - z) + filler);
    words.push(word.join('').slice(0, code.k - 3 * z) + filler + word.join('').slice(code.k - 2 * z));
  }
  const lines = [`z ${z} msgs`, ...messages, '', `z ${z} cwds`, ...words, ''];
  change(lines);
  return lines.join('\n');
}

test('published generator matrices and CRC references are met', () => {
  const report = benchLdpcVectors('test/vectors/ldpc');
  assert.deepEqual([report.schema, report.passed, report.failed], ['sct-bench-ldpc/1', 10, 0]);
  assert.deepEqual(
    report.cases.filter((c) => c.kind === 'generator-matrix').map((c) => [c.name, c.vectors]),
    [
      ['k=200 n=220 (BG2 Z=26)', 200],
      ['k=64 n=128 (BG2 Z=11)', 64],
      ['k=64 n=160 (BG2 Z=11)', 64],
    ],
  );
  assert.equal(new Set(report.cases.filter((c) => c.kind === 'crc').map((c) => c.name)).size, 6);
});

test('a wrong bit in any kind of vector is found', () => {
  const matrix = new Uint8Array(readFileSync('test/vectors/ldpc/k64_n128_G.npy'));
  matrix[matrix.length - 2] ^= 0xc0; // the last entry, coded bit 128, becomes 64
  const moved = benchLdpcVectors(fileWith('k64_n128_G.npy', matrix));
  assert.deepEqual([moved.passed, moved.failed], [0, 1]);
  assert.match(moved.cases[0].difference ?? '', /message bit 64, coded bit/);
  const spoiled = codewordText(2, 7, (lines) => {
    const last = lines.length - 2;
    lines[last] = lines[last].slice(0, -1) + (lines[last].endsWith('1') ? '0' : '1');
  });
  const report = benchLdpcVectors(fileWith('spoiled.txt', spoiled));
  assert.deepEqual([report.passed, report.failed], [0, 1]);
  assert.match(report.cases[0].difference ?? '', /codeword 3, bit 350/);
  const crc = new Uint8Array(readFileSync('test/vectors/ldpc/crc/crc_u_CRC16.npy'));
  crc[crc.length - 1] ^= 0x3f;
  crc[crc.length - 2] ^= 0x80;
  fileWith('crc_u_CRC16.npy', crc);
  const path = fileWith('crc_x_ref_np_CRC16.npy', readFileSync('test/vectors/ldpc/crc/crc_x_ref_np_CRC16.npy'));
  assert.equal(benchLdpcVectors(path.replace('x_ref_np', 'u')).failed, 1);
});

test('codeword files are read at any lifting size, plain or gzip, and sizes are counted', () => {
  const text = codewordText(1, 3) + codewordText(2, 15) + codewordText(2, 36);
  for (const path of [
    fileWith('plain.txt', text),
    fileWith('packed.txt.gz', gzipSync(text)),
    fileWith('any.name', text),
  ]) {
    const report = benchLdpcVectors(path);
    assert.deepEqual([report.passed, report.failed], [3, 0]);
    assert.deepEqual(
      report.cases.map((c) => c.name),
      ['BG1 Z=3', 'BG2 Z=15', 'BG2 Z=36'],
    );
    assert.ok(report.cases.every((c) => c.vectors === 3 && /^[0-9a-f]{64}$/.test(c.sha256 ?? '')));
  }
});

test('hostile files are refused with the place named', () => {
  const refused: [string, string | Uint8Array, RegExp][] = [
    ['a.txt', codewordText(1, 3).replace(/z 3 /g, 'z 17 '), /a\.txt line 1: lifting size 17/],
    ['b.txt', '0101\n', /b\.txt line 1: stands before/],
    ['c.txt', 'z 2 msgs\n01x\n', /c\.txt line 2: has characters/],
    ['d.txt', 'z 2 msgs\n0101\nz 2 cwds\n01\n', /d\.txt z 2 message 1: has 4 bits: allowed 44 .* 20/],
    ['e.txt', codewordText(2, 2, (l) => l.splice(1, 1)), /has 2 messages but 3 codewords/],
    [
      'f.txt',
      codewordText(2, 2, (l) => {
        l[6] = l[6].slice(1);
      }),
      /codeword 1: has 99 bits/,
    ],
    [
      'g.txt',
      codewordText(2, 2, (l) => {
        l[6] = `-${l[6].slice(1)}`;
      }),
      /bit 1 is '-' but no filler/,
    ],
    ['h.txt', '', /holds no "z N msgs" line/],
    ['i.txt', 'z 2 msgs\nz 2 cwds\n', /holds no message/],
    ['j.txt.gz', gzipSync(codewordText(2, 2)).subarray(0, 60), /j\.txt\.gz: cannot be unpacked/],
    ['k64_n128_G.npy', new Uint8Array(5), /magic: is not a \.npy/],
    ['k9999_n12000_G.npy', readFileSync('test/vectors/ldpc/k64_n128_G.npy'), /k=9999 is over 8448/],
    ['k63_n128_G.npy', readFileSync('test/vectors/ldpc/k64_n128_G.npy'), /message bit 64 is not in 1\.\.63/],
    ['k64_n127_G.npy', readFileSync('test/vectors/ldpc/k64_n128_G.npy'), /coded bit 128 is not in 1\.\.127/],
    ['x_bg1.csv', '0;0;1;2\n', /edge 1: is not row;column/],
  ];
  for (const [name, content, message] of refused) {
    const path = fileWith(name, content);
    assert.throws(
      () => benchLdpcVectors(path),
      (e: Error) => e instanceof FormatError && message.test(e.message) && e.exitCode === 2,
      name,
    );
  }
  assert.throws(() => benchLdpcVectors(join(folder, 'missing')), DeviceError);
  const empty = mkdtempSync(join(folder, 'empty-'));
  writeFileSync(join(empty, 'notes.txt'), 'nothing here\n');
  assert.throws(() => benchLdpcVectors(empty), UsageError);
});

test('.npy files: random damage never does anything but a FormatError or a refusal', () => {
  const original = new Uint8Array(readFileSync('test/vectors/ldpc/k64_n128_G.npy')).slice(0, 400);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(399), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(400),
      (edits, cut) => {
        const bytes = original.slice(0, cut);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          parseNpy('x', bytes);
        } catch (error) {
          assert.ok(error instanceof SctError, String(error));
        }
      },
    ),
    { seed: 9, numRuns: 500 },
  );
  const header = (text: string, data: number[]) => {
    const padded = text.padEnd(54);
    return Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length, 0, ...Buffer.from(padded), ...data);
  };
  const fortran = parseNpy('f', header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", [1, 2, 3, 4, 5, 6]));
  assert.deepEqual([...fortran.values], [1, 3, 5, 2, 4, 6]);
  assert.throws(() => parseNpy('f', header("{'descr': '>u2', 'shape': (1,)}", [1, 2])), /f descr/);
  assert.throws(() => parseNpy('f', header("{'descr': '<u2', 'shape': (999999999999,)}", [1, 2])), /f shape/);
});

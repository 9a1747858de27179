import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { serveConsole } from '../../../hardware/emulated/pluto/console.ts';
import { SctError } from '../../../src/common/errors.ts';
import { readConsoleFacts } from '../../../src/radio/pluto/console.ts';
import { rig } from '../../hardware/pluto/helpers.ts';

/** A serial line to the emulated board's console, in this process. */
function lineToBoard(): Duplex {
  const { board } = rig();
  const waiting: ((bytes: Uint8Array | null) => void)[] = [];
  const typed: Uint8Array[] = [];
  const gone = new AbortController();
  const line = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      const reader = waiting.shift();
      if (reader) reader(chunk);
      else typed.push(chunk);
      done();
    },
    destroy(error, done) {
      gone.abort();
      for (const reader of waiting) reader(null);
      done(error);
    },
  });
  const pipe = {
    gone: gone.signal,
    read: () => {
      const bytes = typed.shift();
      if (bytes || gone.signal.aborted) return Promise.resolve(bytes ?? null);
      return new Promise<Uint8Array | null>((resolve) => waiting.push(resolve));
    },
    write: async (bytes: Uint8Array) => {
      if (!line.destroyed) line.push(Buffer.from(bytes));
    },
    close: () => line.destroy(),
  };
  void serveConsole(board, pipe);
  return line;
}

const options = { timeoutMs: 20_000 };

test('the console tells firmware, kernel, model and what the boot loader makes of the chip', async () => {
  const line = lineToBoard();
  const facts = await readConsoleFacts(line, 'console', options);
  assert.equal(facts.versions['device-fw'], 'v0.35');
  assert.match(facts.versions['u-boot-xlnx'], /PlutoSDR/);
  assert.match(facts.kernel!, /^5\.15\.0/);
  assert.match(facts.model!, /PlutoSDR Rev\.C/);
  assert.deepEqual([facts.transceiver, facts.mode], ['ad9363a', '1r1t']);
  assert.ok(line.destroyed, 'the line is closed at the end');
});

test('a session that somebody left open is used and ended', async () => {
  const line = lineToBoard();
  line.write('root\r');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const facts = await readConsoleFacts(line, 'console', options);
  assert.equal(facts.versions['device-fw'], 'v0.35');
});

test('another password, silence and nonsense are errors of ours, and the line is closed', async () => {
  const refused = lineToBoard();
  await assert.rejects(readConsoleFacts(refused, 'console', { ...options, password: 'x' }), /refuses the login/);
  const silent = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  await assert.rejects(readConsoleFacts(silent, 'console', { timeoutMs: 50 }), SctError);
  const noisy = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      this.push(Buffer.alloc(9000, 0x80));
      done();
    },
  });
  await assert.rejects(readConsoleFacts(noisy, 'console', { timeoutMs: 2000 }), SctError);
  assert.ok(refused.destroyed && silent.destroyed && noisy.destroyed);
});

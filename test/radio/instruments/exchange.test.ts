import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../../../src/radio/instruments/exchange.ts';
import { InstrumentError, shownBytes } from '../../../src/radio/instruments/instrument-error.ts';
import { wire } from './wire.ts';

/** A line of digits as the reply. */
const number = (received: string) => {
  const line = /(\d+)\n/.exec(received);
  return line ? Number(line[1]) : undefined;
};
const kind = (wanted: InstrumentError['kind']) => (error: unknown) =>
  error instanceof InstrumentError && error.kind === wanted;

function line() {
  const { host, device } = wire();
  const asked: string[] = [];
  device.on('data', (chunk: Buffer) => asked.push(chunk.toString('latin1')));
  return { exchange: new Exchange(host, 'box'), device, asked };
}

test('requests go out one at a time, in the order asked', async () => {
  const { exchange, device, asked } = line();
  device.on('data', (chunk: Buffer) => setTimeout(() => device.write(`${chunk.toString('latin1').length}\n`), 5));
  const replies = await Promise.all(['a', 'bb', 'ccc'].map((text) => exchange.ask(text, number, { timeoutMs: 5000 })));
  assert.deepEqual(replies, [1, 2, 3]);
  assert.deepEqual(asked, ['a', 'bb', 'ccc']);
  await exchange.close();
});

test('a reply that comes too late never becomes the next one', async () => {
  const { exchange, device } = line();
  device.on('data', (chunk: Buffer) => {
    if (chunk.toString() === 'slow') setTimeout(() => device.write('111\n'), 60);
    else device.write('222\n');
  });
  const slow = exchange.ask('slow', number, { timeoutMs: 30 });
  const next = exchange.ask('next', number, { timeoutMs: 5000 });
  await assert.rejects(slow, kind('timeout'));
  assert.equal(await next, 222);
  await exchange.close();
});

test('what comes unasked, before or between, is dropped', async () => {
  const { exchange, device } = line();
  device.write('999\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  device.on('data', () => device.write('5\n'));
  assert.equal(await exchange.ask('?', number, { timeoutMs: 5000 }), 5);
  await exchange.close();
});

test('a reply without an end is taken when the line falls silent', async () => {
  const { exchange, device } = line();
  device.on('data', () => {
    device.write('12');
    setTimeout(() => device.write('.5'), 10);
  });
  const read = (received: string, quiet: boolean) => (quiet ? received : undefined);
  assert.equal(await exchange.ask('R', read, { timeoutMs: 5000, quietMs: 300 }), '12.5');
  await exchange.close();
});

test('closed: what is under way and what follows fails as gone; closing twice is one', async () => {
  const { exchange } = line();
  const pending = exchange.ask('?', number, { timeoutMs: 60_000 });
  const queued = exchange.ask('?', number, { timeoutMs: 60_000 });
  const both = Promise.allSettled([pending, queued]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await exchange.close();
  await exchange.close();
  for (const result of await both) assert.ok(result.status === 'rejected' && kind('gone')(result.reason));
  await assert.rejects(exchange.ask('?', number, { timeoutMs: 10 }), kind('gone'));
});

test('a command without reply is done when the line has taken it', async () => {
  const { exchange, asked } = line();
  await exchange.tell(Uint8Array.of(0xff, 1, 1), 5000);
  assert.deepEqual(asked, ['\xff\x01\x01']);
  await exchange.close();
});

test('a time-out says what was heard, without control characters', async () => {
  const { exchange, device } = line();
  device.on('data', () => device.write('\x1b[2Jhalf'));
  await assert.rejects(exchange.ask('?', number, { timeoutMs: 40 }), {
    message: 'box: no whole answer ("\\x1b[2Jhalf") within 40 ms',
  });
  await exchange.close();
  assert.equal(shownBytes('x'.repeat(100)).length, 60);
});

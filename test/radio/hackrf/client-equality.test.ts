import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import type { HackrfRadio } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { sweepFrequencies } from '../../../src/radio/hackrf/sweep.ts';
import { bench, passTime } from './emulated.ts';

/** What Debian's clients asked of the same emulated board (test/vectors/radio/README.md). */
type Asked =
  | {
      kind: 'control';
      requestType: number;
      request: number;
      value: number;
      index: number;
      length: number;
      data: string;
    }
  | { kind: 'in' | 'out'; endpoint: number; bytes: number };
const file = new URL('../../vectors/radio/hackrf-clients.json', import.meta.url);
const recorded = JSON.parse(readFileSync(file, 'utf8')) as { clients: { command: string; asked: Asked[] }[] };

/** One request as text; the data of OUT requests only, since replies are the board's. */
function controls(command: string): string[] {
  const { asked } = recorded.clients.find((client) => client.command === command)!;
  return asked.flatMap((a) =>
    a.kind === 'control' ? [text([a.request, a.value, a.index, a.data, a.requestType, a.length])] : [],
  );
}

function text([request, value, index, data, type, length]: [number, number, number, string, number, number]): string {
  return `${type.toString(16)} ${request} ${value} ${index} ${length} ${type < 0x80 ? data : ''}`.trim();
}

/**
 * Requests that we make and the clients do not: the bias tee (23, off unless named), M0 state (41), the limits (42, 43); the antenna switches (27) are
 * hackrf_info's. Mode off is sent twice by hackrf_transfer, once by us.
 */
const OURS = new Set([23, 41, 42, 43]);

async function ours(act: (radio: HackrfRadio) => Promise<void>): Promise<string[]> {
  const clock = new ManualAirClock();
  const made = bench({ apiVersion: 0x0107 }, { clock });
  const work = async (): Promise<void> => {
    const radio = await made.open({ patienceMs: 60_000 });
    made.requests.length = 0;
    await act(radio);
    await radio.close();
  };
  await passTime(clock, work());
  return onceOff(made.requests.filter(([request]) => !OURS.has(request)).map(text));
}

/** Repeated mode-off requests at the end as one. */
function onceOff(requests: readonly string[]): string[] {
  return requests.filter((request, i) => request !== '40 1 0 0 0' || requests[i - 1] !== request);
}

test('receiving asks what hackrf_transfer -r asks, in the same order', async () => {
  const requests = await ours(async (radio) => {
    const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 8e6, gainsDb: { lna: 16, vga: 20 } });
    for await (const _ of rx) break;
  });
  assert.deepEqual(requests, onceOff(controls('receive')));
});

test('transmitting asks what hackrf_transfer -t asks, and flushes as many bytes', async () => {
  const requests = await ours(async (radio) => {
    const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 8e6, gainsDb: { txvga: 20 } });
    await tx.write(new Float32Array(1000));
    await tx.close();
  });
  assert.deepEqual(requests, onceOff(controls('transmit')));
  const { asked } = recorded.clients.find((client) => client.command === 'transmit')!;
  const sizes = asked.flatMap((a) => (a.kind === 'out' ? [a.bytes] : []));
  // Padded to whole packets, then the flush: the rule of tx-run.ts.
  assert.equal(sizes.at(-1), 32_768);
  assert.equal(
    sizes.slice(0, -1).reduce((sum, bytes) => sum + bytes, 0),
    Math.ceil(1_000_000 / 512) * 512,
  );
});

test('opening asks what hackrf_info asks', async () => {
  const made = bench({ apiVersion: 0x0107 });
  const radio = await made.open({ patienceMs: 60_000 });
  await radio.close();
  const info = controls('hackrf_info').filter((request) => !request.startsWith('c0 27 '));
  // We stop the board before we ask; hackrf_info stops it at its end.
  assert.deepEqual(onceOff(made.requests.map(text)), ['40 1 0 0 0', ...info]);
});

test('sweeping asks what hackrf_sweep asks; frames name the frequencies of the plan', async () => {
  const plan = {
    rangesMhz: [{ low: 100, high: 200 }],
    stepHz: 20e6,
    offsetHz: 7.5e6,
    style: 'interleaved',
    blocksPerStep: 1,
  } as const;
  const seen: number[] = [];
  const requests = await ours(async (radio) => {
    const sweep = await radio.openSweep(plan, { rateHz: 20e6, bandwidthHz: 15e6, gainsDb: { lna: 16, vga: 20 } });
    for await (const frame of sweep) {
      seen.push(frame.frequencyHz);
      assert.equal(frame.samples.length, 16_384);
      if (seen.length === 16) break;
    }
  });
  // The trigger and the amplifier are set by us and left alone by hackrf_sweep.
  assert.deepEqual(
    requests.filter((request) => !/^40 (29|17) /.test(request)),
    onceOff(controls('sweep')),
  );
  const once = sweepFrequencies(plan);
  assert.deepEqual(seen, [...once, ...once].slice(0, 16));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchablePace } from '../../../src/experiment/steering/replay-command.ts';
import { PassGivenUp, ReplaySteering } from '../../../src/experiment/steering/replay-steering.ts';
import type { ReplayEvent } from '../../../src/link/telemetry.ts';
import type { SampleBlock } from '../../../src/radio/radio.ts';

const RATE = 1e6;
const BLOCK = 16_384;

/** A capture of 1 s that is only indices, on a clock that moves when somebody sleeps. */
function made(at: (nowMs: number, steering: ReplaySteering) => void = () => {}) {
  let nowMs = 0;
  const told: ReplayEvent[] = [];
  const notes: string[] = [];
  const stop = new AbortController();
  const steering: ReplaySteering = new ReplaySteering({
    rateHz: RATE,
    startIndex: 0,
    endIndex: RATE,
    speed: 1,
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
        at(nowMs, steering);
        assert.ok(nowMs < 60_000, 'it never ends');
      },
    },
    signal: stop.signal,
    tell: (event) => void told.push(event),
    note: (text) => void notes.push(text),
  });
  /** Runs all passes; calls `got` for every part. */
  const run = async (got: (part: SampleBlock, nowMs: number) => void = () => {}): Promise<number[]> => {
    const starts: number[] = [];
    while (steering.wanted) {
      const from = steering.begin();
      starts.push(from);
      try {
        for await (const part of steering.paced(blocks(from))) got(part, nowMs);
      } catch (error) {
        if (!(error instanceof PassGivenUp)) throw error;
      }
    }
    return starts;
  };
  const say = (action: string, value?: unknown) => steering.command(JSON.stringify({ action, value }));
  return { steering, told, notes, run, say, stop, now: () => nowMs };
}

async function* blocks(from: number): AsyncGenerator<SampleBlock> {
  for (let index = from; index < RATE; index += BLOCK) {
    const data = new Int8Array(2 * Math.min(BLOCK, RATE - index));
    yield { data, format: 'ci8', fullScale: 128, index, lostBefore: null, timestampNs: null };
  }
}

test("speed 1 is the capture's own time, 10 a tenth of it, 0 none; every sample comes once, in order", async () => {
  for (const [speed, lastsMs] of [
    [1, 1000],
    [10, 100],
    [0, 0],
  ]) {
    const { run, say, now, steering } = made();
    say('speed', speed);
    let next = 0;
    await run((part) => {
      assert.equal(part.index, next);
      next += part.data.length / 2;
    });
    assert.equal(next, RATE);
    assert.ok(Math.abs(now() - lastsMs) < 10, `${speed}: ${now()} ms`);
    assert.equal(steering.whole, true);
  }
});

test('pause holds until resume, and is told; nothing is made up for afterwards', async () => {
  let heldAt = -1;
  const { run, say, told, now } = made((ms, steering) => {
    if (ms > 5000) steering.command('{"action":"resume"}');
  });
  await run((part) => {
    if (part.index >= RATE / 2 && heldAt < 0) {
      heldAt = part.index;
      say('pause');
    } else if (heldAt > 0) assert.ok(now() > 5000);
  });
  assert.ok(told.some((e) => e.paused && Math.abs(e.positionS - 0.5) < 0.01));
  assert.ok(Math.abs(now() - 5500) < 50, `${now()} ms`);
});

test('step goes on until one more burst was heard', async () => {
  let heard = 0;
  const seen: number[] = [];
  const { run, say, steering } = made((ms) => {
    if (ms < 40_000 && ms % 1000 < 25) {
      seen.push(heard);
      if (heard < 3) say('step');
      else say('resume');
    }
  });
  say('pause');
  await run((part) => {
    // A burst ends in every tenth part.
    if (part.index > 0 && (part.index / 4096) % 10 < 1) {
      heard++;
      steering.heard();
    }
  });
  assert.deepEqual(seen.slice(0, 4), [0, 1, 2, 3]);
});

test('a seek gives the pass up and begins another there; a loop repeats until it is ended', async () => {
  const { run, say, steering } = made();
  say('speed', 100);
  let asked = false;
  const starts = await run((part) => {
    if (part.index > 0.2 * RATE && !asked) {
      asked = true;
      say('seek', 0.75);
    }
  });
  assert.deepEqual([starts, steering.whole], [[0, 750_000], false]);

  const again = made();
  again.say('speed', 0);
  again.say('loop', [0.25, 1]);
  let rounds = 0;
  const looped = await again.run((part) => {
    if (part.index === 0.25 * RATE && ++rounds === 3) again.say('loop', null);
  });
  assert.deepEqual([looped, again.steering.whole], [[0, 250_000, 250_000, 250_000], false]);
});

test('sent back to its first sample and left to run, it has heard the whole; a loop over all of it, too', async () => {
  const { run, say, steering } = made();
  say('speed', 0);
  const asks = [0.75, 0.5, 0];
  const starts = await run((part) => {
    if (part.index % (RATE / 4) < BLOCK && asks.length > 0) say('seek', asks.shift());
  });
  assert.deepEqual([starts.at(-1), steering.whole], [0, true]);

  const looped = made();
  looped.say('speed', 0);
  looped.say('loop', [0, 1]);
  let rounds = 0;
  await looped.run((part) => {
    if (part.index === 0 && ++rounds === 2) looped.say('loop', null);
  });
  assert.deepEqual([rounds, looped.steering.whole], [2, true]);
});

test('a paused replay can be sent elsewhere, held at its end too; stop ends it', async () => {
  const { run, say, stop, steering } = made((ms) => {
    if (ms > 3000) stop.abort();
    else if (ms > 2000) say('seek', 0.5);
  });
  say('speed', 0);
  const starts = await run((part) => {
    if (part.index + part.data.length / 2 === RATE) say('pause');
  });
  assert.ok(starts.length > 1 && starts.slice(1).every((s) => s === 500_000));
  assert.deepEqual([steering.wanted, steering.whole], [false, false]);
});

test('commands that make no sense are ignored with a line, twenty at most', async () => {
  const { run, say, steering, notes } = made();
  const bad = ['', 'x', '[]', 'null', '{}', '{"action":"seek"}', '{"action":"seek","value":"1"}', 'a'.repeat(5000)];
  for (const line of bad) steering.command(line);
  for (const value of [-1, 1.5, null]) say('seek', value);
  for (const value of [0.0005, 101, -1]) say('speed', value);
  for (const value of [[0, 0], [1, 0], [0, 2], [0], 'x']) say('loop', value);
  assert.equal(notes.length, 19);
  for (let i = 0; i < 1000; i++) steering.command('x');
  assert.equal(notes.length, 20);
  assert.deepEqual(await run(), [0]);
  assert.equal(steering.whole, true);
});

test('when commands end, a replay that is held or loops goes on to its end', async () => {
  const { run, say, steering } = made((ms) => {
    if (ms > 1000) steering.commandsEnded();
  });
  say('loop', [0, 1]);
  say('pause');
  assert.deepEqual(await run(), [0]);
});

test('a capture that would be over at once begins slowly', () => {
  for (const [spanS, pace] of [
    [3600, 1],
    [5, 1],
    [4.9, 0.5],
    [0.1, 0.02],
    [0.035, 0.005],
    [1e-6, 1e-3],
  ]) {
    assert.equal(watchablePace(spanS), pace, `${spanS} s`);
  }
});

test('what is told before the first sample stands at the first sample', () => {
  const told: ReplayEvent[] = [];
  const steering = new ReplaySteering({
    rateHz: RATE,
    startIndex: 0.25 * RATE,
    endIndex: RATE,
    speed: 1,
    signal: new AbortController().signal,
    clock: { nowMs: () => 0, sleep: async () => {} },
    tell: (event) => void told.push(event),
    note: () => {},
  });
  steering.command('{"action":"pause"}');
  assert.deepEqual(
    told.map(({ positionS, lengthS, paused }) => [positionS, lengthS, paused]),
    [[0.25, 1, true]],
  );
});

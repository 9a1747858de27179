import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { DeadlinePolicy, UsualTime } from '../../../src/link/video/deadline.ts';
import { FrameClock } from '../../../src/link/video/frame-clock.ts';
import {
  type CapturedFrame,
  type CodedFrame,
  type DropReason,
  VideoSender,
} from '../../../src/link/video/video-sender.ts';

interface Coded extends CodedFrame<CapturedFrame> {
  readonly frame: CapturedFrame;
}

/** A sender whose clock and steps are set by hand. */
function sender({ deadlineMs = 120, airMs = 14, startDelayMs = 0 } = {}) {
  const clock = { nowMs: 0 };
  const policy = new DeadlinePolicy(deadlineMs);
  const coding: { frame: CapturedFrame; done: (coded: Coded) => void; fail: (error: Error) => void }[] = [];
  const sent: { number: number; startMs: number }[] = [];
  const dropped: { number: number; reason: DropReason }[] = [];
  const failures: unknown[] = [];
  const video = new VideoSender<CapturedFrame, Coded>(
    {
      policy,
      coder: { code: (frame) => new Promise((done, fail) => coding.push({ frame, done, fail })) },
      air: {
        place: async (_, latestMs) => {
          const startMs = clock.nowMs + startDelayMs;
          return startMs <= latestMs ? startMs : null;
        },
      },
      nowMs: () => clock.nowMs,
      sent: ({ frame }, startMs) => sent.push({ number: frame.number, startMs }),
      dropped: ({ number }, reason) => dropped.push({ number, reason }),
      failed: (error) => failures.push(error),
    },
    airMs,
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    policy,
    coding,
    sent,
    dropped,
    failures,
    video,
    offer: async (number: number, capturedMs: number) => {
      video.offer({ number, capturedMs });
      await turn();
    },
    finish: async () => {
      const { frame, done } = coding.shift()!;
      done({ frame, airMs });
      await turn();
    },
  };
}

describe('VideoSender', () => {
  it('codes a frame and puts it on the air at once', async () => {
    const s = sender();
    await s.offer(0, 0);
    s.clock.nowMs = 20;
    await s.finish();
    await s.video.idle();
    assert.deepEqual(s.sent, [{ number: 0, startMs: 20 }]);
    assert.deepEqual(s.video.counts, { captured: 1, sent: 1, dropped: 0 });
  });

  it('lets no queue grow: of the frames that come while one is coded only the newest is kept', async () => {
    const s = sender({ deadlineMs: 1000 });
    await s.offer(0, 0);
    for (let n = 1; n <= 5; n++) await s.offer(n, n * 10);
    assert.equal(s.coding.length, 1);
    s.clock.nowMs = 60;
    await s.finish();
    assert.deepEqual(
      s.coding.map((c) => c.frame.number),
      [5],
    );
    assert.deepEqual(
      s.dropped,
      [1, 2, 3, 4].map((number) => ({ number, reason: 'superseded' })),
    );
    await s.finish();
    await s.video.idle();
    assert.deepEqual(
      s.sent.map((f) => f.number),
      [0, 5],
    );
    assert.deepEqual(s.video.counts, { captured: 6, sent: 2, dropped: 4 });
  });

  it('does not begin what cannot be shown in time any more', async () => {
    const s = sender();
    s.clock.nowMs = 110;
    await s.offer(0, 0);
    assert.equal(s.coding.length, 0);
    assert.deepEqual(s.dropped, [{ number: 0, reason: 'no-time-to-code' }]);
  });

  it('drops a frame whose slot has gone by while it was coded', async () => {
    const s = sender();
    await s.offer(0, 0);
    s.clock.nowMs = 119;
    await s.finish();
    await s.video.idle();
    assert.deepEqual(s.dropped, [{ number: 0, reason: 'missed-its-slot' }]);
    assert.equal(s.video.counts.sent, 0);
  });

  it('tries again after a slow spell: what is expected wears off', async () => {
    const s = sender();
    await s.offer(0, 0);
    s.clock.nowMs = 2000;
    await s.finish();
    let tried = -1;
    for (let n = 1; n < 200 && tried < 0; n++) {
      s.clock.nowMs = 2000 + n * 33;
      await s.offer(n, s.clock.nowMs);
      if (s.coding.length > 0) tried = n;
    }
    assert.ok(tried > 1 && tried < 100, `tried again at frame ${tried}`);
  });

  it('tells of a coder that fails, and drops what waits when it is stopped', async () => {
    const s = sender();
    await s.offer(0, 0);
    await s.offer(1, 10);
    s.video.stop();
    s.coding.shift()!.fail(new Error('broken'));
    await s.video.idle();
    assert.match(String(s.failures[0]), /broken/);
    assert.deepEqual(s.dropped, [{ number: 1, reason: 'superseded' }]);
  });
});

describe('DeadlinePolicy', () => {
  it('reckons back from the deadline: air time and what the receiver usually takes', () => {
    const policy = new DeadlinePolicy(120);
    for (let i = 0; i < 200; i++) {
      policy.receiving.add(20);
      policy.coding.add(15);
    }
    assert.ok(Math.abs(policy.onAirBy(1000, 14) - (1120 - 14 - 20)) < 1e-6);
    assert.ok(policy.canCode(1000, 14, 1070));
    assert.ok(!policy.canCode(1000, 14, 1072));
    assert.ok(!policy.isLate(1000, 1120));
    assert.ok(policy.isLate(1000, 1120.5));
  });

  it('keeps a distance where times scatter, and refuses deadlines out of range', () => {
    const usual = new UsualTime(5);
    for (let i = 0; i < 400; i++) usual.add(i % 2 ? 10 : 20);
    assert.ok(usual.ms > 20 && usual.ms < 30, `${usual.ms}`);
    usual.add(Number.NaN);
    usual.add(-1);
    assert.ok(Number.isFinite(usual.ms));
    for (const ms of [19, 10_001, Number.NaN]) assert.throws(() => new DeadlinePolicy(ms), UsageError);
  });
});

describe('FrameClock', () => {
  it('has frame n at n periods, also after hours: no error adds up', () => {
    for (const fps of [30, 29.97, 7]) {
      const clock = new FrameClock(fps, 1.7e12);
      for (const n of [-60, 0, 1, 29, 30, 1_078_920]) {
        assert.ok(Math.abs(clock.captureMs(n) - 1.7e12 - (1e3 * n) / fps) < 1e-3);
      }
    }
    assert.throws(() => new FrameClock(0, 0), /allowed 0.1 to 120/);
  });
});

// Two hosts with a network between them that delays and loses packets: the way back over WebSocket and NATS, and pushes.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ExitCode } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import type { ClockEstimate } from '../../src/link/clock-offset.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { BIN, scratch, startSct } from '../cli/helpers.ts';
import { smallPhoto } from '../e2e/small-photo.ts';
import { NO_NATS } from '../nats-server.ts';
import { CUT, LossyNetwork, NETEM, whyNoNetwork } from './lossy-network.ts';
import { type Running, runIn } from './network-process.ts';

const END = fileURLToPath(new URL('../link/feedback-end.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOKEN = '0123456789abcdef0123456789abcdef';
const MESSAGES = 200;
/** An end that nobody stops ends after so long, ms. */
const MOST_MS = 150_000;
const CARRIER_HZ = 868.3e6;
const PPM = [20, -15];
const BOARD = (n: number) => `hackrf:0000000000000000e5c700000000000${n}?usbip=unix:./boards`;
/**
 * Emulated seconds in a second: what most machines hold, then less. Slower yet, and the boards' own buffers (0.15 s of theirs) are longer
 * than a sender waits for a report (3 s of ours). At each a machine may be too slow: to take the samples, or to answer in those 3 s.
 */
const SPEEDS = [0.2, 0.1, 0.1];
/** Which of them this machine holds, as far as it is known. */
let firstSpeed = 0;
/** For a receiver to decode what came, after its sender has ended; one that heard nothing waits for ever, ms. */
const RECEIVER_MS = 30_000;
/** A cut that no connection survives by chance, ms; less than a sender waits for its receiver. */
const CUT_MS = 6000;
const MODEM = `-f ${CARRIER_HZ} --numerology 6 --feedback-token token --json`.split(' ');
const PICTURE = '--codec classical --format jpeg --cbr 1/4 --max-csi-age 60000 --tx-gain 40 --cabled 60'.split(' ');

/** By how much the hosts' clocks are put wrong, and what the starts of two processes are off on one clock, ms. */
const SHIFTS_MS = [0, 7000];
const STARTS_MS = 1;
/** Of a round trip, as NETEM draws it. */
const LEAST_DELAY_MS = 59;

/** How a way back is reached from both ends. */
interface Way {
  readonly name: string;
  readonly receiver: string;
  readonly sender: string;
}

const missing = whyNoNetwork() ?? false;

test(`two hosts, ${NETEM} each way`, { skip: missing, timeout: 600_000 }, async (t) => {
  const network = await LossyNetwork.open();
  t.after(() => network.close());
  const [near] = network.hosts;
  const ways: Way[] = [
    { name: 'WebSocket', receiver: `ws://${near.address}:8470`, sender: `ws://${near.address}:8470` },
  ];
  if (NO_NATS === false) {
    const server = runIn(near, 'nats-server', ['-a', '0.0.0.0', '-p', '4222']);
    t.after(() => server.kill());
    await server.says(/Server is ready/);
    ways.push({ name: 'NATS', receiver: 'nats://127.0.0.1/roof', sender: `nats://${near.address}/roof` });
  } else t.diagnostic(NO_NATS);
  const names = ways.map(({ name }) => name).join(' and ');
  await t.test(`${names}: every report of both ends, in order, whatever packets are lost`, async (s) => {
    await Promise.all(ways.map((way) => exchange(s, network, way)));
  });
  await t.test(`${names}: the cable is cut for ${CUT_MS / 1e3} s: reports go on by themselves, in order`, (s) =>
    cutExchanges(s, network, ways),
  );
  for (const way of ways) {
    await t.test(`${way.name}: a picture from board to board by CSI report, acknowledgements and what is held`, (s) =>
      picture(s, network, way),
    );
    await t.test(`${way.name}: a push goes on after a cut, and every byte travels about once`, (s) =>
      push(s, network, way),
    );
  }
  const counters = await network.counters();
  for (const { sentPackets, droppedPackets } of counters) {
    assert.ok(droppedPackets > 0.02 * sentPackets, `${droppedPackets} of ${sentPackets} packets were lost`);
  }
  t.diagnostic(`packets sent and lost each way: ${JSON.stringify(counters)}`);
});

/** What an end of a way back has heard and said when it ended. */
interface Said {
  readonly heard: number[];
  readonly said: number;
  readonly counters: Record<string, number>;
  readonly clock: ClockEstimate;
}

/** Both ends of a way back: each says numbered reports, `messages` of them, or until the file is there. */
function twoEnds(network: LossyNetwork, way: Way, messages: number, endFile?: string): [Running, Running] {
  const end = (host: 0 | 1, role: string, url: string) =>
    runIn(network.hosts[host], process.execPath, ['--import', 'tsx', END, role, url, String(messages)], {
      cwd: ROOT,
      env: {
        SCT_FEEDBACK_TOKEN: TOKEN,
        SCT_FEEDBACK_END_MS: String(MOST_MS),
        SCT_FEEDBACK_END_SHIFT_MS: String(SHIFTS_MS[host]),
        ...(endFile === undefined ? {} : { SCT_FEEDBACK_END_FILE: endFile }),
      },
    });
  return [end(0, 'receiver', way.receiver), end(1, 'sender', way.sender)];
}

/** What they say in the end; by then each knows by how much the other's clock is off. */
async function saidBy(t: TestContext, way: Way, ends: readonly Running[]): Promise<Said[]> {
  const said: Said[] = [];
  for (const end of ends) {
    const { code, stdout, stderr } = await end.ended;
    assert.equal(code, 0, stderr);
    said.push(JSON.parse(stdout));
  }
  for (const [i, { clock }] of said.entries()) {
    const errorMs = Math.abs(clock.offsetMs - (SHIFTS_MS[1 - i] - SHIFTS_MS[i]));
    assert.ok(errorMs <= clock.uncertaintyMs + STARTS_MS, JSON.stringify(clock));
    assert.ok(clock.delayMs >= LEAST_DELAY_MS, `a round trip of ${clock.delayMs} ms`);
  }
  t.diagnostic(`${way.name}: ${said.map(({ counters, clock }) => JSON.stringify({ ...counters, clock })).join(' ')}`);
  return said;
}

/** Numbered reports both ways. */
async function exchange(t: TestContext, network: LossyNetwork, way: Way): Promise<void> {
  const all = Array.from({ length: MESSAGES }, (_, n) => n);
  for (const { heard } of await saidBy(t, way, twoEnds(network, way, MESSAGES))) assert.deepEqual(heard, all);
}

/** The same over every way, with the network cut in the middle; they speak until each has heard what was said after the cut. */
async function cutExchanges(t: TestContext, network: LossyNetwork, ways: readonly Way[]): Promise<void> {
  const endFile = join(await scratch(t), 'end');
  const pairs = ways.map((way) => twoEnds(network, way, 2 ** 16 - 1, endFile));
  const all = pairs.flat();
  let ended: unknown = null;
  for (const end of all) void end.ended.then((how) => void (ended ??= how));
  const until = async (done: () => boolean) => {
    for (; !done(); await new Promise((resolve) => setTimeout(resolve, 50)))
      assert.equal(ended, null, 'an end has ended by itself');
  };
  await until(() => all.every((end) => end.last('said') >= 50 && end.last('heard') >= 50));
  await cutFor(network, CUT_MS);
  // What an end says is printed at every 50th.
  const least = pairs.map((pair) => pair.map((end) => end.last('said') + 100));
  await until(() => pairs.every((pair, w) => pair.every((end, i) => end.last('heard') >= least[w][1 - i])));
  writeFileSync(endFile, '');
  for (const [w, pair] of pairs.entries()) {
    for (const { heard, counters } of await saidBy(t, ways[w], pair)) {
      // What was under way when a connection broke is lost; the order stays.
      assert.ok(heard.every((n, at) => at === 0 || n > heard[at - 1]));
      assert.ok(counters.received >= heard.length);
    }
  }
}

async function cutFor(network: LossyNetwork, ms: number): Promise<void> {
  await network.both(CUT);
  await new Promise((resolve) => setTimeout(resolve, ms));
  await network.both(NETEM);
}

/** sct receive on one host, sct send on the other, emulated boards between them. */
async function picture(t: TestContext, network: LossyNetwork, way: Way): Promise<void> {
  const cwd = await scratch(t);
  writeFileSync(join(cwd, 'token'), TOKEN);
  await smallPhoto(join(cwd, 'photo.png'), 128, 96);
  for (let attempt = firstSpeed; attempt < SPEEDS.length; attempt++) {
    const speed = SPEEDS[attempt];
    const air = ['--usbip', './boards', '--ppm', PPM.join(), '--path-loss', '60', '--speed', String(speed)];
    const boards = startSct(['emulate', 'hackrf', 'hackrf', ...air], cwd);
    t.after(() => boards.kill('SIGKILL'));
    await boards.stderrMatches(/2 boards/);
    const from = ['receive', '--from', BOARD(2), '-n', '1', '--reference', 'photo.png', '--feedback', way.receiver];
    const receiver = runIn(network.hosts[0], process.execPath, [BIN, ...from, ...MODEM, '-o', `rx-${attempt}`], {
      cwd,
    });
    await receiver.says(/feedback at/);
    const to = ['send', 'photo.png', '--to', BOARD(1), '--feedback', way.sender, ...MODEM, ...PICTURE];
    const sender = runIn(network.hosts[1], process.execPath, [BIN, ...to, '-o', `tx-${attempt}`], { cwd });
    const sent = await sender.ended;
    const giveUp = setTimeout(() => receiver.kill('SIGINT'), RECEIVER_MS);
    const received = await receiver.ended;
    clearTimeout(giveUp);
    boards.kill('SIGINT');
    await boards.ended;
    const at = JSON.parse(received.stdout || '{}');
    const plan = JSON.parse(sent.stdout || '{}');
    const late = at.lostSamples > 0 || sent.code === ExitCode.noSignal || plan.mapping === 'robust';
    if (late && attempt < SPEEDS.length - 1) {
      t.diagnostic(`at ${speed} of real time: ${at.lostSamples ?? '?'} samples lost, mapping ${plan.mapping ?? '?'}`);
      continue;
    }
    assert.deepEqual([sent.code, received.code], [0, 0], sent.stderr + received.stderr);
    assert.notEqual(plan.mapping, 'robust', 'no report came back');
    assert.ok(plan.csiAgeMs > 0);
    assert.ok(at.ok && at.psnrDb > 30, `${at.psnrDb} dB`);
    const expectedHz = (CARRIER_HZ * (PPM[0] - PPM[1])) / 1e6;
    assert.ok(Math.abs(at.cfoHz - expectedHz) < 100, `CFO ${at.cfoHz} Hz, the clocks say ${expectedHz} Hz`);
    firstSpeed = Math.min(attempt, SPEEDS.length - 2);
    t.diagnostic(`${at.psnrDb.toFixed(1)} dB at ${speed} of real time, report ${plan.csiAgeMs.toFixed(0)} ms old`);
    return;
  }
}

/** sct models push to sct models accept, with a cut in the middle. */
async function push(t: TestContext, network: LossyNetwork, way: Way): Promise<void> {
  const cwd = await scratch(t);
  writeFileSync(join(cwd, 'token'), TOKEN);
  writeFileSync(
    join(cwd, 'street.png'),
    await encodePng(rgbImage(800, 800, new RandomStream('street').bytes(3 * 800 * 800))),
  );
  const secret = ['--feedback-token', 'token', '--json'];
  const run = (host: 0 | 1, words: string[]): Running =>
    runIn(network.hosts[host], process.execPath, [BIN, 'models', ...words, ...secret], { cwd });
  const accepting = run(0, ['accept', '--feedback', way.receiver, '--pushed', 'pushed', '-n', '1']);
  await accepting.says(/pushes are taken/);
  const pushing = run(1, ['push', 'street.png', '--feedback', way.sender]);
  const arriving = join(cwd, 'pushed', 'arriving');
  const arrived = () => {
    const [sha256] = existsSync(arriving) ? readdirSync(arriving) : [];
    return sha256 ? (statSync(join(arriving, sha256, '0.part'), { throwIfNoEntry: false })?.size ?? 0) : 0;
  };
  let over = false;
  void pushing.ended.then(() => {
    over = true;
  });
  while (arrived() < 400_000 && !over) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(!over, 'it is in the middle');
  await cutFor(network, CUT_MS);
  const { code, stdout, stderr } = await pushing.ended;
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.equal(report.state, 'waiting');
  assert.equal((await accepting.ended).code, 0);
  assert.ok(existsSync(join(cwd, 'pushed', 'held', report.sha256, 'picture.png')));
  t.diagnostic(`${report.bytes} bytes, ${report.sentBytes} sent over ${report.connections} connections`);
}

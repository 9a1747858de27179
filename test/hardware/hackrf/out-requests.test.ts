import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HackrfBoard } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { openBoard, words } from './helpers.ts';

/** SET_FREQ_EXPLICIT: IF 2.5 GHz, LO 1 GHz, high pass. */
const explicit = () => {
  const view = new DataView(new ArrayBuffer(17));
  view.setBigUint64(0, 2_500_000_000n, true);
  view.setBigUint64(8, 1_000_000_000n, true);
  view.setUint8(16, 2);
  return new Uint8Array(view.buffer);
};

/** What the board shows of a request that it took; absent: it has nothing that would change (no Opera Cake, no sound). */
interface Row {
  readonly request: number;
  readonly words?: readonly [value: number, index: number];
  readonly data?: Uint8Array;
  /** First USB API version that has it, where it is younger than the oldest firmware that is emulated (0106). */
  readonly since?: number;
  readonly shows?: (board: HackrfBoard) => unknown;
  readonly wanted?: unknown;
}

/** Every vendor request to the board of the facts (numbers and data as libhackrf sends them), each with an example. */
const ROWS: readonly Row[] = [
  { request: 1, words: [1, 0], shows: (b) => b.inspect().mode, wanted: 'rx' },
  { request: 2, words: [0x155, 3], shows: (b) => b.chips.max2837[3], wanted: 0x155 },
  { request: 4, words: [0x5a, 9], shows: (b) => b.chips.si5351c[9], wanted: 0x5a },
  { request: 6, data: words(24_000_000, 3), shows: (b) => b.settings.rateHz, wanted: 8e6 },
  { request: 7, words: [3_500_000 & 0xffff, 3_500_000 >> 16], shows: (b) => b.settings.filterHz, wanted: 3.5e6 },
  { request: 8, words: [0xbeef, 30], shows: (b) => b.chips.rffc5071[30], wanted: 0xbeef },
  {
    request: 11,
    words: [0, 0x100],
    data: Uint8Array.of(1, 2),
    shows: (b) => [...b.chips.readFlash(0x100, 2)],
    wanted: [1, 2],
  },
  { request: 10, shows: (b) => b.chips.readFlash(0x100, 1)[0], wanted: 0xff },
  { request: 16, data: words(868, 300_000), shows: (b) => b.settings.frequencyHz, wanted: 868.3e6 },
  { request: 17, words: [1, 0], shows: (b) => b.settings.amp, wanted: true },
  { request: 23, words: [1, 0], shows: (b) => b.settings.biasTee, wanted: true },
  { request: 24, data: explicit(), shows: (b) => b.settings.frequencyHz, wanted: 3.5e9 },
  {
    request: 26, // one range from 100 to 120 MHz in steps of 20 MHz with an offset of 7.5 MHz, a block of 16 384 bytes each
    words: [0x4000, 0],
    data: Uint8Array.of(...words(20_000_000, 7_500_000), 0, 100, 0, 120, 0),
    shows: (b) => b.settings.frequencyHz,
    wanted: 107.5e6,
  },
  { request: 28, words: [0, 0x0500] },
  { request: 29, words: [1, 0], shows: (b) => b.settings.hardwareTrigger, wanted: true },
  { request: 31, data: Uint8Array.of(100, 0, 232, 3, 4) },
  { request: 32, words: [1, 0], shows: (b) => b.settings.clkout, wanted: true },
  { request: 34 },
  { request: 37, words: [0, 0], shows: (b) => b.settings.uiEnabled, wanted: false },
  { request: 38, words: [2, 2] },
  { request: 40, data: Uint8Array.of(232, 3, 0, 0, 3) },
  { request: 42, words: [0x0900, 0x3d], shows: (b) => b.settings.txUnderrunLimit, wanted: 0x3d0900 },
  { request: 43, words: [0x0001, 0x2], shows: (b) => b.settings.rxOverrunLimit, wanted: 0x20001 },
  { request: 47, words: [5, 0], since: 0x0107, shows: (b) => b.settings.leds, wanted: 5 },
  { request: 48, words: [0x20 | 0x18, 0], since: 0x0108 },
  { request: 58, words: [0, 1], since: 0x0109 },
  {
    request: 59,
    words: [0, 1],
    data: Uint8Array.of(12, 24, 0, 0, 0, 0, 0, 0, 0),
    since: 0x0111,
    shows: (b) => b.settings.lnaDb,
    wanted: 24,
  },
  { request: 30, shows: (b) => b.inspect().plugged, wanted: true },
];
/** To the FPGA and the sockets of a HackRF Pro, which a HackRF One has not. */
const PRO = [49, 51, 52, 53, 54, 55];
/** Questions and holes in the numbers. */
const NOT_TO_THE_BOARD = [
  3, 5, 9, 12, 13, 14, 15, 18, 19, 20, 21, 22, 25, 27, 33, 35, 36, 39, 41, 44, 45, 46, 50, 56, 57, 60, 61,
];

test('every number up to the last is a request to the board, a question, one for another board, or free', () => {
  const numbers = [...ROWS.map(({ request }) => request), ...PRO, ...NOT_TO_THE_BOARD].sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: 61 }, (_, i) => i + 1),
  );
});

for (const apiVersion of [0x0106, 0x0107, 0x0108, 0x0109, 0x0111, 0x0112]) {
  test(`requests to a board with API ${apiVersion.toString(16)}: taken and done, or refused where they are younger`, async () => {
    const { out, board } = await openBoard({ apiVersion });
    for (const { request, words: [value, index] = [0, 0], data, since = 0, shows, wanted } of ROWS) {
      const sent = out(request, value, index, data);
      if (apiVersion < since) await assert.rejects(sent, { kind: 'stall' }, `request ${request}`);
      else {
        await sent;
        assert.deepEqual(shows?.(board), wanted, `request ${request}`);
        if (request === 1) await out(1, 0);
      }
    }
    for (const request of [...PRO, ...NOT_TO_THE_BOARD]) {
      await assert.rejects(out(request, 0, 0), { kind: 'stall' }, `request ${request}`);
    }
    for (const mode of [3, 6]) await assert.rejects(out(1, mode), { kind: 'stall' }, `mode ${mode}`);
  });
}

// Runs in the guest: our own driver receives from an emulated board, which counts its samples in place of the air.
//   node guest-driver.js [URI [RATE_HZ]]        default: the HackRF of the guest's USB, at 8 Msps
// The last line of output is JSON: where samples are missing in truth, and what the driver said of it.
import { openRadio } from '../../dist/src/radio/open-radio.js';

const SAMPLES = 400_000;
/** Losses are told after the next look at the board's counters, ten times a second; this is for the slowest guest. */
const TOLD_MS = 60_000;

const radio = await openRadio(process.argv[2] ?? 'hackrf');
const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: Number(process.argv[3] ?? 8e6) });
/** Bits of a sample's number in each of I and Q: whole bytes of a HackRF, what a Pluto's 12-bit words hold without sign. */
const bits = rx.settings.format === 'ci8' ? 8 : 11;
const mask = 2 ** bits - 1;
const turn = 2 ** (2 * bits);
const jumps = [];
const records = [];
let heard = 0;
let expected = null;
let end = null;
for await (const { data, index, lostBefore } of rx) {
  if (lostBefore) records.push(lostBefore);
  for (let n = 0; n < data.length / 2 && heard < SAMPLES; n++, heard++) {
    const value = (data[2 * n] & mask) | ((data[2 * n + 1] & mask) << bits);
    if (expected !== null && value !== expected)
      jumps.push({ index: index + n, missing: (value - expected + turn) % turn });
    expected = (value + 1) % turn;
  }
  if (heard < SAMPLES) continue;
  end ??= performance.now() + TOLD_MS;
  const isTold = (jump) => records.some(({ from, to }) => from <= jump.index && jump.index <= to);
  if (jumps.every(isTold) || performance.now() > end) break;
}
const { uri } = radio;
const { rateHz } = rx.settings;
await rx.close();
await radio.close();
process.stdout.write(`${JSON.stringify({ uri, heard, rateHz, jumps, records })}\n`);

// Runs in the guest: our own driver, over libusb and the kernel, receives from the emulated HackRF a counter in place of the air.
//   node guest-driver.js [URI]
// The last line of output is JSON: where samples are missing in truth, and what the driver said of it.
import { openRadio } from '../../dist/src/radio/open-radio.js';

const SAMPLES = 400_000;
/** Losses are told after the next look at the board's counters; this is many looks. */
const LOOKS_MS = 3000;

const radio = await openRadio(process.argv[2] ?? 'hackrf');
const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 8e6 });
const jumps = [];
const records = [];
let heard = 0;
let expected = null;
let end = null;
for await (const { data, index, lostBefore } of rx) {
  if (lostBefore) records.push(lostBefore);
  for (let n = 0; n < data.length / 2 && heard < SAMPLES; n++, heard++) {
    const value = (data[2 * n] & 0xff) | ((data[2 * n + 1] & 0xff) << 8);
    if (expected !== null && value !== expected) jumps.push({ index: index + n, missing: (value - expected) & 0xffff });
    expected = (value + 1) & 0xffff;
  }
  if (heard >= SAMPLES) end ??= performance.now() + LOOKS_MS;
  if (end !== null && performance.now() > end) break;
}
const { uri } = radio;
const { rateHz } = rx.settings;
await rx.close();
await radio.close();
process.stdout.write(`${JSON.stringify({ uri, heard, rateHz, jumps, records })}\n`);

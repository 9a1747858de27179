// One end of a way back between hosts, run in a network of its own by two-hosts.test.ts: says numbered messages for a while, prints what it heard.
//   node --import tsx test/link/feedback-end.ts sender|receiver URL MESSAGES
// SCT_FEEDBACK_END_SHIFT_MS: by how much its clock is wrong. SCT_FEEDBACK_END_FILE: it goes on until this file is there.

import { existsSync } from 'node:fs';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { openSocket } from '../../src/experiment/ota/feedback.ts';
import { steadyNowMs } from '../../src/link/clock-offset.ts';
import { encodeCsiMessage } from '../../src/link/reverse/reverse-messages.ts';

const EVERY_MS = 20;
/** It ends after so long, whatever it has heard. */
const MOST_MS = Number(process.env.SCT_FEEDBACK_END_MS ?? 60_000);
const SHIFT_MS = Number(process.env.SCT_FEEDBACK_END_SHIFT_MS ?? 0);

const END_FILE = process.env.SCT_FEEDBACK_END_FILE;

const [role, url, messages] = process.argv.slice(2);
const config = resolveLinkConfig({ feedback: url });
const socket = await openSocket(config, role === 'receiver' ? 'receiver' : 'sender', {
  nowMs: () => steadyNowMs() + SHIFT_MS,
});
const most = Number(messages);
const heard: number[] = [];
const started = performance.now();
let said = 0;
const isOver = () => (END_FILE === undefined ? heard.length >= most && said >= most : existsSync(END_FILE));
while (performance.now() - started < MOST_MS && !isOver()) {
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  for (const message of socket.receive()) {
    heard.push(Buffer.from(message).readUInt16BE(message.length - 4));
    if (heard.length % 25 === 0) process.stderr.write(`heard ${heard.at(-1)}\n`);
  }
  if (!socket.connected || said >= most) continue;
  // A CSI report of 25 subbands, the number in its last two.
  const codes = new Uint8Array(25);
  codes[23] = said >> 8;
  codes[24] = said & 0xff;
  socket.send(encodeCsiMessage({ number: 1 + (said % 63), session: 1, burst: 1, codes }));
  said++;
  if (said % 50 === 0) process.stderr.write(`said ${said}\n`);
}
// The other end may still be waiting for its last.
await new Promise((resolve) => setTimeout(resolve, 1000));
await socket.close();
process.stdout.write(`${JSON.stringify({ heard, said, counters: socket.counters, clock: socket.clock() })}\n`);

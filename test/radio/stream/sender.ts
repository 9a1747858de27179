import { openWorkerBoard } from '../../../src/radio/stream/worker-host.ts';
import type { BoardSpec } from '../../../src/radio/usb/bus.ts';
import { ECHO } from '../usb/counter-device.ts';

/** A program that sends and ends without closing anything, in the way that its second argument says. */
const [spec, how] = [JSON.parse(process.argv[2]) as BoardSpec, process.argv[3]];
const board = await openWorkerBoard(spec);
await board.setFarewell([{ requestType: 0x40, request: ECHO, value: 0xdead, index: 0 }]);
const queue = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 2, stallMs: 0 });
void queue.write(new Uint8Array(4096));
await board.controlOut({ requestType: 0x40, request: ECHO, value: 1, index: 0 });
if (how === 'exit') process.exit(0);
setTimeout(() => {
  throw new Error('failed on purpose');
}, 1);

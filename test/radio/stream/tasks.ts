import type { TaskContext } from '../../../src/radio/stream/stream-board.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { counterBytes } from '../usb/counter-device.ts';

/** A task for tests: does what its parameter says. */
export async function runTask(context: TaskContext): Promise<void> {
  const { signal, parameters } = context;
  if (parameters === 'fail') throw new UsbError('stall', 'refused in the task', 'do it otherwise');
  if (parameters === 'crash') setTimeout(() => assertNothing(), 1);
  for (let index = 0; !signal.aborted; index += 100) {
    if (index < 1000) context.push(counterBytes(index, 100));
    context.pushSide({ tag: 5, data: null, fromIndex: index, toIndex: context.endIndex, askedNs: 0n, timeNs: 0n });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function assertNothing(): never {
  throw new Error('crashed on purpose');
}

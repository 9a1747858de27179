import type { BoardSpec } from '../usb/bus-spec.ts';
import { BoardThread } from './board-thread.ts';
import type { StreamBoard, StreamThread } from './stream-board.ts';
import { WorkerBoard } from './worker-board.ts';

/** Opens a board in a worker thread of its own. UsbError: none there, several, busy, permission, no library. */
export async function openWorkerBoard(spec: BoardSpec): Promise<StreamBoard> {
  const { host, board, interfaces } = await BoardThread.start(spec);
  return new WorkerBoard(host, board!, interfaces);
}

/** A worker thread for tasks without a USB board. */
export async function openWorkerThread(): Promise<StreamThread> {
  const { host } = await BoardThread.start(null);
  return new WorkerBoard(host, null, []);
}

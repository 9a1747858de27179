import type { BoardSpec } from '../usb/bus.ts';
import type { StreamBoard, StreamThread } from './stream-board.ts';

/** Opens a board in a worker thread of its own. UsbError: none there, several, busy, permission, no library. */
export type OpenWorkerBoard = (spec: BoardSpec) => Promise<StreamBoard>;

/** A worker thread for tasks without a USB board. */
export type OpenWorkerThread = () => Promise<StreamThread>;

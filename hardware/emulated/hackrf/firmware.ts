import { UsageError } from '../../../src/common/errors.ts';

/** Releases of the firmware, by their USB API version; facts of each from its source (hackrf_usb). */
export const FIRMWARE_RELEASES: Readonly<Record<number, string>> = {
  262: '2022.09.1',
  263: '2023.01.1',
  264: '2024.02.1',
  265: '2026.01.1',
  272: '2026.01.3',
  273: 'git-2026-02',
  274: 'git-2026-06',
};

/** What differs between releases. */
export interface Firmware {
  readonly apiVersion: number;
  readonly release: string;
  /** Highest vendor request it knows. */
  readonly lastRequest: number;
  /** Bytes of one transfer that the board arms at a bulk endpoint. */
  readonly chunkBytes: number;
  /** Samples go through a second buffer of 32 KiB by DMA; else one buffer of 32 KiB serves M0 and USB. */
  readonly dma: boolean;
  /** Leaving TX is answered only after all bytes are on the air, unless the host asked for the buffer size. */
  readonly autoFlush: boolean;
  /** Values out of range are refused with a STALL (or 0 as reply); later releases move them into the range. */
  readonly strict: boolean;
}

/** Buffer between M0 and the rest, and the second one of newer firmware. */
export const BUFFER_BYTES = 0x8000;
/** What a DMA transfer moves. */
export const DMA_BYTES = 0x2000;
/** What M0 moves at once: 16 samples. */
export const EXCHANGE_BYTES = 32;
/** Block of a sweep, in all releases. */
export const SWEEP_BLOCK_BYTES = 0x4000;

const LAST_REQUEST: readonly (readonly [number, number])[] = [
  [0x0112, 61],
  [0x0111, 60],
  [0x0109, 58],
  [0x0108, 48],
  [0x0107, 47],
  [0x0106, 46],
];

/** The firmware of an API version; UsageError where none is known. */
export function firmwareOf(apiVersion: number): Firmware {
  const release = FIRMWARE_RELEASES[apiVersion];
  if (!release) {
    const known = Object.keys(FIRMWARE_RELEASES).map((v) => `0x${Number(v).toString(16).padStart(4, '0')}`);
    throw new UsageError(`no firmware with API version 0x${apiVersion.toString(16)}; known: ${known.join(', ')}`);
  }
  const newest = apiVersion >= 0x0111;
  return {
    apiVersion,
    release,
    lastRequest: LAST_REQUEST.find(([since]) => apiVersion >= since)![1],
    chunkBytes: newest ? 0x4000 : 0x2000,
    dma: newest,
    autoFlush: apiVersion >= 0x0112,
    strict: !newest,
  };
}

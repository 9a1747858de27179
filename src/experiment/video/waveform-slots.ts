/** Frames between coder and air: one that is coded, one that waits, two on the air, and some that their end was not yet told of. */
const MOST_SLOTS = 6;
/** Before the samples of a slot stands its state. */
const HEAD_BYTES = 8;
const FREE = 0;
const TAKEN = 1;

/**
 * Memory for the waveforms of frames that all threads of a video share: one writes, another reads and then frees. A frame crosses
 * threads without a copy and leaves no garbage behind.
 */
export class WaveformSlots {
  private readonly slots: SharedArrayBuffer[] = [];

  /** Memory for so many numbers; where all slots are taken, of its own. Its content is undefined. */
  take(length: number): Float32Array {
    const bytes = HEAD_BYTES + length * Float32Array.BYTES_PER_ELEMENT;
    let at = this.slots.findIndex((slot) => Atomics.load(stateOf(slot), 0) === FREE);
    if (at < 0 && this.slots.length === MOST_SLOTS) return new Float32Array(length);
    if (at < 0) at = this.slots.push(new SharedArrayBuffer(bytes)) - 1;
    else if (this.slots[at].byteLength < bytes) this.slots[at] = new SharedArrayBuffer(bytes);
    const slot = this.slots[at];
    Atomics.store(stateOf(slot), 0, TAKEN);
    return new Float32Array(slot, HEAD_BYTES, length);
  }
}

/** Gives a waveform's slot back, once and by the last that reads it; one of no slot is left alone. */
export function freeWaveform({ buffer }: Float32Array): void {
  if (buffer instanceof SharedArrayBuffer) Atomics.store(stateOf(buffer), 0, FREE);
}

/** What of a waveform is handed over with a message: nothing of one that is shared. */
export function transferOf({ buffer }: Float32Array): ArrayBuffer[] {
  return buffer instanceof SharedArrayBuffer ? [] : [buffer as ArrayBuffer];
}

function stateOf(slot: SharedArrayBuffer): Int32Array {
  return new Int32Array(slot, 0, 1);
}

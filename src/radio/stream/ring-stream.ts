import type { UsbError } from '../usb/usb.ts';
import { ChunkRingReader, ChunkRingWriter } from './chunk-ring.ts';
import type { Running } from './in-runner.ts';
import type { InStream, StreamEntry } from './stream-board.ts';

/** The reader's end of a stream: a ring that something elsewhere fills. */
export class RingStream implements InStream {
  private readonly ring: ChunkRingReader;
  private readonly running: Running;
  /** Undefined: not known yet. */
  private error: UsbError | null | undefined;

  constructor(shared: SharedArrayBuffer, running: Running) {
    this.ring = new ChunkRingReader(shared);
    this.running = running;
    void running.ended.then((error) => {
      this.error = error;
      // Whoever filled it may have died before it could say so.
      new ChunkRingWriter(shared).end();
    });
  }

  get lostBytes(): number {
    return this.ring.lostBytes;
  }

  get endIndex(): number {
    return this.ring.endIndex;
  }

  async read(): Promise<StreamEntry> {
    const entry = await this.ring.read();
    return entry.kind === 'end' ? { ...entry, error: await this.running.ended } : entry;
  }

  tryRead(): StreamEntry | null {
    const entry = this.ring.tryRead();
    if (entry?.kind !== 'end') return entry;
    return this.error === undefined ? null : { ...entry, error: this.error };
  }

  pollNow(): void {
    this.running.pollNow();
  }

  stop(): Promise<void> {
    return this.running.stop();
  }
}

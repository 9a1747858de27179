/** A connection as the server sees it: a stream of bytes each way. */
export interface BytePipe {
  /** What came next, at least a byte; null when the host is gone. */
  read(): Promise<Uint8Array | null>;
  /** One write of the server; resolves when there is room for the next. The bytes are not changed until then. */
  write(bytes: Uint8Array): Promise<void>;
  /** Aborted when the host is gone. */
  readonly gone: AbortSignal;
  close(): void;
}

/** Cuts what comes out of a pipe into lines and blocks. Holds no more than one read of the pipe and an unfinished line. */
export class PipeReader {
  private readonly pipe: BytePipe;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(pipe: BytePipe) {
    this.pipe = pipe;
  }

  /**
   * The next line without its end ("\n", a "\r" before it is dropped). A line of more than `limit` bytes is passed over and comes as
   * 'too long'; null when the host is gone.
   */
  async line(limit: number): Promise<string | 'too long' | null> {
    let text = '';
    let tooLong = false;
    for (;;) {
      const end = this.rest.indexOf(10);
      const part = this.rest.subarray(0, end < 0 ? this.rest.length : end);
      if (text.length + part.length > limit) tooLong = true;
      if (!tooLong) text += Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1');
      if (end >= 0) {
        this.rest = this.rest.subarray(end + 1);
        if (tooLong) return 'too long';
        return text.endsWith('\r') ? text.slice(0, -1) : text;
      }
      if (!(await this.more())) return null;
    }
  }

  /** Fills `into`; false when the host goes away before. */
  async fill(into: Uint8Array): Promise<boolean> {
    for (let at = 0; at < into.length; ) {
      if (this.rest.length === 0 && !(await this.more())) return false;
      const count = Math.min(this.rest.length, into.length - at);
      into.set(this.rest.subarray(0, count), at);
      this.rest = this.rest.subarray(count);
      at += count;
    }
    return true;
  }

  private async more(): Promise<boolean> {
    const bytes = await this.pipe.read();
    this.rest = bytes ?? new Uint8Array(0);
    return bytes !== null;
  }
}

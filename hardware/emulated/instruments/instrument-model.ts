import type { Readable, Writable } from 'node:stream';

/** An emulated serial instrument: bytes in, bytes out. */
export interface InstrumentModel {
  /** Bytes from the host; what is returned is sent back. */
  receive(bytes: Uint8Array): Uint8Array;
  /** Called once with what sends bytes unasked; returns what stops that. */
  start?(send: (bytes: Uint8Array) => void): () => void;
}

/** Longest command line that a model remembers, bytes. */
export const MAX_COMMAND_BYTES = 128;

/**
 * Lets a model answer over any pair of byte streams: a pty's end, a socket, stdin and stdout. Returns what detaches it.
 */
export function serveInstrument(model: InstrumentModel, input: Readable, output: Writable): () => void {
  const send = (bytes: Uint8Array) => {
    if (bytes.length > 0 && output.writable) output.write(Buffer.from(bytes));
  };
  const onData = (chunk: Uint8Array | string) => send(model.receive(typeof chunk === 'string' ? latin1(chunk) : chunk));
  const stop = model.start?.(send);
  const detach = () => {
    stop?.();
    input.removeListener('data', onData);
  };
  input.on('data', onData);
  input.once('close', detach);
  output.on('error', detach);
  return detach;
}

/** One byte a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** Cuts a byte stream into lines that end with CR, LF or both; what grows too long is dropped as a whole. */
export class LineSplitter {
  private line = '';

  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    for (const byte of bytes) {
      if (byte === 0x0d || byte === 0x0a) {
        if (this.line !== '') lines.push(this.line);
        this.line = '';
      } else if (this.line.length < MAX_COMMAND_BYTES) this.line += String.fromCharCode(byte);
    }
    return lines;
  }
}

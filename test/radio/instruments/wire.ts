import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { type InstrumentModel, serveInstrument } from '../../../hardware/emulated/instruments/instrument-model.ts';
import type { LineOpener } from '../../../src/radio/instruments/open-instrument.ts';

export interface WireOptions {
  /** Cuts what the instrument sends into pieces of this many bytes, each in a turn of its own; 0: whole. */
  readonly pieceBytes?: number;
}

/** Two ends of a line in this process: what is written to one is read from the other. */
export function wire(options: WireOptions = {}): { host: Duplex; device: Duplex } {
  const ends: Duplex[] = [];
  const end = (other: number, pieceBytes: number): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const step = pieceBytes > 0 ? pieceBytes : Math.max(1, chunk.length);
        const next = (at: number) => {
          if (at >= chunk.length || ends[other].destroyed) {
            done();
            return;
          }
          ends[other].push(chunk.subarray(at, at + step));
          setImmediate(() => next(at + step));
        };
        next(0);
      },
      destroy(error, done) {
        setImmediate(() => ends[other].destroy());
        done(error);
      },
    });
  ends.push(end(1, 0), end(0, options.pieceBytes ?? 0));
  return { host: ends[0], device: ends[1] };
}

/** A port at which this model answers; remembers what it was opened with. */
export function portOf(
  model: InstrumentModel,
  options: WireOptions = {},
): { open: LineOpener; opened: [string, number][]; unplug: () => void } {
  const opened: [string, number][] = [];
  let unplug = () => {};
  const open: LineOpener = async (path, baudRate) => {
    opened.push([path, baudRate]);
    const { host, device } = wire(options);
    serveInstrument(model, device, device);
    unplug = () => void device.destroy();
    return host;
  };
  return { open, opened, unplug: () => unplug() };
}

/** A model that answers with whatever this function says. */
export function scripted(answer: (text: string) => string | Uint8Array): InstrumentModel {
  return {
    receive: (bytes) => {
      const reply = answer(Buffer.from(bytes).toString('latin1'));
      return typeof reply === 'string' ? Buffer.from(reply, 'latin1') : reply;
    },
  };
}

/**
 * Runs a property for many cases at the same time: cases that end in a time-out would take minutes one after the other. A failure names its case.
 */
export async function manyAtOnce<T>(
  cases: fc.Arbitrary<T>,
  numRuns: number,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const { seed } = fc.readConfigureGlobal();
  const values = fc.sample(cases, { numRuns, ...(seed === undefined ? {} : { seed }) });
  await Promise.all(
    values.map((value) =>
      check(value).catch((error: unknown) => {
        throw new Error(`seed ${seed}, case ${fc.stringify(value)}: ${error instanceof Error ? error.stack : error}`);
      }),
    ),
  );
}

import { UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import type { Air, AirClock, Antenna, Emission, Reception, Transmitter } from './air.ts';
import { type AirPath, AirPathState } from './air-path.ts';
import { Emissions } from './emissions.ts';

export type { AirPath, PathChannel } from './air-path.ts';

export interface AirModelOptions {
  readonly paths?: readonly AirPath[];
  /** Loss between two boards of which no path is told; null: they do not hear each other. */
  readonly defaultLossDb?: number | null;
  readonly seed?: number | string;
  /** Hears when a path lets nothing through, and why. */
  readonly onProblem?: (text: string) => void;
}

/** Least loss of a path; less would be an amplifier. */
const LEAST_LOSS_DB = 0;
const MOST_LOSS_DB = 300;

interface Board {
  readonly name: string;
  readonly emissions: Emissions;
  readonly transmitter: Transmitter | undefined;
  /** Time up to which this board heard; -Infinity: never. */
  heardS: number;
  /** Paths to this board, by the other's name. */
  readonly paths: Map<string, AirPathState>;
  out: Float32Array;
}

/**
 * The air between emulated boards of one process. Every pair has a path with a loss, and perhaps a channel and noise;
 * samples of another rate, clock or frequency are resampled and shifted on the listener's clock (air-path.ts). Memory
 * is bounded: a second, or 64 MiB, of each board's emissions.
 */
export class AirModel implements Air {
  readonly clock: AirClock;
  private readonly boards = new Map<string, Board>();
  private readonly told = new Map<string, AirPath>();
  private readonly defaultLossDb: number | null;
  private readonly random: RandomStream;
  private readonly onProblem: (text: string) => void;

  constructor(clock: AirClock, options: AirModelOptions = {}) {
    this.clock = clock;
    this.defaultLossDb = options.defaultLossDb ?? null;
    this.random = new RandomStream(options.seed ?? 1).fork('air');
    this.onProblem = options.onProblem ?? (() => {});
    const losses = [...(options.paths ?? []).map((path) => path.lossDb), this.defaultLossDb ?? LEAST_LOSS_DB];
    for (const lossDb of losses) {
      if (!(lossDb >= LEAST_LOSS_DB && lossDb <= MOST_LOSS_DB)) {
        throw new UsageError(`path loss ${lossDb} dB is out of range: allowed ${LEAST_LOSS_DB} to ${MOST_LOSS_DB} dB`);
      }
    }
    for (const path of options.paths ?? []) {
      const key = pathKey(path.from, path.to);
      if (this.told.has(key)) throw new UsageError(`the path from ${path.from} to ${path.to} is told twice`);
      this.told.set(key, path);
    }
  }

  attach(name: string, transmitter?: Transmitter): Antenna {
    if (this.boards.has(name)) throw new UsageError(`there is a board "${name}" on the air already`);
    const board: Board = {
      name,
      emissions: new Emissions(),
      transmitter,
      heardS: Number.NEGATIVE_INFINITY,
      paths: new Map(),
      out: new Float32Array(0),
    };
    this.boards.set(name, board);
    return {
      emit: (emission: Emission) => board.emissions.add(emission),
      hear: (reception: Reception) => this.hear(board, reception),
    };
  }

  describe(): string {
    const pairs = [...this.told.values()].map(({ from, to, lossDb, channel, noiseDbmHz }) => {
      const more = [channel ? 'channel' : '', noiseDbmHz === undefined ? '' : `noise ${noiseDbmHz} dBm/Hz`].filter(
        Boolean,
      );
      return `${from} to ${to}: ${lossDb} dB${more.length ? ` (${more.join(', ')})` : ''}`;
    });
    const others = this.defaultLossDb === null ? 'others do not hear each other' : `others ${this.defaultLossDb} dB`;
    return [...pairs, others].join('; ');
  }

  /** Samples that were forgotten before somebody who listened too late could hear them. */
  get forgottenSamples(): number {
    return [...this.boards.values()].reduce((sum, board) => sum + board.emissions.forgottenSamples, 0);
  }

  /** The result is valid until this board hears again; the caller may write to it. */
  private hear(listener: Board, reception: Reception): Float32Array {
    const { rateHz, startS, samples } = reception;
    const endS = startS + samples / rateHz;
    if (!(rateHz > 0 && Number.isFinite(startS) && Number.isInteger(samples) && samples >= 0)) {
      throw new Error('a reception needs a rate, a start and a number of samples');
    }
    // Half a sample, since another rate may begin where the last ended.
    if (startS < listener.heardS - 0.5 / rateHz) throw new Error(`${listener.name} hears back in time`);
    listener.heardS = endS;
    if (listener.out.length < 2 * samples) listener.out = new Float32Array(2 * samples);
    const out = listener.out.subarray(0, 2 * samples).fill(0);
    for (const other of this.boards.values()) {
      const path = this.path(other, listener);
      if (!path) continue;
      if (other !== listener) other.transmitter?.transmitTo(endS);
      path.addTo(out, other.emissions.runs, reception);
      other.emissions.forget(this.everybodyHeardS(other));
    }
    return out;
  }

  private path(from: Board, to: Board): AirPathState | null {
    const known = to.paths.get(from.name);
    if (known) return known;
    const told = this.told.get(pathKey(from.name, to.name));
    if (!told && (from === to || this.defaultLossDb === null)) return null;
    const path = told ?? { from: from.name, to: to.name, lossDb: this.defaultLossDb! };
    const state = new AirPathState(path, this.random.fork(pathKey(path.from, path.to)), this.onProblem);
    to.paths.set(from.name, state);
    return state;
  }

  /** Time before which nobody will ask again: of those who listened in the last second. */
  private everybodyHeardS(from: Board): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const board of this.boards.values()) newest = Math.max(newest, board.heardS);
    let oldest = newest;
    for (const board of this.boards.values()) {
      if (board.heardS > newest - 1 && this.path(from, board)) oldest = Math.min(oldest, board.heardS);
    }
    // What the filters still reach back to.
    return oldest - 0.01;
  }
}

function pathKey(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

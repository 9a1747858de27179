import { setTimeout as delay } from 'node:timers/promises';
import { inRange, UsageError } from '../../common/errors.ts';
import { Nco } from '../../phy/frontend/nco.ts';
import type { Radio, StreamRequest, StreamSettings, TxStream } from '../../radio/radio.ts';
import { AirtimeBudget } from '../../radio/safety/airtime.ts';
import { PermittedTx } from '../../radio/safety/permitted-tx.ts';
import type { Transmission, TransmitPermission, TransmitRules } from '../../radio/safety/transmit-permission.ts';

/** Longest tone: it is for measuring, not for holding a frequency. */
export const MAX_TONE_S = 60;
const CHUNK_SAMPLES = 2 ** 18;
/** Least and most samples that are repeated: a period of the tone has to fit. */
const MIN_REPEAT_SAMPLES = 2 ** 14;
const MAX_REPEAT_SAMPLES = 2 ** 21;

export interface ToneOptions {
  /** Its frequency is that of the LO. */
  readonly request: StreamRequest & { readonly rateHz: number };
  /** From the LO, within half the sample rate. */
  readonly offsetHz: number;
  /** 0 is a complex amplitude of full scale. */
  readonly levelDbfs: number;
  readonly durationS: number;
  /** By which rules a board may send; null for what reaches no air. */
  readonly permission: { readonly transmission: Transmission; readonly rules: TransmitRules } | null;
  readonly signal?: AbortSignal;
  /** Told before the first sample. */
  readonly onStart?: (settings: StreamSettings, permission: TransmitPermission | null) => void;
}

export interface SentTone {
  readonly settings: StreamSettings;
  readonly permission: TransmitPermission | null;
  /** As long as it was on the air; less where it was interrupted. */
  readonly durationS: number;
  readonly underruns: number;
  readonly interrupted: boolean;
}

/** Words of boards beyond TxStream: a buffer that the board repeats by itself, and an end at once. */
interface BoardTx {
  repeat?(reIm: Float32Array): Promise<void>;
  endRepeat?(): Promise<void>;
  cut?(): Promise<void>;
  abort?(): Promise<void>;
}

/**
 * Sends a tone and ends silent: after its time, when the signal is aborted, and on any error. A board that plays bursts one by one (Pluto) repeats whole periods
 * instead. TransmitRefused, UsageError where it may not or cannot be sent.
 */
export async function sendTone(radio: Radio, options: ToneOptions): Promise<SentTone> {
  const { request, offsetHz, durationS, permission: asked } = options;
  inRange('--duration', durationS, 1e-3, MAX_TONE_S, 's');
  inRange('--level', options.levelDbfs, -100, 0, 'dBFS');
  inRange('--offset', Math.abs(offsetHz), 0, 0.45 * request.rateHz, 'Hz');
  const raw: TxStream & BoardTx = await radio.openTx(request);
  try {
    const { settings } = raw;
    // What the board really does counts, not what it was asked for.
    const transmission = asked && {
      ...asked.transmission,
      loHz: settings.frequencyHz,
      gainsDb: settings.gainsDb,
    };
    const tx = transmission ? new PermittedTx(raw, { transmission, rules: asked.rules }) : raw;
    const permission = tx instanceof PermittedTx ? tx.permission : null;
    const repeated = raw.repeat ? wholePeriods(settings.rateHz, offsetHz, options.levelDbfs) : null;
    if (repeated) keepDutyCycle(permission, durationS);
    options.onStart?.(settings, permission);
    const { signal } = options;
    // At once, whatever waits for room: a file has nothing to cut, and ends with what was written.
    const stop = () => void (raw.abort?.() ?? raw.cut?.());
    signal?.addEventListener('abort', stop, { once: true });
    const startMs = performance.now();
    try {
      if (repeated) await repeat(raw as Required<BoardTx>, repeated, options);
      else await stream(tx, settings.rateHz, options);
      if (!signal?.aborted) await raw.close();
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    const interrupted = signal?.aborted === true;
    const elapsedS = Math.min(durationS, (performance.now() - startMs) / 1000);
    return {
      settings,
      permission,
      underruns: raw.counters.underruns,
      interrupted,
      durationS: repeated ? elapsedS : Math.min(durationS, raw.counters.samples / settings.rateHz),
    };
  } finally {
    // After an error, or when it is closed already: silent in any case.
    await raw.close().catch(() => undefined);
  }
}

/** Sends it in pieces, as fast as the transmitter takes them; the samples of all of them are one tone. */
async function stream(tx: TxStream, rateHz: number, options: ToneOptions): Promise<void> {
  const { offsetHz, levelDbfs, durationS, signal } = options;
  const samples = Math.max(1, Math.round(durationS * rateHz));
  const nco = new Nco(offsetHz, rateHz);
  for (let sent = 0; sent < samples && !signal?.aborted; ) {
    const piece = constant(Math.min(CHUNK_SAMPLES, samples - sent), levelDbfs);
    nco.mix(piece, piece);
    await tx.write(piece);
    sent += piece.length / 2;
  }
  await tx.drain();
}

async function repeat(tx: Required<BoardTx>, reIm: Float32Array, options: ToneOptions): Promise<void> {
  await tx.repeat(reIm);
  await delay(options.durationS * 1000, undefined, options.signal ? { signal: options.signal } : {});
  await tx.endRepeat();
}

/**
 * An even number of samples that holds whole periods of the tone: rate/gcd(rate, |offset|) samples are the shortest.
 *
 * @throws UsageError where rate and offset are no whole hertz, or have too little in common
 */
function wholePeriods(rateHz: number, offsetHz: number, levelDbfs: number): Float32Array {
  if (!Number.isInteger(rateHz) || !Number.isInteger(offsetHz)) {
    throw new UsageError(`--offset ${offsetHz} Hz at ${rateHz} Hz: this board takes whole hertz`);
  }
  const period = 2 * (rateHz / greatestDivisor(rateHz, Math.abs(offsetHz)));
  if (period > MAX_REPEAT_SAMPLES) {
    throw new UsageError(
      `--offset ${offsetHz} Hz repeats only after ${period} samples at ${rateHz} Hz; at most ${MAX_REPEAT_SAMPLES} fit`,
      'give an offset that is a multiple of 1 kHz',
    );
  }
  const out = constant(period * Math.ceil(MIN_REPEAT_SAMPLES / period), levelDbfs);
  new Nco(offsetHz, rateHz).mix(out, out);
  return out;
}

function greatestDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** A board that repeats by itself is not counted sample by sample: its time as a whole is. UsageError above an hour's share. */
function keepDutyCycle(permission: TransmitPermission | null, durationS: number): void {
  if (permission?.kind === 'band') new AirtimeBudget(permission.band.maxDutyCycle).waitS(0, durationS);
}

function constant(samples: number, levelDbfs: number): Float32Array {
  const out = new Float32Array(2 * samples);
  const amplitude = 10 ** (levelDbfs / 20);
  for (let n = 0; n < samples; n++) out[2 * n] = amplitude;
  return out;
}

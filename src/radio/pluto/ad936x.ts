import { DeviceError, inRange, UsageError } from '../../common/errors.ts';
import { ClockError } from '../clock-error.ts';
import type { GainStage, NumberRange, RadioCapabilities, StreamRequest, StreamSettings } from '../radio.ts';
import { onGrid, resolveRequest } from '../settings.ts';
import type { Ad936xParts, Ad936xPath } from './ad936x-parts.ts';
import type { IiodClient } from './iiod-client.ts';
import { IiodError } from './iiod-error.ts';
import type { AttrRef } from './iiod-words.ts';
import { planRate, type RatePlan } from './rate-plan.ts';
import { parseList, parseNumber, parseRange } from './values.ts';

/** Rate where nothing is asked: streams without gaps over USB 2. */
const DEFAULT_RATE_HZ = 3.84e6;

/** How far a read-back value may lie from what was written before the setting counts as failed. */
const RATE_TOLERANCE = 1e-5;
/** The synthesiser's steps are a few hertz. */
const FREQUENCY_TOLERANCE_HZ = 50;
const BANDWIDTH_TOLERANCE = 0.05;

export interface AttrWrite {
  readonly ref: AttrRef;
  readonly value: string;
}

interface Ranges {
  readonly frequencyHz: NumberRange;
  readonly bandwidthHz: NumberRange;
  readonly gainDb: NumberRange;
}

/** The settings of an AD936x as an IIOD server shows them. Every value is checked against the board's own ranges and read back. */
export class Ad936x {
  private client: IiodClient;
  readonly parts: Ad936xParts;
  /** Error of the board's oscillator, which it knows nothing of itself. */
  clock = new ClockError(0);
  /** Directions in use, with the chip's rate that they rely on. */
  private readonly users = new Map<'rx' | 'tx', number>();
  private chipRange: NumberRange = { min: 0, max: 0, step: 0 };

  constructor(client: IiodClient, parts: Ad936xParts) {
    this.client = client;
    this.parts = parts;
  }

  /** After a lost connection. */
  useClient(client: IiodClient): void {
    this.client = client;
  }

  /** What this board says that it can do; the profile adds the rate that streams without gaps. */
  async capabilities(name: string, maxContinuousRateHz: number): Promise<RadioCapabilities> {
    const { rx, tx } = this.parts;
    const [rxRanges, txRanges] = [await this.ranges(rx), await this.ranges(tx)];
    this.chipRange = await this.range(rx.chipRateAvailable);
    const divides = rx.coreRate !== null && tx.coreRate !== null;
    const stage = (path: Ad936xPath, range: NumberRange): GainStage => ({
      ...range,
      name: path.direction,
      direction: path.direction,
      unit: 'dB',
    });
    return {
      name,
      formats: ['ci16_le'],
      duplex: 'full',
      rx: true,
      tx: true,
      frequencyHz: {
        min: Math.max(rxRanges.frequencyHz.min, txRanges.frequencyHz.min),
        max: Math.min(rxRanges.frequencyHz.max, txRanges.frequencyHz.max),
        step: 1,
      },
      rateHz: {
        min: divides ? Math.ceil(this.chipRange.min / 8) : this.chipRange.min,
        max: this.chipRange.max,
        step: 1,
      },
      maxContinuousRateHz,
      gains: [stage(rx, rxRanges.gainDb), stage(tx, txRanges.gainDb)],
      realtime: true,
    };
  }

  /**
   * Sets one direction up and tells what the board made of it. The order is the one in which settings depend on each other: rate, local
   * oscillator, bandwidth, then gain, whose range depends on the frequency. UsageError: out of range; DeviceError: the board
   * does something else than asked, or the other direction needs another rate.
   */
  async apply(
    direction: 'rx' | 'tx',
    request: StreamRequest,
    capabilities: RadioCapabilities,
  ): Promise<StreamSettings> {
    const path = this.parts[direction];
    const fullScale = 2 ** (path.format.bits - 1);
    const frequencyHz = request.frequencyHz ?? (await this.number(path.frequency));
    const defaults = { frequencyHz, rateHz: DEFAULT_RATE_HZ, format: 'ci16_le', fullScale } as const;
    const wanted = resolveRequest(capabilities, direction, request, defaults);
    const plan = planRate(this.nominal(wanted.rateHz), this.chipRange, path.coreRate !== null);
    this.checkShared(direction, plan);
    const ranges = await this.ranges(path);
    const nominalHz = this.nominal(wanted.frequencyHz);
    onGrid(`pluto ${direction} frequency`, nominalHz, ranges.frequencyHz, 'Hz');
    const bandwidthHz = this.bandwidth(path, wanted, ranges.bandwidthHz);

    if (path.gainMode) await this.client.writeAttr(path.gainMode, 'manual');
    const rateHz = await this.setRate(path, plan);
    this.users.set(direction, plan.chipHz);
    try {
      const actualHz = await this.setNumber(path.frequency, nominalHz, FREQUENCY_TOLERANCE_HZ, 'Hz');
      const actualBandwidthHz = await this.setNumber(
        path.bandwidth,
        bandwidthHz,
        bandwidthHz * BANDWIDTH_TOLERANCE,
        'Hz',
      );
      const gainDb = await this.setGain(path, request.gainsDb?.[direction]);
      return {
        ...wanted,
        frequencyHz: this.clock.actual(actualHz),
        rateHz: this.clock.actual(rateHz),
        bandwidthHz: actualBandwidthHz,
        gainsDb: { [direction]: gainDb },
        ...(this.clock.ppm === 0 ? {} : { clockPpm: this.clock.ppm }),
      };
    } catch (error) {
      this.users.delete(direction);
      throw error;
    }
  }

  /** Another gain while a stream runs; returns what the board then says. UsageError outside of the range at the present frequency. */
  async changeGain(direction: 'rx' | 'tx', gainsDb: Readonly<Record<string, number>>): Promise<Record<string, number>> {
    const path = this.parts[direction];
    const other = Object.keys(gainsDb).find((stage) => stage !== direction);
    if (other !== undefined) throw new UsageError(`pluto has no ${direction} gain "${other}"; it has: ${direction}`);
    const gainDb = gainsDb[direction];
    return { [direction]: gainDb === undefined ? await this.number(path.gain) : await this.setGain(path, gainDb) };
  }

  /** The direction no longer holds the rate. */
  release(direction: 'rx' | 'tx'): void {
    this.users.delete(direction);
  }

  async setTransmitterPower(on: boolean): Promise<void> {
    await this.client.writeAttr(this.parts.tx.powerdown, on ? '0' : '1');
  }

  /** What makes the transmitter silent: tones off, oscillator powered down, least gain. In this order: the first write ends a buffer's samples. */
  async silenceWrites(): Promise<AttrWrite[]> {
    const { tx, toneSwitches, toneScales } = this.parts;
    const least = (await this.range(tx.gainAvailable)).min;
    return [
      ...toneSwitches.map((ref) => ({ ref, value: '0' })),
      { ref: tx.powerdown, value: '1' },
      ...toneScales.map((ref) => ({ ref, value: '0' })),
      { ref: tx.gain, value: String(least) },
    ];
  }

  /** What to ask the board for; it takes whole hertz. */
  private nominal(hz: number): number {
    return this.clock.ppm === 0 ? hz : Math.round(this.clock.nominal(hz));
  }

  private bandwidth(path: Ad936xPath, wanted: StreamSettings, range: NumberRange): number {
    if (wanted.bandwidthHz !== null) {
      return inRange(`pluto ${path.direction} bandwidth`, wanted.bandwidthHz, range.min, range.max, 'Hz');
    }
    return Math.round(Math.min(range.max, Math.max(range.min, wanted.rateHz)));
  }

  private checkShared(direction: 'rx' | 'tx', plan: RatePlan): void {
    const other = direction === 'rx' ? 'tx' : 'rx';
    const chipHz = this.users.get(other);
    if (chipHz === undefined || chipHz === plan.chipHz) return;
    throw new DeviceError(
      `pluto: ${direction} and ${other} share one clock, and ${other} runs at ${chipHz} Hz`,
      `use ${chipHz} Hz or an eighth of it, or close ${other} first`,
    );
  }

  private async setRate(path: Ad936xPath, plan: RatePlan): Promise<number> {
    // A rate that is there already is not written again: setting it disturbs the other direction.
    let chipHz = await this.number(path.chipRate);
    if (!near(chipHz, plan.chipHz)) {
      await this.client.writeAttr(path.chipRate, String(plan.chipHz));
      chipHz = await this.number(path.chipRate);
      if (!near(chipHz, plan.chipHz)) throw differs(path.chipRate, plan.chipHz, chipHz, 'Hz');
    }
    if (!path.coreRate || !path.coreRateAvailable) return chipHz;
    const rates = parseList('sampling_frequency_available', await this.client.readAttr(path.coreRateAvailable));
    const wanted = plan.divided ? chipHz / 8 : chipHz;
    const rate = rates.find((candidate) => near(candidate, wanted));
    if (rate === undefined) {
      if (!plan.divided) return chipHz;
      throw new DeviceError(`pluto: the core offers no rate of ${wanted} Hz (it offers: ${rates.join(', ')})`);
    }
    await this.client.writeAttr(path.coreRate, String(rate));
    const actual = await this.number(path.coreRate);
    if (!near(actual, wanted)) throw differs(path.coreRate, wanted, actual, 'Hz');
    return actual;
  }

  private async setGain(path: Ad936xPath, gainDb: number | undefined): Promise<number> {
    const range = await this.range(path.gainAvailable);
    const wanted = gainDb === undefined ? range.min : onGrid(`pluto ${path.direction} gain`, gainDb, range, 'dB');
    return this.setNumber(path.gain, wanted, Math.max(range.step / 2, 1e-3), 'dB');
  }

  /** Writes a number and returns what the board then says. */
  private async setNumber(ref: AttrRef, wanted: number, tolerance: number, unit: string): Promise<number> {
    try {
      await this.client.writeAttr(ref, String(wanted));
    } catch (error) {
      if (error instanceof IiodError && error.kind === 'errno') {
        throw new DeviceError(`pluto: the board refuses ${ref.name} ${wanted} ${unit} (error ${error.errno})`);
      }
      throw error;
    }
    const actual = await this.number(ref);
    if (!(Math.abs(actual - wanted) <= tolerance)) throw differs(ref, wanted, actual, unit);
    return actual;
  }

  private async ranges(path: Ad936xPath): Promise<Ranges> {
    return {
      frequencyHz: await this.range(path.frequencyAvailable),
      bandwidthHz: await this.range(path.bandwidthAvailable),
      gainDb: await this.range(path.gainAvailable),
    };
  }

  private async range(ref: AttrRef): Promise<NumberRange> {
    return parseRange(ref.name, await this.client.readAttr(ref));
  }

  private async number(ref: AttrRef): Promise<number> {
    return parseNumber(ref.name, await this.client.readAttr(ref));
  }
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= RATE_TOLERANCE * Math.abs(b);
}

function differs(ref: AttrRef, wanted: number, actual: number, unit: string): DeviceError {
  return new DeviceError(`pluto: ${ref.name} was set to ${wanted} ${unit}, and the board says ${actual} ${unit}`);
}

import { DeviceError, UsageError } from '../../common/errors.ts';
import { ClockError } from '../clock-error.ts';
import { loadProfile, profileCapabilities, type RadioProfile } from '../profile.ts';
import type { RadioCapabilities, StreamRequest, StreamSettings } from '../radio.ts';
import { resolveRequest } from '../settings.ts';
import type { HackrfUriOptions } from '../uri.ts';
import { FULL_SCALE } from './block-assembler.ts';
import type { BoardCall } from './board-call.ts';
import * as radio from './radio-calls.ts';
import { explicitFilter, filterForRate, rateFraction, rateOf } from './sample-rate.ts';
import { apiText, VENDOR_REQUESTS } from './vendor-requests.ts';

/** What a HackRF can be asked for beyond the common request. */
export interface HackrfRequest extends StreamRequest {
  /** Mixer and image filter by hand; then frequencyHz is not given. */
  readonly explicit?: radio.ExplicitFrequency;
  /** 3.3 V on the antenna connector; off unless named. */
  readonly biasTee?: boolean;
  /** Wait for the trigger pin; silence is no error then. */
  readonly hardwareTrigger?: boolean;
}

/**
 * Defaults of a radio, as its URI names them; a request's own values come first. Amplifier and gains are the receiver's: the transmitter's are on only where
 * a request names them.
 */
export type HackrfDefaults = Omit<HackrfUriOptions, 'clockIn' | 'clockOut'>;

/** Calls that belong together: repeated only where one of them changed. */
export interface CallGroup {
  readonly name: string;
  /** Everything that it sends, as text. */
  readonly key: string;
  readonly calls: readonly BoardCall[];
  /**
   * The board takes it back when a mode ends: amplifier and bias tee (rf_path_set_direction of firmware up to 2026.01; libhackrf,
   * hackrf_set_antenna_enable).
   */
  readonly endsWithMode?: boolean;
  /** A board that refuses it has no such thing, and nothing is missing. */
  readonly mayStall?: boolean;
}

/** A request resolved: what to send, in libhackrf's order (hackrf_transfer), and what results. */
export interface Tuning {
  readonly settings: StreamSettings;
  readonly groups: readonly CallGroup[];
  readonly hardwareTrigger: boolean;
}

/** Sets gains of a stream that runs; resolves to the settings as they are then. */
export type Retune = (settings: StreamSettings, gainsDb: Readonly<Record<string, number>>) => Promise<StreamSettings>;

/** hackrf_transfer's defaults. */
const DEFAULT_FREQUENCY_HZ = 900e6;
const DEFAULT_RATE_HZ = 10e6;
const AMP_DB = 14;
/** A frequency that each way of the signal reaches. */
const IN_REACH_HZ = { bypass: 2.5e9, 'low-pass': 1e9, 'high-pass': 5e9 } as const;

export class Tuner {
  readonly profile: RadioProfile = loadProfile('hackrf');
  readonly capabilities: RadioCapabilities = profileCapabilities(this.profile);
  private readonly clock: ClockError;
  private readonly rxDefaultsDb: Readonly<Record<string, number>>;
  private readonly defaults: HackrfDefaults;

  constructor(defaults: HackrfDefaults = {}) {
    this.defaults = defaults;
    this.clock = new ClockError(defaults.ppm ?? 0);
    const { lnaDb, vgaDb, amp } = defaults;
    this.rxDefaultsDb = {
      ...(lnaDb === undefined ? {} : { lna: lnaDb }),
      ...(vgaDb === undefined ? {} : { vga: vgaDb }),
      ...(amp === undefined ? {} : { amp: amp ? AMP_DB : 0 }),
    };
    // Wrong defaults are the URI's fault and said at once, not when a stream is opened.
    this.resolve('rx', { frequencyHz: defaults.path ? IN_REACH_HZ[defaults.path] : DEFAULT_FREQUENCY_HZ }, 0xffff);
  }

  /** UsageError for what the board cannot do; DeviceError for what its firmware is too old for. */
  resolve(direction: 'rx' | 'tx', request: HackrfRequest, api: number): Tuning {
    if (request.explicit && request.frequencyHz !== undefined) {
      throw new UsageError('hackrf: a frequency and an explicit tuning exclude each other');
    }
    const wanted = resolveRequest(
      this.capabilities,
      direction,
      { ...request, gainsDb: { ...(direction === 'rx' ? this.rxDefaultsDb : {}), ...request.gainsDb } },
      { frequencyHz: DEFAULT_FREQUENCY_HZ, rateHz: DEFAULT_RATE_HZ, format: 'ci8', fullScale: FULL_SCALE },
    );
    const filtersHz = this.profile.limits.basebandFiltersHz.value;
    const fraction = rateFraction(this.clock.nominal(wanted.rateHz));
    const autoFilterHz = filterForRate(fraction, filtersHz);
    const wantedFilterHz = request.bandwidthHz ?? this.defaults.filterHz;
    const bandwidthHz = wantedFilterHz === undefined ? autoFilterHz : explicitFilter(wantedFilterHz, filtersHz);
    const filterCalls = [radio.setBasebandFilter(autoFilterHz)];
    if (wantedFilterHz !== undefined) filterCalls.push(radio.setBasebandFilter(bandwidthHz));

    const nominalHz = Math.round(this.clock.nominal(wanted.frequencyHz));
    const { path, ifHz = 0 } = this.defaults;
    const explicit = request.explicit ?? (path && radio.explicitFor(nominalHz, path, ifHz));
    const tuningCall = explicit ? radio.setFrequencyExplicit(explicit) : radio.setFrequency(nominalHz);
    const frequencyHz = this.clock.actual(explicit ? radio.explicitCentreHz(explicit) : nominalHz);

    const hardwareTrigger = request.hardwareTrigger ?? this.defaults.trigger ?? false;
    const [ampGroup, ...gainsGroups] = gainGroups(direction, wanted.gainsDb);
    const groups = [
      group('rate', [radio.setSampleRate(fraction), ...filterCalls]),
      ...triggerGroup(hardwareTrigger, api),
      group('frequency', [tuningCall]),
      ampGroup,
      biasTeeGroup(request.biasTee ?? this.defaults.biasTee ?? false),
      ...gainsGroups,
    ];
    const rateHz = this.clock.actual(rateOf(fraction));
    const { ppm } = this.clock;
    const settings = { ...wanted, frequencyHz, rateHz, bandwidthHz, ...(ppm === 0 ? {} : { clockPpm: ppm }) };
    return { settings, groups, hardwareTrigger };
  }

  /** Settings with some gains changed, and what to send for it. */
  regain(
    direction: 'rx' | 'tx',
    settings: StreamSettings,
    gainsDb: Readonly<Record<string, number>>,
  ): { settings: StreamSettings; groups: readonly CallGroup[] } {
    const all = { ...settings.gainsDb, ...gainsDb };
    const checked = resolveRequest(
      this.capabilities,
      direction,
      { gainsDb: all },
      {
        frequencyHz: DEFAULT_FREQUENCY_HZ,
        rateHz: DEFAULT_RATE_HZ,
        format: 'ci8',
        fullScale: FULL_SCALE,
      },
    );
    return { settings: { ...settings, gainsDb: checked.gainsDb }, groups: gainGroups(direction, checked.gainsDb) };
  }
}

function gainGroups(direction: 'rx' | 'tx', gainsDb: Readonly<Record<string, number>>): CallGroup[] {
  const calls =
    direction === 'rx'
      ? [radio.setGain('vga', gainsDb.vga), radio.setGain('lna', gainsDb.lna)]
      : [radio.setGain('txvga', gainsDb.txvga)];
  const amp = (direction === 'rx' ? gainsDb.amp : gainsDb.txamp) === AMP_DB;
  return [{ ...group('amp', [radio.setAmp(amp)]), endsWithMode: amp }, group(`${direction} gains`, calls)];
}

/** Firmware without triggers cannot have one on: left out; asked for all the same it is an error. */
function triggerGroup(on: boolean, api: number): CallGroup[] {
  if (api >= VENDOR_REQUESTS.SET_HW_SYNC_MODE.sinceApi) return [group('trigger', [radio.setHardwareTrigger(on)])];
  if (!on) return [];
  throw new DeviceError(`hackrf: no hardware trigger in firmware with USB API ${apiText(api)}`, 'update the firmware');
}

/** Jawbreaker and rad1o have none and refuse even to switch it off. */
function biasTeeGroup(on: boolean): CallGroup {
  return { ...group('bias tee', [radio.setBiasTee(on)]), endsWithMode: on, mayStall: !on };
}

function group(name: string, calls: readonly BoardCall[]): CallGroup {
  const text = calls.map(({ setup, data }) => `${setup.request},${setup.value},${setup.index},${data.join('.')}`);
  return { name, key: text.join(' '), calls };
}

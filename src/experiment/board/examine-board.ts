import { DeviceError, UsageError } from '../../common/errors.ts';
import { storeCalibration, storedLevel } from '../../radio/calibration.ts';
import type { ClockCorrection } from '../../radio/clock-error.ts';
import { HackrfRadio } from '../../radio/hackrf/hackrf-radio.ts';
import { measureTurnaround, type TurnaroundReport } from '../../radio/hackrf/turnaround.ts';
import { openRadio } from '../../radio/open-radio.ts';
import { PlutoRadio } from '../../radio/pluto/pluto-radio.ts';
import type { RadioProfile } from '../../radio/profile.ts';
import type { Radio } from '../../radio/radio.ts';
import { checkTransmission, radiates, type TransmitRules } from '../../radio/safety/transmit-permission.ts';
import { parseRadioUri, type RadioUri } from '../../radio/uri.ts';
import { type Advice, advise, type Findings } from './advice.ts';
import { type BoardWish, profileOfUri, streamRequest } from './board-request.ts';
import { clockError, sustainedRate } from './examine.ts';
import { type FullScale, fullScaleOf, levelOf } from './full-scale.ts';
import { listen } from './listen.ts';

export interface ExamineOptions {
  readonly wish: BoardWish;
  readonly durationS: number;
  readonly referenceHz: number | null;
  /** Power of the reference at the connector, dBm; null: not known. */
  readonly referenceDbm?: number | null;
  /** Store what was found of clock and level. */
  readonly save: boolean;
  /** Where it is stored and looked up; default the user's file. */
  readonly book?: CalibrationBook;
  readonly rates: boolean;
  /** 0: the turnaround is left out. */
  readonly turns: number;
  readonly rules: TransmitRules;
  readonly signal?: AbortSignal;
  readonly note: (text: string) => void;
}

export interface Examined extends Findings {
  /** The board, as it calls itself. */
  readonly board: string;
  readonly serial: string | null;
  /** What was taken out of its clock's error while it was heard. */
  readonly correction: ClockCorrection | null;
  readonly fullScale: FullScale | null;
  readonly turnaround: TurnaroundReport | null;
  readonly saved: boolean;
  readonly advice: readonly Advice[];
}

export interface CalibrationBook {
  store(...board: Parameters<typeof storeCalibration>): Promise<void>;
  level(serial: string | null): ReturnType<typeof storedLevel>;
}

const BINS = 4096;
const MARGIN_DB = 6;
/** The LO's distance from a reference where no frequency was named: off the leak, inside every filter. */
const FROM_REFERENCE_HZ = 200e3;

/** Opens a board and examines it. What transmits is checked before the board is opened. */
export async function examineBoard(name: string, options: ExamineOptions): Promise<Examined> {
  const { referenceHz, turns } = options;
  const uri = parseRadioUri(name);
  const wish: BoardWish =
    referenceHz !== null && options.wish.frequencyHz === undefined && uri.kind !== 'file'
      ? { ...options.wish, frequencyHz: referenceHz - FROM_REFERENCE_HZ }
      : options.wish;
  if (turns > 0) permitTurns(uri, wish, options.rules);
  if (options.save && !radiates(uri)) throw new UsageError('--save: only a board has a clock of its own');
  const radio = await openRadio(uri);
  try {
    return await examine(radio, wish, options, profileOfUri(uri));
  } finally {
    await radio.close();
  }
}

/** The examination of an open board. */
export async function examine(
  radio: Radio,
  wish: BoardWish,
  options: ExamineOptions,
  profile: RadioProfile | null = null,
): Promise<Examined> {
  const { durationS, referenceHz, signal, note } = options;
  const { realtime } = radio.capabilities;
  const request = streamRequest(radio.capabilities, 'rx', wish);
  const rx = await radio.openRx(request);
  note(rx.describe());
  const heard = await listen(rx, {
    durationS,
    bins: BINS,
    marginDb: MARGIN_DB,
    realtime,
    ...(signal ? { signal } : {}),
  });
  const going = () => signal?.aborted !== true;
  const correction = radio.clock ?? null;
  const appliedPpm = correction?.ppm ?? 0;
  const clock = referenceHz === null ? null : clockError(heard, referenceHz, appliedPpm);
  const { rateHz: _, ...others } = request;
  const sustained =
    realtime && options.rates && going()
      ? await sustainedRate(radio, others, { durationS, ...(signal ? { signal } : {}) })
      : null;
  const turnaround = options.turns > 0 && going() ? await turn(radio, wish, options.turns) : null;
  const serial = serialOf(radio);
  const saved = options.save && clock !== null && serial !== null;
  if (options.save) await checkSavable(radio, serial);
  const { referenceDbm = null, book = { store: storeCalibration, level: storedLevel } } = options;
  const level =
    clock && heard.tone && referenceDbm !== null
      ? levelOf(referenceDbm, 10 * Math.log10(heard.tone.power), heard.settings)
      : null;
  if (saved) {
    const measuredAt = new Date().toISOString();
    const { ppm, referenceHz } = clock;
    await book.store(serial, { ppm, referenceHz, measuredAt, ...(level ? { level } : {}) });
  }
  const findings: Findings = { heard, clock, referenceHz, sustained };
  return {
    ...findings,
    board: radio.describe(),
    serial,
    correction,
    turnaround,
    saved,
    fullScale: fullScaleOf(profile, heard.settings, level ?? (await book.level(serial))),
    // What was stored is taken out from the next time on: nothing is left to change.
    advice: advise(findings).filter(({ about }) => !(saved && about === 'clock')),
  };
}

/** DeviceError for a board that cannot be known again, or whose own clock is not the one that was measured. */
async function checkSavable(radio: Radio, serial: string | null): Promise<void> {
  if (serial === null) throw new DeviceError('--save: the board tells no serial number');
  // Firmware that cannot tell has nobody at CLKIN that we know of.
  if (radio instanceof HackrfRadio && (await radio.clockIn().catch(() => false))) {
    throw new DeviceError(
      '--save: the board runs on the clock at CLKIN, not on its own',
      'pull that cable, and measure again',
    );
  }
}

function permitTurns(uri: RadioUri, wish: BoardWish, rules: TransmitRules): void {
  const profile = profileOfUri(uri);
  if (uri.kind !== 'hackrf' || !profile) {
    throw new UsageError('--turnaround: only a HackRF turns around', 'other radios send and receive at once');
  }
  if (wish.frequencyHz === undefined) throw new UsageError('--turnaround: no frequency', 'give -f HZ');
  checkTransmission({ profile, loHz: wish.frequencyHz, offsetHz: 0, occupiedHz: 0, gainsDb: {} }, rules);
}

async function turn(radio: Radio, { frequencyHz, rateHz }: BoardWish, count: number): Promise<TurnaroundReport | null> {
  if (!(radio instanceof HackrfRadio)) return null;
  return measureTurnaround(radio, {
    count,
    ...(frequencyHz === undefined ? {} : { frequencyHz }),
    ...(rateHz === undefined ? {} : { rateHz }),
  });
}

/** What a board's calibration is stored under; null where it tells none. */
export function serialOf(radio: Radio): string | null {
  if (radio instanceof HackrfRadio) return radio.facts.serial;
  return radio instanceof PlutoRadio ? radio.identity.serial : null;
}

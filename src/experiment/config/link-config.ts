import { UsageError } from '../../common/errors.ts';
import type { HarqRule } from '../../link/harq/asking.ts';
import { FADING_CHANNELS } from '../../phy/channel/power-delay-profiles.ts';
import { CHANNELS } from '../../phy/channel/scenario.ts';
import type { EstimatorName } from '../../phy/channel-est/estimator.ts';
import { frontendFor, supportedDeviceRatesHz } from '../../phy/frontend/frontend.ts';
import { type Numerology, numerology, SUBCARRIER_SPACING_HZ } from '../../phy/numerology.ts';
import { loadProfile, type ProfileName } from '../../radio/profile.ts';
import type { SampleFormat } from '../../radio/radio.ts';
import { LINK_CODECS, LINK_FLAGS, type LinkInput, parseLinkInput, tracePath } from './link-input.ts';

export { LINK_CODECS, LINK_FLAGS, type LinkInput, linkInputSchema, parseLinkInput, tracePath } from './link-input.ts';

/** Every setting of a link, defaults filled in. What is absent is off. */
export interface LinkConfig extends Omit<LinkInput, 'cbr'> {
  readonly codec: (typeof LINK_CODECS)[number] | `onnx:${string}`;
  readonly correction: boolean;
  readonly perceptual: boolean;
  readonly format: 'avif' | 'webp' | 'jpeg' | 'best';
  readonly mapping: 'matched' | 'uniform' | 'random' | 'worst';
  readonly mappingForced: boolean;
  readonly channel: string;
  /** null: the noise of the channel trace as it was recorded. */
  readonly snrDb: number | null;
  readonly snrNorm: 'ensemble' | 'burst';
  readonly ideal: boolean;
  /** R; the channel bandwidth ratio is a third of it. */
  readonly symbolsPerPixel: number;
  readonly harq: number;
  readonly harqBy: HarqRule;
  /** RE that a picture may take with its repetitions, as a multiple of its budget. */
  readonly repeatBudget: number;
  readonly seed: number;
  /** Number of subbands. */
  readonly numerology: number;
  readonly profile: ProfileName;
  /** Device rate. */
  readonly rateHz: number;
  readonly sampleFormat: SampleFormat;
  readonly csiDelayMs: number;
  /** Sounding bursts before a picture, and the time from one to the next (more where a burst is longer). */
  readonly soundings: number;
  readonly soundingEveryMs: number;
  /** Way back: in this process, by bursts over the air, ws://HOST:PORT, through a NATS server, or none. */
  readonly feedback:
    | 'same'
    | 'burst'
    | 'none'
    | `ws://${string}`
    | `wss://${string}`
    | `nats://${string}`
    | `tls://${string}`;
  /** Water-filling over the subbands by the CSI report. */
  readonly powerLoading: boolean;
  readonly estimator: EstimatorName;
  readonly assumeSnrDb: number;
}

/** Without `--codec`; `--format` is a word of the classical codec alone, so where only that is given it means this one. */
const DEFAULT_CODEC = 'integrated';
/** Soundings that a fading channel is predicted from (docs/adr/0017-predicted-csi.md); one is enough where nothing fades. */
const FADING_SOUNDINGS = 4;
/** Largest default budget that needs no flag: CBR 1/16. */
const DEFAULT_SYMBOLS_PER_PIXEL = 3 / 16;

/**
 * Checks settings and fills in the defaults. The result, or its JSON, is valid input again and gives itself, so a
 * run's config.resolved.yaml can be given to `-c`.
 *
 * UsageError naming the flag (and key), what was given and what is allowed.
 */
export function resolveLinkConfig(input: unknown): LinkConfig {
  const i = parseLinkInput(input);
  if (i.symbolsPerPixel !== undefined && i.cbr !== undefined) {
    throw new UsageError('--symbols-per-pixel and --cbr set the same budget: give one of them', 'CBR = R / 3');
  }
  checkChannel(i);
  checkSemanticWords(i);
  if (i.powerLoading && i.feedback === 'none') {
    throw new UsageError(
      '--power-loading needs the CSI report, and --feedback none brings none',
      'give --feedback same',
    );
  }
  const n = numerology(i.numerology ?? 25);
  const profile = i.profile ?? 'loopback';
  const { cbr, ...rest } = i;
  return {
    ...rest,
    codec: codecOf(i) as LinkConfig['codec'],
    correction: i.correction ?? true,
    perceptual: i.perceptual ?? false,
    format: i.format ?? 'avif',
    mapping: i.mapping ?? 'matched',
    mappingForced: i.mappingForced ?? i.mapping !== undefined,
    channel: i.channel ?? 'awgn',
    snrDb: i.snrDb ?? (tracePath(i.channel ?? '') === null ? 15 : null),
    snrNorm: i.snrNorm ?? 'ensemble',
    ideal: i.ideal ?? false,
    symbolsPerPixel: i.symbolsPerPixel ?? (cbr === undefined ? DEFAULT_SYMBOLS_PER_PIXEL : 3 * cbr),
    harq: i.harq ?? 3,
    harqBy: i.harqBy ?? 'importance',
    repeatBudget: i.repeatBudget ?? 1,
    seed: i.seed ?? 1,
    numerology: n.nSubbands,
    profile,
    rateHz: deviceRateHz(n, profile, i.rateHz),
    sampleFormat: sampleFormatOf(profile, i.sampleFormat),
    csiDelayMs: i.csiDelayMs ?? 20,
    soundings: i.soundings ?? (FADING_CHANNELS.includes(i.channel ?? 'awgn') ? FADING_SOUNDINGS : 1),
    soundingEveryMs: i.soundingEveryMs ?? 20,
    feedback: (i.feedback ?? 'same') as LinkConfig['feedback'],
    powerLoading: i.powerLoading ?? false,
    estimator: i.estimator ?? 'lmmse',
    assumeSnrDb: i.assumeSnrDb ?? 5,
  };
}

/** Occupied bandwidth of a numerology, the empty subcarrier at DC included. */
export function occupiedHz(n: Numerology): number {
  return (n.nCarriers + 1) * SUBCARRIER_SPACING_HZ;
}

function codecOf(i: LinkInput): string {
  return i.codec ?? (i.format === undefined ? DEFAULT_CODEC : 'classical');
}

/** What only a codec that knows SFVs can be told. */
const SENDER_WORDS = ['size', 'mode', 'order', 'keep', 'roi', 'maxSfvs'] as const;

/** Of these, what leaves SFVs out. */
const OWN_MODES = ['mode', 'keep', 'roi'] as const;

function checkSemanticWords(i: LinkInput): void {
  if (i.codec?.startsWith('onnx:')) {
    const given = OWN_MODES.filter((key) => i[key] !== undefined);
    if (given.length === 0) return;
    throw new UsageError(
      `${given.map((key) => LINK_FLAGS[key]).join(', ')}: not with a pair of your own, which sends all of a picture`,
    );
  }
  if (codecOf(i) !== 'classical') return;
  const given = SENDER_WORDS.filter((key) => i[key] !== undefined);
  if (given.length === 0) return;
  const others = LINK_CODECS.filter((c) => c !== 'classical').join(' or ');
  throw new UsageError(
    `${given.map((key) => LINK_FLAGS[key]).join(', ')}: not with the classical codec, which knows no SFVs`,
    `give --codec ${others}`,
  );
}

function checkChannel(i: LinkInput): void {
  const channel = i.channel ?? 'awgn';
  if (tracePath(channel) !== null) {
    const given = (['dopplerHz', 'delaySpreadNs', 'snrNorm'] as const).filter(
      (key) => i[key] !== undefined && i[key] !== 'ensemble',
    );
    if (given.length > 0) {
      const flags = given.map((key) => LINK_FLAGS[key]).join(', ');
      throw new UsageError(`${flags}: not with --channel trace:RUN, which holds its own delays and Doppler`);
    }
    return;
  }
  if (i.dopplerHz !== undefined && channel === 'awgn') {
    throw new UsageError('--doppler is for fading channels', `give --channel ${CHANNELS.slice(1).join(', ')}`);
  }
  if (i.delaySpreadNs !== undefined && !channel.startsWith('tdl-')) {
    throw new UsageError(
      `--delay-spread is for the TDL channels, not ${channel}`,
      'give --channel tdl-a, tdl-b, tdl-c',
    );
  }
}

/** The given device rate if board and modem can both use it, else the profile's default for this numerology. */
function deviceRateHz(n: Numerology, name: ProfileName, given: number | undefined): number {
  const limits = loadProfile(name).limits;
  const { min, max } = limits.rateHz.value;
  const supported = supportedDeviceRatesHz(n.sampleRateHz, occupiedHz(n)).filter((r) => r >= min && r <= max);
  if (given !== undefined) {
    if (given < min || given > max) {
      throw new UsageError(
        `--rate ${given / 1e6} Msps is out of range for ${name}: allowed ${min / 1e6} to ${max / 1e6} Msps`,
        `with numerology ${n.nSubbands}: ${supported.map((r) => r / 1e6).join(', ')} Msps`,
      );
    }
    return frontendFor(n.sampleRateHz, occupiedHz(n), given).deviceRateHz;
  }
  const floor = name === 'hackrf' ? limits.recommendedMinRateHz.value : min;
  if (name !== 'hackrf' && n.sampleRateHz >= floor) return n.sampleRateHz;
  return supported.find((r) => r >= floor)!;
}

function sampleFormatOf(name: ProfileName, given: SampleFormat | undefined): SampleFormat {
  const { formats } = loadProfile(name);
  if (given === undefined) return formats[0];
  if (formats.includes(given)) return given;
  throw new UsageError(`${name} does not deliver ${given}: one of ${formats.join(', ')}`);
}

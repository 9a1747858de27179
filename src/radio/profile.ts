import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FormatError, UsageError } from '../common/errors.ts';
import type { GainStage, RadioCapabilities } from './radio.ts';

/**
 * A figure with where it comes from. `basis`: documented by the maker, measured by others, unchecked (said to be in the
 * source named, but nobody here has looked it up), or assumed because nobody publishes it. The last two are values to
 * simulate with, not claims about the board.
 */
const figure = <T extends z.ZodType>(value: T) =>
  z.strictObject({
    value,
    basis: z.enum(['documented', 'measured', 'unchecked', 'assumed']),
    source: z.string().min(1),
  });

const range = z.strictObject({ min: z.number(), max: z.number(), step: z.number().min(0) });

const profileSchema = z.strictObject({
  schema: z.literal('sct.profile/1'),
  name: z.string(),
  board: z.string(),
  formats: z.array(z.enum(['ci8', 'ci16_le', 'cf32_le'])).min(1),
  fullScale: z.number().positive(),
  duplex: z.enum(['full', 'half']),
  realtime: z.boolean(),
  limits: z.strictObject({
    frequencyHz: figure(range),
    rateHz: figure(range),
    /** Lowest rate at which the board works well. */
    recommendedMinRateHz: figure(z.number()),
    maxContinuousRateHz: figure(z.number()),
    basebandFiltersHz: figure(z.array(z.number())),
    gainsDb: figure(z.array(z.strictObject({ name: z.string(), direction: z.enum(['rx', 'tx']), ...range.shape }))),
    maxInputDbm: figure(z.number().nullable()),
    maxOutputDbm: figure(z.array(z.strictObject({ fromHz: z.number(), toHz: z.number(), dbm: z.number() }))),
  }),
  frontEnd: z.strictObject({
    /** Effective converter resolution each way, bits. */
    converterBits: figure(z.number()),
    clockTolerancePpm: figure(z.number()),
    /** Amplitude and phase mismatch between I and Q, each end. */
    iqGainDb: figure(z.number()),
    iqPhaseDeg: figure(z.number()),
    dcDbfs: figure(z.number().nullable()),
    /** Single-sideband phase noise at offsets from the carrier, for a carrier at `carrierHz`. */
    phaseNoise: figure(
      z.strictObject({ carrierHz: z.number(), offsetsHz: z.array(z.number()), dbcHz: z.array(z.number()) }).nullable(),
    ),
    /** With the RF amplifier on, where the board has one. */
    noiseFigureDb: figure(z.number().nullable()),
    noiseFigureWithoutAmpDb: figure(z.number()).optional(),
    /** Power at the connector of a tone of full scale when all receive gains are 0 dB. */
    rxFullScaleDbm: figure(z.number().nullable()),
  }),
});

export type RadioProfile = z.infer<typeof profileSchema>;

export const PROFILE_NAMES = ['hackrf', 'pluto', 'loopback'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** Checks the contents of a profile file; a FormatError names the wrong field. */
export function parseProfile(json: unknown): RadioProfile {
  const result = profileSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new FormatError(issue.path.join('.') || 'profile', issue.message);
  }
  return result.data;
}

/** Loads `hardware/NAME.json` of this installation. */
export function loadProfile(name: ProfileName): RadioProfile {
  if (!PROFILE_NAMES.includes(name))
    throw new UsageError(`no profile "${name}"; there are: ${PROFILE_NAMES.join(', ')}`);
  const path = findHardwareFile(`${name}.json`);
  return parseProfile(JSON.parse(readFileSync(path, 'utf8')));
}

/** What the board can do, as an open radio would report it. */
export function profileCapabilities(profile: RadioProfile): RadioCapabilities {
  const { limits } = profile;
  return {
    name: profile.name,
    formats: profile.formats,
    duplex: profile.duplex,
    rx: true,
    tx: true,
    frequencyHz: limits.frequencyHz.value,
    rateHz: limits.rateHz.value,
    maxContinuousRateHz: limits.maxContinuousRateHz.value,
    gains: limits.gainsDb.value.map((stage): GainStage => ({ ...stage, unit: 'dB' })),
    realtime: profile.realtime,
  };
}

/** Path of `hardware/FILE` of this installation: sources run from src/radio, the built package from dist/src/radio, some levels below. */
export function findHardwareFile(file: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const path = join(folder, 'hardware', file);
    if (existsSync(path)) return path;
    const parent = dirname(folder);
    if (parent === folder) throw new UsageError(`hardware/${file} is missing from this installation`);
    folder = parent;
  }
}

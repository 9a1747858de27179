import { z } from 'zod';
import { UsageError } from '../../common/errors.ts';
import { nearest } from '../../common/nearest.ts';
import { HARQ_RULES } from '../../link/harq/asking.ts';
import { isNatsUrl, parseNatsUrl } from '../../link/nats/nats-url.ts';
import { MAX_SYMBOLS_PER_PIXEL } from '../../link/plan/budget-split.ts';
import { JAMMER_KINDS } from '../../phy/channel/jammer.ts';
import { PHASE_NOISE_PROFILES } from '../../phy/channel/phase-noise.ts';
import { CHANNELS } from '../../phy/channel/scenario.ts';
import { ESTIMATORS } from '../../phy/channel-est/estimator.ts';
import { NUMEROLOGIES } from '../../phy/numerology.ts';
import { PROFILE_NAMES } from '../../radio/profile.ts';
import { TASKS } from '../../sct/importance/importance-map.ts';
import { ORDERS } from '../../sct/importance/scores.ts';
import { MODES } from '../../sct/modes/mode-choice.ts';
import { DISTORTIONS } from '../../sct/modes/semantic-options.ts';

const NO_HASH = 'is not FILE:SHA256 (sha256sum FILE says the 64 digits)';

/** Codecs that the link carries. */
export const LINK_CODECS = ['integrated', 'modular', 'classical'] as const;

/** A number of a stated unit within [min, max]; outside it is refused with the range, which the schema's JSON says as well. */
function quantity(min: number, max: number, unit = '') {
  const u = unit ? ` ${unit}` : '';
  return z
    .number({ error: 'must be a number' })
    .superRefine((v, ctx) => {
      if (!(v >= min && v <= max))
        ctx.addIssue({ code: 'custom', message: `${v}${u} is out of range: allowed ${min} to ${max}${u}` });
    })
    .meta({ minimum: min, maximum: max, unit });
}

/** Words of a user's, e.g. a path: some, and not endless. */
function words(most: number) {
  return z
    .string()
    .min(1, { error: 'is empty' })
    .max(most, { error: `is longer than ${most} characters` });
}

function whole(min: number, max: number, unit = '') {
  return quantity(min, max, unit)
    .refine(Number.isInteger, { error: 'must be a whole number' })
    .meta({ integer: true, minimum: min, maximum: max, unit });
}

function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: (issue) => `${text(issue.input)} is not one of ${values.join(', ')}` });
}

/** Settings of a link as they come from flags or a file: everything may be absent. */
export const linkInputSchema = z.strictObject({
  codec: z
    .string()
    .superRefine(checkCodec)
    .meta({ examples: [...LINK_CODECS] })
    .optional(),
  /** Model set of the semantic codecs, and a folder with others. */
  size: oneOf(['base', 'live']).optional(),
  modelsDir: words(4096).optional(),
  /** Loopback: folder with all model sets that the receiver holds; absent: those of the transmitter. */
  rxModelsDir: words(4096).optional(),
  /** A picture, or a folder of pictures, that this end holds as references. */
  known: words(4096).optional(),
  /** Folder of model sets and pictures that were pushed to this end; what is allowed of it is held. */
  pushedDir: words(4096).optional(),
  mode: oneOf(MODES).optional(),
  task: oneOf(TASKS).optional(),
  order: oneOf(ORDERS).optional(),
  /** What selective mode keeps: class names or score>=X, or a rectangle x,y,w,h. */
  keep: words(1000).optional(),
  roi: words(100).optional(),
  distortion: oneOf(DISTORTIONS).optional(),
  correction: z.boolean().optional(),
  perceptual: z.boolean().optional(),
  /** Image file format of the classical codec. */
  format: oneOf(['avif', 'webp', 'jpeg', 'best']).optional(),
  mapping: oneOf(['matched', 'uniform', 'random', 'worst']).optional(),
  /** True: the mapping holds even without a fresh CSI report. Default: true where a mapping is given. */
  mappingForced: z.boolean().optional(),
  /** A model, or trace:RUN. */
  channel: z
    .string()
    .max(4096)
    .superRefine(checkChannelName)
    .meta({ examples: [...CHANNELS] })
    .optional(),
  /** null, with a trace: the noise as recorded. */
  snrDb: quantity(-60, 200, 'dB').nullable().optional(),
  snrNorm: oneOf(['ensemble', 'burst']).optional(),
  delaySpreadNs: quantity(1, 1000, 'ns').optional(),
  dopplerHz: quantity(0, 2000, 'Hz').optional(),
  ideal: z.boolean().optional(),
  cfoHz: quantity(-1e6, 1e6, 'Hz').optional(),
  sfoPpm: quantity(-1000, 1000, 'ppm').optional(),
  iqDb: quantity(-6, 6, 'dB').optional(),
  iqDeg: quantity(-45, 45, 'degrees').optional(),
  dcDbfs: quantity(-200, 0, 'dBFS').optional(),
  phaseNoise: oneOf(Object.keys(PHASE_NOISE_PROFILES)).optional(),
  bits: whole(1, 16, 'bits').optional(),
  jammer: z
    .strictObject({
      kind: oneOf(JAMMER_KINDS),
      powerDb: quantity(-100, 100, 'dB'),
      centreHz: quantity(-30e6, 30e6, 'Hz').optional(),
      widthHz: quantity(1, 60e6, 'Hz').optional(),
      dutyCycle: quantity(0, 1).optional(),
      periodS: quantity(1e-6, 1e3, 's').optional(),
      startS: quantity(0, 1e6, 's').optional(),
    })
    .optional(),
  /** Budget R in complex symbols per pixel, or cbr = R/3: one of them. */
  symbolsPerPixel: quantity(1e-4, MAX_SYMBOLS_PER_PIXEL).optional(),
  cbr: quantity(3e-5, 22).optional(),
  harq: whole(0, 16).optional(),
  harqBy: oneOf(HARQ_RULES).optional(),
  /** Multiple of the budget. */
  repeatBudget: quantity(1, 32).optional(),
  /** Extra margin of the more important half in the code rates of streams of bits; default by what the CSI report can tell. */
  protectionDb: quantity(0, 20, 'dB').optional(),
  maxSfvs: whole(1, 255, 'SFVs').optional(),
  seed: whole(0, 2 ** 32 - 1).optional(),
  numerology: oneOfNumbers(NUMEROLOGIES.map((n) => n.nSubbands)).optional(),
  profile: oneOf(PROFILE_NAMES).optional(),
  rateHz: quantity(1e5, 61.44e6, 'Hz').optional(),
  sampleFormat: oneOf(['ci8', 'ci16_le', 'cf32_le']).optional(),
  frequencyHz: quantity(0, 6e9, 'Hz').optional(),
  txGainDb: quantity(-100, 100, 'dB').optional(),
  rxGainDb: quantity(-100, 100, 'dB').optional(),
  cabledDb: quantity(0, 200, 'dB').optional(),
  /** Where may be transmitted: names of hardware/bands or stretches of one's own (radio/safety/bands). */
  allowedBands: z
    .array(z.union([z.string().max(100), z.record(z.string().max(40), z.unknown())]))
    .max(64)
    .optional(),
  csiDelayMs: quantity(0, 1e5, 'ms').optional(),
  maxCsiAgeMs: quantity(0, 1e6, 'ms').optional(),
  /** Sounding bursts before a picture, and from one to the next. */
  soundings: whole(1, 16, 'bursts').optional(),
  soundingEveryMs: whole(1, 1000, 'ms').optional(),
  feedback: z
    .string()
    .superRefine(checkFeedback)
    .meta({ examples: ['same', 'burst', 'none'] })
    .optional(),
  /** File with the token that both ends of a feedback socket share. */
  feedbackToken: words(4096).optional(),
  powerLoading: z.boolean().optional(),
  estimator: oneOf(ESTIMATORS).optional(),
  assumeSnrDb: quantity(-20, 40, 'dB').optional(),
  minPsnrDb: quantity(0, 100, 'dB').optional(),
  maxDrops: whole(0, 2 ** 52, 'samples').optional(),
  /** FILE:SHA256 of a user's LPIPS network. */
  lpips: z
    .string()
    .max(4096)
    .regex(/.:[0-9a-fA-F]{64}$/, { error: NO_HASH })
    .optional(),
  /** FILE:SHA256 of a user's segmentation network that judges received pictures by `truth`. */
  judge: z
    .string()
    .max(4096)
    .regex(/.:[0-9a-fA-F]{64}$/, { error: NO_HASH })
    .optional(),
  /** Ground-truth label map (PNG, CamVid numbers) of the photo, or a folder of them for a folder of photos. */
  truth: words(4096).optional(),
  durationS: quantity(1e-3, 1e7, 's').optional(),
  count: whole(1, 1e6).optional(),
});

export type LinkInput = z.infer<typeof linkInputSchema>;

/** The flag that sets each key; messages name it. */
export const LINK_FLAGS: { readonly [K in keyof LinkInput]?: string } = {
  codec: '--codec',
  size: '--size',
  modelsDir: '--models',
  rxModelsDir: '--rx-models',
  known: '--known',
  pushedDir: '--pushed',
  mode: '--mode',
  task: '--task',
  order: '--order',
  keep: '--keep',
  roi: '--roi',
  distortion: '--distortion',
  correction: '--correction',
  perceptual: '--perceptual',
  format: '--format',
  mapping: '--mapping',
  channel: '--channel',
  snrDb: '--snr',
  snrNorm: '--snr-norm',
  delaySpreadNs: '--delay-spread',
  dopplerHz: '--doppler',
  ideal: '--ideal',
  cfoHz: '--cfo',
  sfoPpm: '--sfo',
  iqDb: '--iq',
  iqDeg: '--iq',
  dcDbfs: '--dc',
  phaseNoise: '--phase-noise',
  bits: '--bits',
  jammer: '--jammer',
  symbolsPerPixel: '--symbols-per-pixel',
  cbr: '--cbr',
  harq: '--harq',
  harqBy: '--harq-by',
  repeatBudget: '--repeat-budget',
  protectionDb: '--protection',
  maxSfvs: '--max-sfvs',
  seed: '--seed',
  numerology: '--numerology',
  profile: '--profile',
  rateHz: '--rate',
  frequencyHz: '--freq',
  txGainDb: '--tx-gain',
  rxGainDb: '--rx-gain',
  cabledDb: '--cabled',
  csiDelayMs: '--csi-delay',
  maxCsiAgeMs: '--max-csi-age',
  soundings: '--soundings',
  soundingEveryMs: '--sounding-every',
  feedback: '--feedback',
  feedbackToken: '--feedback-token',
  powerLoading: '--power-loading',
  estimator: '--estimator',
  assumeSnrDb: '--assume-snr',
  minPsnrDb: '--min-psnr',
  maxDrops: '--max-drops',
  lpips: '--lpips',
  judge: '--judge',
  truth: '--truth',
  durationS: '--duration',
  count: '--count',
};

/** The input with every value checked on its own; a UsageError names the flag of the first wrong one. */
export function parseLinkInput(input: unknown): LinkInput {
  const result = linkInputSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0];
    const close = nearest(key, Object.keys(linkInputSchema.shape));
    throw new UsageError(
      `unknown setting "${key.slice(0, 80)}"`,
      close ? `did you mean "${close}"?` : `settings: ${Object.keys(linkInputSchema.shape).join(', ')}`,
    );
  }
  const key = String(issue.path[0] ?? '') as keyof LinkInput;
  const name = [LINK_FLAGS[key] ?? key, ...issue.path.slice(1).map(String)].join(' ');
  throw new UsageError(`${name || 'settings'}: ${issue.message}`);
}

const TRACE_PREFIX = 'trace:';

/** RUN of a channel `trace:RUN`; null for a model's name. */
export function tracePath(channel: string): string | null {
  return channel.startsWith(TRACE_PREFIX) ? channel.slice(TRACE_PREFIX.length) : null;
}

function checkChannelName(value: string, ctx: z.RefinementCtx): void {
  const path = tracePath(value);
  if (path === null ? CHANNELS.includes(value) : path.length > 0 && !path.includes('\0')) return;
  const message =
    path === null
      ? `${text(value)} is not one of ${CHANNELS.join(', ')}, trace:RUN`
      : 'trace: names no run: give trace:RUN, a run directory or its run.json';
  ctx.addIssue({ code: 'custom', message });
}

function checkCodec(value: string, ctx: z.RefinementCtx): void {
  if ((LINK_CODECS as readonly string[]).includes(value)) return;
  if (/^onnx:[^\0]{1,4096}$/.test(value)) return;
  ctx.addIssue({ code: 'custom', message: `${text(value)} is not one of ${LINK_CODECS.join(', ')}, onnx:DIR` });
}

function checkFeedback(value: string, ctx: z.RefinementCtx): void {
  if (value === 'same' || value === 'burst' || value === 'none') return;
  if (/^wss?:\/\//.test(value)) {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.hostname && !url.username && !url.password && !url.hash) return;
    ctx.addIssue({ code: 'custom', message: `${text(value)} is not ws://HOST:PORT` });
    return;
  }
  if (isNatsUrl(value)) {
    try {
      parseNatsUrl(value, '--feedback');
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: (error as Error).message.replace(/^--feedback:? /, '') });
    }
    return;
  }
  ctx.addIssue({
    code: 'custom',
    message: `${text(value)} is no feedback channel: there are same (both ends in one process), burst (over the air), ws://HOST:PORT, nats://HOST[:PORT][/NAME], none`,
  });
}

function oneOfNumbers(values: readonly number[]) {
  return z
    .number({ error: 'must be a number' })
    .superRefine((v, ctx) => {
      if (!values.includes(v)) ctx.addIssue({ code: 'custom', message: `${v} is not one of ${values.join(', ')}` });
    })
    .meta({ enum: [...values] });
}

function text(value: unknown): string {
  if (typeof value === 'string') return `"${value.slice(0, 80)}"`;
  // An object's own toString is as untrusted as the rest of it.
  return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : String(value);
}

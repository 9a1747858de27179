import { FormatError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import type { ReceivedSource, ReceivedStream, SfvState } from '../codec/codec.ts';
import { decodeSfvScale, SFV_NOT_SENT } from '../codec/sfv-power.ts';
import { MAX_STREAM_SYMBOLS } from '../codec/symbol-order.ts';
import { BAND_OF, BANDS } from './bands.ts';
import { decodeCoded } from './coded-speech.ts';
import { type Estimate, estimateLinear, rankCoefficients } from './linear-code.ts';
import { FRAME, inverseMdct } from './mdct.ts';
import type { Speech } from './speech.ts';
import { levelsOf, spansOf, UNIT_LEVEL } from './speech-model.ts';
import { decodeSpeechSide, type SpeechSide } from './speech-side.ts';
import { SPEECH_LABELS } from './voicing.ts';

/** The receiver's own choices. */
export interface SpeechDecodeOptions {
  /** What the estimate leaves open is filled with noise of that variance: fuller sound, larger error. Default false. */
  readonly perceptual?: boolean | undefined;
}

/** One SFV at the receiver. */
export interface SpeechSfvOutcome {
  readonly id: number;
  readonly label: (typeof SPEECH_LABELS)[number];
  readonly frames: number;
  /** `synthesised`: noise by the model alone; `lost`: silence. */
  readonly state: SfvState;
  readonly sent: boolean;
  /** Complex symbols that came. */
  readonly symbols: number;
  /** Capacity-equivalent SNR of these, dB; null when none came. */
  readonly snrDb: number | null;
}

/** Speech as the receiver plays it. */
export interface DecodedSpeech {
  /** undefined when nothing is known of it, not even its length. */
  readonly speech: Speech | undefined;
  readonly decodable: boolean;
  /** True when all of it that was sent arrived. */
  readonly complete: boolean;
  readonly note: string | undefined;
  readonly sfvs?: readonly SpeechSfvOutcome[];
}

type AnalogStream = Extract<ReceivedStream, { kind: 'analog' }>;

/** What came over the air; side information or a file that is missing or contradicts itself is an outage. Never throws for it. */
export function decodeSpeech({ sideInfo, streams }: ReceivedSource, options: SpeechDecodeOptions): DecodedSpeech {
  if (!sideInfo) return outage('the side information did not arrive');
  try {
    // A file stands in its stream alone.
    return sideInfo.length === 0 ? decodeFile(streams) : decodeAnalog(decodeSpeechSide(sideInfo), streams, options);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return outage(error.message);
  }
}

function outage(note: string): DecodedSpeech {
  return { speech: undefined, decodable: false, complete: false, note };
}

function decodeFile(streams: readonly ReceivedStream[]): DecodedSpeech {
  const [stream] = streams;
  if (stream?.kind !== 'bits') return outage('the file did not arrive');
  // Its range code has no second beginning.
  if (stream.missing.length > 0) return outage(`bytes from ${stream.missing[0].from} on did not arrive`);
  const { coefficients, samples } = decodeCoded(stream.payload);
  return { speech: { samples: inverseMdct(coefficients, samples) }, decodable: true, complete: true, note: undefined };
}

function decodeAnalog(
  side: SpeechSide,
  streams: readonly ReceivedStream[],
  options: SpeechDecodeOptions,
): DecodedSpeech {
  const { model } = side;
  const levels = levelsOf(model);
  const spans = spansOf(model);
  const estimate = unknown(levels);
  const came = new Map<number, { arrived: number; places: number; bits: number }>();
  const faults: string[] = [];
  for (const stream of streams) {
    const { id } = stream;
    const fault = faultOf(stream, side, came);
    if (fault !== null) {
      faults.push(`stream ${id} ${fault}`);
      continue;
    }
    const { scale, share } = side.sfvs[id];
    if (scale === SFV_NOT_SENT) continue;
    const analog = stream as AnalogStream;
    const ranked = rankCoefficients(spans[id], levels);
    const figures = estimateLinear(ranked, analog, share, decodeSfvScale(scale), estimate);
    came.set(id, { ...figures, places: analog.snrDb.length });
  }
  const samples = inverseMdct(options.perceptual ? drawn(estimate) : estimate.value, model.samples);
  const sfvs = side.sfvs.map(({ label, scale }, id): SpeechSfvOutcome => {
    const own = came.get(id);
    const arrived = own?.arrived ?? 0;
    let state: SfvState = 'received';
    if (arrived === 0) state = options.perceptual ? 'synthesised' : 'lost';
    else if (arrived < own!.places) state = 'repaired';
    const snrDb = arrived > 0 ? 10 * Math.log10(2 ** own!.bits - 1) : null;
    const sent = scale !== SFV_NOT_SENT;
    return { id, label: SPEECH_LABELS[label], frames: spans[id].frames, state, sent, symbols: arrived, snrDb };
  });
  const lost = sfvs.filter((s) => s.sent && s.symbols === 0).length;
  const hurt = sfvs.filter((s) => s.state === 'repaired').length;
  // Of silence nothing is sent, and nothing is missing.
  const decodable = sfvs.some((s) => s.symbols > 0) || sfvs.every((s) => !s.sent);
  const parts = [
    ...(lost > 0 ? [`${lost} of ${sfvs.length} SFVs did not arrive`] : []),
    ...(hurt > 0 ? [`${hurt} arrived in part`] : []),
    ...(faults.length > 0 ? [`refused: ${faults[0]}`] : []),
  ];
  const note = parts.length > 0 ? parts.join('; ') : undefined;
  return { speech: { samples }, decodable, complete: decodable && note === undefined, note, sfvs };
}

/** What is known before any symbol has come: nothing but variances. */
function unknown(levels: Uint8Array): Estimate {
  const count = (levels.length / BANDS) * FRAME;
  const open = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    open[at] = 2 ** (levels[Math.floor(at / FRAME) * BANDS + BAND_OF[at % FRAME]] - UNIT_LEVEL);
  }
  return { value: new Float32Array(count), open };
}

/** Why a stream cannot be taken, or null. */
function faultOf(stream: ReceivedStream, { sfvs }: SpeechSide, came: ReadonlyMap<number, unknown>): string | null {
  if (!Number.isInteger(stream.id) || stream.id < 0 || stream.id >= sfvs.length)
    return `belongs to none of ${sfvs.length} SFVs`;
  if (came.has(stream.id)) return 'stands twice';
  if (stream.kind !== 'analog') return 'has coded bits, SFVs are analog';
  const symbols = stream.snrDb.length;
  if (symbols < 1 || symbols > MAX_STREAM_SYMBOLS || stream.symbolsReIm.length !== 2 * symbols) {
    return `has ${stream.symbolsReIm.length} numbers for ${symbols} symbols`;
  }
  return null;
}

/** A draw from what the estimate leaves open, the same every time. */
function drawn({ value, open }: Estimate): Float32Array {
  const random = new RandomStream('speech synthesis');
  return value.map((v, at) => v + Math.sqrt(open[at]) * random.normal());
}

import { inRange } from '../../common/errors.ts';
import { meanPower } from '../codec/analog-stream.ts';
import type {
  AnalyseHints,
  EncodedSource,
  EncodedStream,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
} from '../codec/codec.ts';
import { checkGrants, DEFAULT_CSI_DB } from '../codec/grants.ts';
import { SFV_NOT_SENT, sfvDivisor } from '../codec/sfv-power.ts';
import { MAX_STREAM_SYMBOLS } from '../codec/symbol-order.ts';
import { encodeCoded, fitCoded, MAX_STEP_CODE } from './coded-speech.ts';
import { chooseShare, mapLinear, type RankedCoefficients, rankCoefficients } from './linear-code.ts';
import { MAX_SPEECH_SFVS } from './segments.ts';
import type { Speech } from './speech.ts';
import { type DecodedSpeech, decodeSpeech, type SpeechDecodeOptions } from './speech-decoder.ts';
import { levelsOf } from './speech-model.ts';
import { analyseSpeech, type SpeechAnalysis, speechStreams } from './speech-plan.ts';
import { encodeSpeechSide, type SfvCoding, type SpeechKind } from './speech-side.ts';

export interface SpeechCodecOptions {
  /** `analog` (default): joint source-channel coding an SFV. `coded`: one file of bits, the reference. */
  readonly kind?: SpeechKind | undefined;
  /** Most SFVs, 1 to 255, where the link has not said less; default 12. */
  readonly maxSfvs?: number | undefined;
}

/** As many as a picture has (ADR 0020). */
export const USUAL_SPEECH_SFVS = 12;
/** Most bytes of a file: what the extension counts. */
const MAX_FILE_BYTES = 2 ** 22 - 1;

export interface SpeechPlan extends SourcePlan {
  readonly analysis: SpeechAnalysis;
  readonly settings: EncodedSource['settings'];
}

/** Speech as a source of streams (docs/adr/0031-speech.md): stretches that sound alike are SFVs with an importance, like regions of a picture. */
export class SpeechCodec {
  readonly name = 'speech';
  private readonly kind: SpeechKind;
  private readonly maxSfvs: number;

  /** @throws UsageError for a number of SFVs outside 1 to 255 */
  constructor({ kind = 'analog', maxSfvs = USUAL_SPEECH_SFVS }: SpeechCodecOptions = {}) {
    this.kind = kind;
    this.maxSfvs = inRange('most SFVs of speech', maxSfvs, 1, MAX_SPEECH_SFVS);
  }

  describe(): string {
    const how = this.kind === 'analog' ? 'linear joint source-channel code' : 'range-coded file';
    return `speech: ${how} of an MDCT, 16 kHz, at most ${this.maxSfvs} SFVs`;
  }

  async analyse(speech: Speech, hints: AnalyseHints = {}): Promise<SpeechPlan> {
    const most = Math.min(this.maxSfvs, hints.maxSfvs ?? MAX_SPEECH_SFVS);
    const analysis = analyseSpeech(speech, most);
    return this.kind === 'analog' ? analogPlan(analysis) : codedPlan(analysis);
  }

  /** What came over the air; both kinds. Never throws for anything received. */
  async decode(received: ReceivedSource, options: SpeechDecodeOptions = {}): Promise<DecodedSpeech> {
    return decodeSpeech(received, options);
  }
}

function analogPlan(analysis: SpeechAnalysis): SpeechPlan {
  const { model, sfvs, spans, ranking } = analysis;
  const streams = speechStreams(analysis);
  const levels = levelsOf(model);
  const unsent = (): SfvCoding[] => sfvs.map(({ label }) => ({ label, scale: SFV_NOT_SENT, share: 1 }));
  const settings = { speech: 'analog', sfvs: sfvs.length, sent: 0 };
  const known = new Map<number, RankedCoefficients>();
  const encode = async (grants: readonly StreamGrant[]): Promise<EncodedSource> => {
    checkGrants(grants, streams, MAX_STREAM_SYMBOLS, 'symbols');
    const coding = unsent();
    const encoded = grants.map(({ id, size, snrDb }): EncodedStream => {
      const ranked = known.get(id) ?? rankCoefficients(spans[id], levels);
      known.set(id, ranked);
      const share = chooseShare(ranked, 2 * size, 10 ** ((snrDb ?? DEFAULT_CSI_DB) / 10));
      const symbolsReIm = new Float32Array(2 * size);
      mapLinear(ranked, analysis.coefficients, share, symbolsReIm);
      const rms = Math.sqrt(meanPower(symbolsReIm));
      if (!(rms > 0)) return { id, kind: 'analog', symbolsReIm: filling(symbolsReIm) };
      const { code, divisor } = sfvDivisor(rms, 1);
      coding[id] = { ...coding[id], scale: code, share };
      return { id, kind: 'analog', symbolsReIm: symbolsReIm.map((v) => v / divisor) };
    });
    const sideInfo = encodeSpeechSide({ model, sfvs: coding });
    return { sideInfo, streams: encoded, settings: { ...settings, sent: encoded.length } };
  };
  const sideInfoBytes = encodeSpeechSide({ model, sfvs: unsent() }).length;
  return { analysis, streams, ranking, sideInfoBytes, budgetIn: 'symbols', settings, encode };
}

/** Digital silence has no power; its RE must have some. */
function filling(symbolsReIm: Float32Array): Float32Array {
  for (let q = 0; 2 * q < symbolsReIm.length; q++) symbolsReIm[2 * q] = q % 2 ? -1 : 1;
  return symbolsReIm;
}

function codedPlan(analysis: SpeechAnalysis): SpeechPlan {
  const { model, coefficients } = analysis;
  const least = encodeCoded(model, coefficients, MAX_STEP_CODE).length;
  const settings = { speech: 'coded', sfvs: analysis.sfvs.length };
  return {
    analysis,
    streams: [{ id: 0, kind: 'bits', score: 255, minSize: least }],
    sideInfoBytes: 0,
    budgetIn: 'symbols',
    settings,
    encode: async (grants) => {
      const streams = grants.map(({ id, size }): EncodedStream => {
        return { id, kind: 'bits', payload: fitCoded(model, coefficients, Math.min(size, MAX_FILE_BYTES)).file };
      });
      return { sideInfo: new Uint8Array(0), streams, settings };
    },
  };
}

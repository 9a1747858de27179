import { ExitCode } from '../../common/errors.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { SpeechFigures } from '../speech/speech-figures.ts';
import { type BurstTrace, finalBlocks } from './burst-trace.ts';
import { snrOfRhoDb } from './link-trace.ts';
import type { LinkMetrics } from './metrics.ts';

/** Exit code of a link run by the contract: was anything heard, did the picture arrive, how good, what was lost. */
export function exitCodeOf(
  metrics: LinkMetrics,
  limits: { readonly minPsnrDb?: number | undefined; readonly maxDrops?: number | undefined },
  heard: boolean,
): ExitCode {
  // Nothing is amiss with the signal where there was none to send.
  if (metrics.unsent) return ExitCode.quality;
  if (!heard) return ExitCode.noSignal;
  if (!metrics.ok) return ExitCode.quality;
  const { minPsnrDb, maxDrops } = limits;
  if (minPsnrDb !== undefined && metrics.psnrDb !== null && metrics.psnrDb < minPsnrDb) return ExitCode.quality;
  if (maxDrops !== undefined && (metrics.lostSamples ?? 0) > maxDrops) return ExitCode.samplesLost;
  return ExitCode.ok;
}

/** One line on why a link run did not end well, for stderr, run.json and the report; null when it did. */
export function outcomeText(
  metrics: LinkMetrics,
  limits: { readonly minPsnrDb?: number | undefined },
  decoded: DecodedImage | undefined,
  trace: { readonly bursts: readonly BurstTrace[]; readonly misses: number; readonly missRho: number },
): string | null {
  if (metrics.unsent) {
    const what = metrics.codec === 'speech' ? 'the speech' : 'the picture';
    return `not sent: over this channel no coding of ${what} fits its budget`;
  }
  if (trace.bursts.length === 0) {
    return trace.misses > 0 ? missesText(trace) : 'no burst was found';
  }
  const data = trace.bursts.filter((b) => b.use === 'data');
  if (data.length === 0 && !decoded) return 'no burst with a picture was found, only sounding';
  if (!decoded) return `no part of the picture could be read: ${data[0].suspect ?? 'its blocks were lost'}`;
  const spoken = metrics.speech && speechOutcome(metrics.speech);
  if (spoken || metrics.codec === 'speech') return spoken ?? null;
  // A semantic codec's guess: made up, marked so, and not flat grey.
  if (decoded.sfvs && !decoded.decodable) return decoded.note ?? 'nothing of the picture arrived';
  if (!decoded.complete) {
    const known = data.flatMap((b) => finalBlocks(b, trace.bursts));
    const last = known.length > 0 ? known : (trace.bursts.findLast((b) => b.blocks.length > 0)?.blocks ?? []);
    const lost = last.filter((b) => !b.ok).length;
    const count = data.length <= 1 ? `${lost} of ${last.length} blocks lost` : 'blocks or whole bursts lost';
    const what = decoded.decodable
      ? 'the picture is damaged'
      : 'the picture could not be decoded and is shown as flat grey';
    return `${what}: ${decoded.note ?? count}${decoded.note && last.length > 0 ? ` (${count})` : ''}`;
  }
  const { psnrDb } = metrics;
  const least = limits.minPsnrDb;
  return least !== undefined && psnrDb !== null && psnrDb < least
    ? `PSNR ${psnrDb.toFixed(2)} dB is below --min-psnr ${least} dB`
    : null;
}

/** Why speech did not come well, alone or beside a picture; null when it did. */
function speechOutcome({ outage, note }: SpeechFigures): string | null {
  if (outage === 1) return `the speech could not be decoded${note ? `: ${note}` : ''}`;
  return note === null ? null : `the speech is damaged: ${note}`;
}

/** SNR of a preamble below which a header's loss is the level's doing, dB over the receiver's whole band. */
const WEAK_SNR_DB = 0;

/** "too weak, SNR about -6 dB" where the preambles without a readable header say so; null where they do not. */
export function tooWeak({ misses, missRho }: { readonly misses: number; readonly missRho: number }): string | null {
  const snrDb = misses > 0 ? snrOfRhoDb(missRho) : null;
  return snrDb === null || snrDb > WEAK_SNR_DB ? null : `too weak, SNR about ${snrDb.toFixed(0)} dB`;
}

/** Why no header came behind the preambles that were seen. */
function missesText(trace: { readonly misses: number; readonly missRho: number }): string {
  const seen = `${trace.misses} preambles were seen, but no header could be decoded`;
  const weak = tooWeak(trace);
  return weak ? `${seen}: ${weak}; give a higher --tx-gain or less attenuation` : seen;
}

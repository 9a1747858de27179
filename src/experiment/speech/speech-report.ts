import type { DecodedImage } from '../../sct/codec/codec.ts';
import { SPEECH_RATE_HZ, type Speech } from '../../sct/speech/speech.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { ReportSpeech } from '../report/data.ts';
import { heardSpeech } from './speech-figures.ts';
import { wavOf } from './speech-files.ts';

/** Speech of so many seconds is played from the page itself; longer one lies beside it. */
const MOST_EMBEDDED_S = 20;

/** What a report shows of speech; null for a picture alone. */
export function reportSpeech(
  { speech }: LinkMetrics,
  source: Speech | undefined,
  decoded: DecodedImage | undefined,
): ReportSpeech | null {
  if (!speech) return null;
  const heard = heardSpeech(decoded)?.speech;
  return {
    source: source ? { file: 'source.wav', dataUri: uriOf(source) } : null,
    received: heard ? { file: 'received.wav', dataUri: uriOf(heard) } : null,
  };
}

function uriOf(speech: Speech): string | null {
  if (speech.samples.length > MOST_EMBEDDED_S * SPEECH_RATE_HZ) return null;
  return `data:audio/wav;base64,${Buffer.from(wavOf(speech)).toString('base64')}`;
}

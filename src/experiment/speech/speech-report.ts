import type { DecodedImage } from '../../sct/codec/codec.ts';
import { SPEECH_RATE_HZ, type Speech } from '../../sct/speech/speech.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { ReportSound, ReportSpeech } from '../report/data.ts';
import { spectrogram } from '../report/spectrogram.ts';
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
    source: source ? soundOf('source.wav', source) : null,
    received: heard ? soundOf('received.wav', heard) : null,
  };
}

function soundOf(file: string, speech: Speech): ReportSound {
  return { file, dataUri: uriOf(speech), spectrogram: spectrogram(speech.samples, SPEECH_RATE_HZ) };
}

function uriOf(speech: Speech): string | null {
  if (speech.samples.length > MOST_EMBEDDED_S * SPEECH_RATE_HZ) return null;
  return `data:audio/wav;base64,${Buffer.from(wavOf(speech)).toString('base64')}`;
}

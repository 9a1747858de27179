import { unsentOf } from '../../link/plan/coded-in-budget.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { decodeOptions, type LinkCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { setupLink } from '../config/link-setup.ts';
import type { QualityInputs } from '../config/quality-inputs.ts';
import { LoopbackExchange } from '../loopback/exchange.ts';
import { exitCodeOf } from '../metrics/exit-code.ts';
import { linkMetrics } from '../metrics/link-metrics.ts';
import { cleanTask } from '../metrics/machine-metrics.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import { sentSemantics } from '../metrics/semantic-collect.ts';
import { transmitFacts } from '../metrics/transmit-facts.ts';
import type { RecordedChannel } from '../replay/recorded-channel.ts';
import type { SpeechSending } from '../speech/speech-sending.ts';

/** What a point is sent with, made before and used again. */
export interface PointMaterials {
  readonly image: RgbImage;
  /** Speech, alone or beside the image, by which then everything is sent. */
  readonly speech?: SpeechSending | undefined;
  readonly quality: QualityInputs;
  readonly coding: LinkCodec;
  /** null where a model stands for the channel. */
  readonly recorded: RecordedChannel | null;
}

/** What a sending gave. */
export interface Measured {
  readonly metrics: LinkMetrics;
  readonly exitCode: number;
}

/**
 * One photo, or speech, through a modelled channel in simulated time, measured as `sct loopback` or `sct speech` measures it, with nothing written down: no run directory,
 * captures, waterfall or report, and no picture as it would be without correction.
 */
export async function measurePoint(config: LinkConfig, materials: PointMaterials): Promise<Measured> {
  const { image, speech, quality, coding, recorded } = materials;
  const source = speech ? speech.photo : image;
  const setup = setupLink(config, recorded, coding);
  const exchange = new LoopbackExchange(config, setup);
  await exchange.open();
  const plan = await unsentOf(exchange.sendPicture(image, speech?.budgetRe));
  await exchange.close();
  const { chain, trace } = exchange;
  const picture = chain.receiver.received.at(-1);
  const decoded = picture
    ? await chain.receiver.picture(picture, { ...decodeOptions(config), uncorrected: false })
    : undefined;
  const { labels } = coding;
  const semantic = labels ? sentSemantics(setup.numerology, labels, plan.source, plan, decoded) : undefined;
  const metrics = linkMetrics({
    config,
    trace,
    source,
    decoded,
    picture,
    labels,
    speech: speech?.speech,
    facts: transmitFacts(plan, exchange.transmitter),
    importance: semantic?.importance,
    samples: chain.samples,
    lostSamples: chain.lostSamples,
    clippedSamples: exchange.clippedSamples,
    modelled: true,
    roiMask: quality.roiMask,
    machine: { truth: quality.truth, clean: await cleanTask(coding.models, decoded, source) },
    networks: await quality.networks(source, decoded),
  });
  const exitCode = exitCodeOf(metrics, config, trace.bursts.length > 0);
  metrics.ok = exitCode === 0;
  return { metrics, exitCode };
}

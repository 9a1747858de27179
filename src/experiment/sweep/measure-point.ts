import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { LoopbackExchange } from '../exchange.ts';
import { exitCodeOf } from '../exit-code.ts';
import { decodeOptions, type LinkCodec } from '../link-codecs.ts';
import type { LinkConfig } from '../link-config.ts';
import { linkMetrics } from '../link-metrics.ts';
import { setupLink } from '../link-setup.ts';
import { cleanTask } from '../machine-metrics.ts';
import type { LinkMetrics } from '../metrics.ts';
import type { QualityInputs } from '../quality-inputs.ts';
import type { RecordedChannel } from '../recorded-channel.ts';
import { sentSemantics } from '../semantic-collect.ts';
import { transmitFacts } from '../transmit-facts.ts';

/** What a point is sent with, made before and used again. */
export interface PointMaterials {
  readonly image: RgbImage;
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
 * One photo through a modelled channel in simulated time, measured as `sct loopback` measures it, with nothing written down: no run directory,
 * captures, waterfall or report, and no picture as it would be without correction.
 */
export async function measurePoint(config: LinkConfig, materials: PointMaterials): Promise<Measured> {
  const { image, quality, coding, recorded } = materials;
  const setup = setupLink(config, recorded, coding);
  const exchange = new LoopbackExchange(config, setup);
  await exchange.open();
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const { chain, trace } = exchange;
  const picture = chain.receiver.received.at(-1);
  const decoded = picture
    ? await chain.receiver.picture(picture, { ...decodeOptions(config), uncorrected: false })
    : undefined;
  const { labels } = coding;
  const semantic = labels ? sentSemantics(setup.numerology, labels, plan.source, plan, decoded) : undefined;
  const metrics = linkMetrics({
    ...{ config, trace, source: image, decoded, picture, labels },
    facts: transmitFacts(plan, exchange.transmitter),
    importance: semantic?.importance,
    samples: chain.samples,
    lostSamples: chain.lostSamples,
    clippedSamples: exchange.clippedSamples,
    modelled: true,
    roiMask: quality.roiMask,
    machine: { truth: quality.truth, clean: await cleanTask(coding.models, decoded, image) },
    networks: await quality.networks(image, decoded),
  });
  const exitCode = exitCodeOf(metrics, config, trace.bursts.length > 0);
  metrics.ok = exitCode === 0;
  return { metrics, exitCode };
}

import { RandomStream } from '../../../common/random.ts';
import { fromDb } from '../../../common/units.ts';
import { countedRe } from '../../../link/accounting.ts';
import { TransportLayout } from '../../../link/transport.ts';
import { SLOT_SYMBOLS, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import type { Codec, DecodedImage, ReceivedSource, SourcePlan } from '../../../sct/codec/codec.ts';
import { rgbImage } from '../../../sct/image/rgb-image.ts';
import { type LinkConfig, resolveLinkConfig } from '../../config/link-config.ts';
import { type LinkSetup, setupLink, simulatedChannel } from '../../config/link-setup.ts';
import { LoopbackExchange } from '../../loopback/exchange.ts';

/** Fills its grant with random bytes and remembers which of them came. */
class RandomBytes implements Codec {
  readonly name = 'user';
  sent: Uint8Array = new Uint8Array(0);
  /** Bytes that arrived and are the ones sent. */
  arrived = 0;
  /** Bytes that arrived as something else, although their CRC was right. */
  wrong = 0;
  private readonly random: RandomStream;

  constructor(seed: number) {
    this.random = new RandomStream(seed).fork('payload');
  }

  describe(): string {
    return 'random bytes';
  }

  async analyse(): Promise<SourcePlan> {
    return {
      streams: [{ id: 0, kind: 'bits', score: 255, minSize: 1 }],
      sideInfoBytes: 0,
      encode: async ([grant]) => {
        this.sent = this.random.bytes(grant.size);
        return { sideInfo: new Uint8Array(0), streams: [{ id: 0, kind: 'bits', payload: this.sent }], settings: {} };
      },
    };
  }

  async decode({ streams: [stream] }: ReceivedSource): Promise<DecodedImage> {
    if (stream?.kind === 'bits') {
      const lost = new Uint8Array(this.sent.length);
      for (const { from, to } of stream.missing) lost.fill(1, from, to);
      for (let i = 0; i < lost.length; i++) {
        if (lost[i] === 1) continue;
        if (stream.payload[i] === this.sent[i]) this.arrived++;
        else this.wrong++;
      }
    }
    return { image: undefined, decodable: false, complete: false, mask: undefined, note: undefined };
  }
}

export interface AdaptationSetting {
  readonly channel: string;
  readonly dopplerHz?: number;
  readonly snrDb: number;
  /** Subbands. */
  readonly numerology: number;
  readonly budgetRe: number;
  readonly seed: number;
}

/** One sounding, one report, one picture's worth of random bytes in one data burst, and its repetitions. */
export interface AdaptationTrial {
  /** Information bits that the transmitter offered, and its map. */
  readonly offeredBits: number;
  readonly map: string;
  /** Payload RE of the data burst, used or padding. */
  readonly payloadRe: number;
  /** All RE that count in R: with control, and with repetitions. */
  readonly firstRe: number;
  readonly countedRe: number;
  readonly blocks: number;
  readonly failedBlocks: number;
  /** Information bits delivered by the first transmission, and in the end. */
  readonly firstBits: number;
  readonly deliveredBits: number;
  /** Mean of log2(1 + |H|^2 Es/N0) over the RE of the data burst, from the channel's own taps, bits per RE. */
  readonly capacity: number;
}

const WIDTH = 100;

/** Runs one trial through the product's transmitter, channel and receiver; `seed` fixes all that is random. */
export async function adaptationTrial(setting: AdaptationSetting): Promise<AdaptationTrial> {
  const { budgetRe, ...rest } = setting;
  const config = resolveLinkConfig({ ...rest, symbolsPerPixel: budgetRe / WIDTH ** 2, csiDelayMs: 20 });
  const codec = new RandomBytes(setting.seed);
  const setup = { ...setupLink(config), codec };
  const sentAtS: number[] = [];
  const exchange: LoopbackExchange = new LoopbackExchange(config, setup, {
    burst: (use) => {
      if (use === 'data') sentAtS.push(exchange.nowS);
    },
  });
  await exchange.open();
  const plan = await exchange.sendPicture(rgbImage(WIDTH, WIDTH, new Uint8Array(3 * WIDTH ** 2)));
  await exchange.close();
  const [burst] = plan.bursts;
  if (plan.bursts.length !== 1 || !burst.extension) throw new Error('an adaptation trial is one data burst');
  const picture = exchange.chain.receiver.received.at(-1);
  if (picture) await exchange.chain.receiver.picture(picture);
  if (codec.wrong > 0) throw new Error(`${codec.wrong} wrong bytes passed a CRC, seed ${setting.seed}`);

  const [{ bytes, baseGraph }] = burst.extension.streams;
  const { plan: blockPlan, blocks } = TransportLayout.ofBlocks(bytes, baseGraph === 1 ? 2 : 1);
  const heard = exchange.trace.dataBursts.find((b) => b.burst === burst.burst);
  let firstBytes = 0;
  let failed = 0;
  for (let r = 0; r < blocks; r++) {
    const from = Math.min(bytes, r * blockPlan.blockBytes);
    if (heard?.blocks[r]?.ok === true) firstBytes += Math.min(bytes, from + blockPlan.blockBytes) - from;
    else failed++;
  }
  const { budget } = exchange.transmitter;
  return {
    offeredBits: 8 * bytes,
    map: plan.map,
    payloadRe: budget.payload + budget.padding,
    firstRe: countedRe(budget) - budget.retransmission,
    countedRe: countedRe(budget),
    blocks,
    failedBlocks: failed,
    firstBits: 8 * firstBytes,
    deliveredBits: 8 * codec.arrived,
    capacity: capacityOf(config, setup, sentAtS[0], burst.slots),
  };
}

/**
 * Shannon's bound for these slots as they were, bits per RE: mean of log2(1 + |H(f, t)|^2 Es/N0) over all carriers and
 * the middle of each slot. H is that of the same seed's channel; a millisecond more or less of it is nothing at its
 * Doppler.
 */
function capacityOf(config: LinkConfig, setup: LinkSetup, atS: number, slots: number): number {
  const { numerology: n, frontend } = setup;
  const { channel } = simulatedChannel(config, setup);
  const frequencies = Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  if (config.snrDb === null) throw new Error('the capacity is that of a channel model');
  const snr = fromDb(config.snrDb);
  const slotS = (SLOT_SYMBOLS * n.symbolLength) / n.sampleRateHz;
  let sum = 0;
  for (let slot = 0; slot < slots; slot++) {
    const h = channel.frequencyResponse(Math.round((atS + (slot + 0.5) * slotS) * frontend.deviceRateHz), frequencies);
    for (let k = 0; k < n.nCarriers; k++) sum += Math.log2(1 + (h[2 * k] ** 2 + h[2 * k + 1] ** 2) * snr);
  }
  return sum / (slots * n.nCarriers);
}

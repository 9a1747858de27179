import { countedRe } from '../../../link/accounting.ts';
import type { AskingOptions } from '../../../link/harq/asking.ts';
import type { TransmissionPlan } from '../../../link/transmission.ts';
import type { TransmitterOptions } from '../../../link/transmitter.ts';
import { encodeCsi } from '../../../sct/allocation/csi-code.ts';
import type { Codec, DecodedImage, DecodeOptions } from '../../../sct/codec/codec.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { type LinkInput, resolveLinkConfig } from '../../config/link-config.ts';
import { setupLink } from '../../config/link-setup.ts';
import { LoopbackExchange } from '../../loopback/exchange.ts';

/** One picture to be sent through the whole modem. */
export interface Sending {
  readonly codec: Codec;
  readonly image: RgbImage;
  readonly link: LinkInput;
  /** A CSI report that did not come from this channel: the same SNR for every subband, dB. With `feedback: 'none'`. */
  readonly reportDb?: number | undefined;
  /** The receiver's choices. */
  readonly decode?: DecodeOptions | undefined;
  /** What the receiver asks for again, beside the configuration's rule. */
  readonly asking?: AskingOptions | undefined;
  /** Settings of the transmitter that no flag has. */
  readonly transmitter?: Partial<TransmitterOptions> | undefined;
  /** Told what is shown after the picture's bursts and after each repetition; true: nothing more is repeated. */
  readonly round?: ((decoded: DecodedImage | undefined) => boolean) | undefined;
}

/** What came of it. */
export interface Sent {
  /** undefined when nothing of the picture arrived. */
  readonly decoded: DecodedImage | undefined;
  readonly plan: TransmissionPlan;
  /** Complex symbols that count in R, of the whole picture. */
  readonly countedSymbols: number;
  /** Bursts with payload, first ones and repetitions. */
  readonly transmissions: number;
  readonly sideInfoSymbols: number;
}

/** Sends a picture over a modelled channel, in simulated time: sounding, report, picture, repetitions, decoding. */
export async function overLink(sending: Sending): Promise<Sent> {
  const { codec, image, link, reportDb, decode, asking, round } = sending;
  const config = resolveLinkConfig(link);
  const setup = {
    ...setupLink(config, null, { codec, modelSet: 0 }),
    ...(asking ? { asking } : {}),
    ...(sending.transmitter ? { transmitter: sending.transmitter } : {}),
  };
  const exchange = new LoopbackExchange(config, setup, {
    ...(round ? { round: async (now) => round(await shown(now, decode)) } : {}),
  });
  await exchange.open();
  const { transmitter } = exchange;
  if (reportDb !== undefined) {
    const codes = new Uint8Array(config.numerology).fill(encodeCsi(reportDb));
    transmitter.takeReport({ number: 1, session: transmitter.options.session, burst: 0, codes }, exchange.nowS);
  }
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const { budget } = transmitter;
  return {
    decoded: await shown(exchange, decode),
    plan,
    countedSymbols: countedRe(budget),
    transmissions: plan.bursts.length + transmitter.retransmissionBursts,
    sideInfoSymbols: budget.sideInfo,
  };
}

/** The picture as far as it has come; undefined when nothing has. */
async function shown({ chain }: LoopbackExchange, decode?: DecodeOptions): Promise<DecodedImage | undefined> {
  const picture = chain.receiver.received.at(-1);
  return picture && chain.receiver.picture(picture, decode);
}

/** The MCS of a plan with one modulation: what a fixed-rate sender would be told. */
export function mcsText(plan: TransmissionPlan): string {
  const orders = [...new Set(plan.loading.qm)].sort((a, b) => a - b);
  const names = orders.map((q) => (q === 2 ? 'QPSK' : `${2 ** q}-QAM`));
  return `${names.join('/')} ${plan.codeRate === null ? '' : plan.codeRate.toFixed(2)}`;
}

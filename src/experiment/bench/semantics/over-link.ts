import { countedRe } from '../../../link/accounting.ts';
import type { TransmissionPlan } from '../../../link/transmission.ts';
import { encodeCsi } from '../../../sct/allocation/csi-code.ts';
import type { Codec, DecodedImage, DecodeOptions } from '../../../sct/codec/codec.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { LoopbackExchange } from '../../exchange.ts';
import { type LinkInput, resolveLinkConfig } from '../../link-config.ts';
import { setupLink } from '../../link-setup.ts';

/** One picture to be sent through the whole modem. */
export interface Sending {
  readonly codec: Codec;
  readonly image: RgbImage;
  readonly link: LinkInput;
  /** A CSI report that did not come from this channel: the same SNR for every subband, dB. With `feedback: 'none'`. */
  readonly reportDb?: number | undefined;
  /** The receiver's choices. */
  readonly decode?: DecodeOptions | undefined;
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
export async function overLink({ codec, image, link, reportDb, decode }: Sending): Promise<Sent> {
  const config = resolveLinkConfig(link);
  const exchange = new LoopbackExchange(config, setupLink(config, null, { codec, modelSet: 0 }));
  await exchange.open();
  const { transmitter } = exchange;
  if (reportDb !== undefined) {
    const codes = new Uint8Array(config.numerology).fill(encodeCsi(reportDb));
    transmitter.takeReport({ number: 1, session: transmitter.options.session, burst: 0, codes }, exchange.nowS);
  }
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const { receiver } = exchange.chain;
  const picture = receiver.received.at(-1);
  const { budget } = transmitter;
  return {
    decoded: picture ? await receiver.picture(picture, decode) : undefined,
    plan,
    countedSymbols: countedRe(budget),
    transmissions: plan.bursts.length + transmitter.retransmissionBursts,
    sideInfoSymbols: budget.sideInfo,
  };
}

/** The MCS of a plan with one modulation: what a fixed-rate sender would be told. */
export function mcsText(plan: TransmissionPlan): string {
  const orders = [...new Set(plan.loading.qm)].sort((a, b) => a - b);
  const names = orders.map((q) => (q === 2 ? 'QPSK' : `${2 ** q}-QAM`));
  return `${names.join('/')} ${plan.codeRate === null ? '' : plan.codeRate.toFixed(2)}`;
}

import type { ReceivedPicture, Receiver } from '../../link/receiver.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';

/** What a picture is made of while it comes. */
export interface ComingPicture {
  readonly picture: ReceivedPicture;
  /** SFVs of the burst that came last, in the order of their symbols in it. */
  readonly order: readonly number[];
}

/**
 * The picture as far as it has come, without correction. Undefined where the codec is not here, or nothing can be shown yet: it is looked at,
 * and whether it can be received is said at the end.
 */
export async function pictureSoFar(receiver: Receiver, { picture }: ComingPicture): Promise<DecodedImage | undefined> {
  try {
    const decoded = await receiver.picture(picture, { correction: false });
    return decoded.image ? decoded : undefined;
  } catch {
    return undefined;
  }
}

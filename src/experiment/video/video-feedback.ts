import { FormatError } from '../../common/errors.ts';
import { type CsiReport, decodeReverseMessage } from '../../link/reverse/reverse-messages.ts';

/** The report in a message from the receiver; null for any other message, and for one that is damaged. */
export function parseMessage(bytes: Uint8Array): CsiReport | null {
  try {
    const message = decodeReverseMessage(bytes);
    return message.type === 'csi' ? message.report : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

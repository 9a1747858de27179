import type { FileRadioOptions } from '../../radio/file/file-radio.ts';
import type { LinkConfig } from '../config/link-config.ts';
import type { LinkSetup } from '../config/link-setup.ts';

/** How a recording is written, and what its metadata say for a receiver. */
export function recordingOptions(setup: LinkSetup, config: LinkConfig): FileRadioOptions {
  return {
    format: setup.format,
    fullScale: setup.fullScale,
    capture: {
      hardware: `sct stream, ${config.profile} profile`,
      fields: {
        'sct:numerology': setup.numerology.nSubbands,
        'sct:lo_offset_hz': setup.frontend.loOffsetHz,
        'sct:modem_rate_hz': setup.frontend.modemRateHz,
      },
    },
  };
}

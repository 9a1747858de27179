import { UsageError } from '../../../src/common/errors.ts';

/** What a release of the board's firmware says of itself, and what is wrong with it (sources: hardware/firmware.md). */
export interface PlutoFirmware {
  readonly version: string;
  readonly kernel: string;
  readonly libiio: { readonly major: number; readonly minor: number; readonly git: string };
  /** The transmit core's underflow bit reads 1 whatever is written to it (plutosdr-fw issue 107). */
  readonly underflowStuck: boolean;
}

/** Kernel of v0.39 and its libiio are from memory, not looked up. */
const RELEASES: readonly PlutoFirmware[] = [
  {
    version: 'v0.32',
    kernel: '4.19.0-120601-g3a488163e40c',
    libiio: { major: 0, minor: 21, git: 'v0.21' },
    underflowStuck: false,
  },
  {
    version: 'v0.35',
    kernel: '5.15.0-175882-ge14e351533f9',
    libiio: { major: 0, minor: 24, git: 'v0.24' },
    underflowStuck: false,
  },
  { version: 'v0.39', kernel: '6.1.0', libiio: { major: 0, minor: 26, git: 'v0.26' }, underflowStuck: true },
];

export const PLUTO_RELEASES: readonly string[] = RELEASES.map(({ version }) => version);
export const DEFAULT_PLUTO_RELEASE = 'v0.35';

/** A release by its name; UsageError where it is not known. */
export function plutoFirmware(version: string): PlutoFirmware {
  const found = RELEASES.find((release) => release.version === version);
  if (!found) throw new UsageError(`no firmware ${version} of an emulated Pluto; known: ${PLUTO_RELEASES.join(', ')}`);
  return found;
}

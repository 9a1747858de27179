// A file of their own, because help texts name them: nothing heavy may be loaded for --help.

/** A receiver on a cable gets at most this, dBm: half of the HackRF's -5 dBm limit and more than any link needs. */
export const MAX_CABLED_INPUT_DBM = -10;
/** Largest attenuation that --cabled takes, dB: beyond it a receiver hears leakage through the air and not the cable. */
export const MAX_CABLED_ATTENUATION_DB = 200;

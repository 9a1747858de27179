import { formatSi } from '../../common/units.ts';
import { TARGET_DBFS } from '../../link/session/gain-control.ts';
import type { ClockFinding, SustainedRate } from './examine.ts';
import { converterNoiseDbfs } from './image.ts';
import type { Heard } from './listen.ts';

/** What a board's examination came to; what was not looked at is null. */
export interface Findings {
  readonly heard: Heard;
  readonly clock: ClockFinding | null;
  /** Whether a reference was asked for. */
  readonly referenceHz: number | null;
  readonly sustained: SustainedRate | null;
}

export interface Advice {
  readonly about: 'level' | 'clipping' | 'noise' | 'dc' | 'iq' | 'clock' | 'rate';
  /** What was found, with the figure, and what to change. */
  readonly text: string;
}

/** Share of samples at the limit above which a burst suffers (as in the control of gain). */
const CLIPPED_SHARE = 1e-3;
/** So far above the target an OFDM signal's peaks begin to be cut, dB. */
const LOUD_DB = 6;
/** The receiver's noise has to stand so far above the converter's, dB: 3 dB cost 1.8 dB of sensitivity, 6 dB cost 1. */
const OVER_CONVERTER_DB = 6;
/** Most that is advised at once, dB. */
const MOST_RAISE_DB = 20;
/** A leak and an image that are weaker disturb no modulation that the modem has. */
const DC_DBFS = -30;
const IMAGE_DB = -30;
/** Clock errors that are worth a calibration, ppm: acquisition takes 40 between two boards. */
const CLOCK_PPM = 1;

/** What to change, most urgent first; nothing where all is well. */
export function advise({ heard, clock, referenceHz, sustained }: Findings): Advice[] {
  const out: Advice[] = [];
  const { rmsDbfs, clippedSamples, samples, floorDbfs, settings, dcIq, image } = heard;
  const share = clippedSamples / samples;
  if (rmsDbfs === null) {
    out.push({
      about: 'level',
      text: 'every sample is zero: the gain is too low for the converter, or nothing is connected; raise --gain',
    });
  } else if (share > CLIPPED_SHARE) {
    out.push({
      about: 'clipping',
      text: `${(100 * share).toFixed(2)} % of the samples are at the limit: lower the gain by at least 8 dB`,
    });
  } else if (rmsDbfs > TARGET_DBFS + LOUD_DB) {
    out.push({
      about: 'level',
      text: `${rmsDbfs.toFixed(1)} dBFS leave no room for peaks: lower the gain by ${Math.ceil(rmsDbfs - TARGET_DBFS)} dB`,
    });
  }
  const converterDbfs = converterNoiseDbfs(settings.format, settings.fullScale);
  if (rmsDbfs !== null && converterDbfs !== null && share <= CLIPPED_SHARE) {
    const over = (floorDbfs ?? Number.NEGATIVE_INFINITY) - converterDbfs;
    // The LO's leak is no signal: without it the level says how much more the converter takes.
    const room = Math.min(MOST_RAISE_DB, TARGET_DBFS - (heard.signalDbfs ?? Number.NEGATIVE_INFINITY));
    if (over < OVER_CONVERTER_DB && room > 0) {
      const raise = Math.min(room, Number.isFinite(over) ? OVER_CONVERTER_DB - over : room);
      out.push({
        about: 'noise',
        text: `the noise floor, ${floorDbfs === null ? 'none' : `${floorDbfs.toFixed(1)} dBFS`}, is the converter's (${converterDbfs.toFixed(1)} dBFS): raise the gain by ${Math.ceil(raise)} dB or more`,
      });
    }
  }
  if (dcIq?.dcSignificant && dcIq.dcDbfs > DC_DBFS) {
    out.push({
      about: 'dc',
      text: `the LO leaks at ${dcIq.dcDbfs.toFixed(1)} dBFS: keep the signal beside it (link does), or lower the gain`,
    });
  }
  if (image?.significant && image.imageDb > IMAGE_DB) {
    out.push({
      about: 'iq',
      text: `the image is only ${(-image.imageDb).toFixed(1)} dB down (${image.gainDb.toFixed(2)} dB, ${image.phaseDeg.toFixed(2)} deg), if what was heard is not itself one-sided; the modem's receiver corrects it`,
    });
  }
  if (referenceHz !== null && clock === null) {
    out.push({
      about: 'clock',
      text: `no tone within 100 ppm of ${referenceHz} Hz: is it on, and within the received band?`,
    });
  } else if (clock && Math.abs(clock.ppm - clock.appliedPpm) > CLOCK_PPM) {
    const direction = clock.ppm > 0 ? 'fast' : 'slow';
    out.push({
      about: 'clock',
      text: `the clock is ${Math.abs(clock.ppm).toFixed(2)} ppm ${direction}: --save stores it for this board, and it is taken out from then on`,
    });
  }
  if (sustained && (sustained.rateHz === null || sustained.rateHz < settings.rateHz)) {
    const most = sustained.rateHz === null ? 'no rate' : `at most ${formatSi(sustained.rateHz, 6)}sps`;
    out.push({
      about: 'rate',
      text: `${most} came without loss: a smaller rate, a USB port and hub of its own, nothing else at work`,
    });
  } else if (heard.lost.gaps > 0) {
    out.push({
      about: 'rate',
      text: `${heard.lost.min} to ${heard.lost.max} samples were lost in ${heard.lost.gaps} gaps: a smaller rate`,
    });
  }
  return out;
}

import { inRange } from '../../common/errors.ts';
import { fromDb } from '../../common/units.ts';

/** What fixes the noise for a wanted SNR. */
export interface SnrSetting {
  /** Ensemble mean Es/N0 per occupied RE, dB. */
  snrDb: number;
  /** Mean square E|x|^2 of the modem's time samples while the burst is on (unitary OFDM: occupiedCarriers/fftSize x Es). */
  signalPower: number;
  fftSize: number;
  /** Loaded subcarriers of fftSize. */
  occupiedCarriers: number;
  modemRateHz: number;
  /** Rate at which the noise is added; default the modem rate. */
  deviceRateHz?: number;
}

/**
 * Noise variance E|n|^2 per complex sample at the device rate.
 *
 * Unitary OFDM puts Es = S N / nOcc on each occupied RE when the time samples have mean square S, and white noise of
 * variance v per modem-rate sample is v per RE; so v = S N / (nOcc snr). White noise of the same density N0 has
 * deviceRate/modemRate times that variance in the wider band of the device rate.
 */
export function noiseVarianceFor(setting: SnrSetting): number {
  const { snrDb, signalPower, fftSize, occupiedCarriers, modemRateHz, deviceRateHz = modemRateHz } = setting;
  inRange('SNR', snrDb, -60, 200, 'dB');
  inRange('occupied carriers', occupiedCarriers, 1, fftSize);
  inRange('signal power', signalPower, 0, 1e12);
  inRange('modem rate', modemRateHz, 1, 1e9, 'Hz');
  inRange('device rate', deviceRateHz, 1, 1e9, 'Hz');
  const esPerRe = (signalPower * fftSize) / occupiedCarriers;
  return ((esPerRe / fromDb(snrDb)) * deviceRateHz) / modemRateHz;
}

import { buildChannel, CHANNELS, type ChannelOptions } from '../../../phy/channel/scenario.ts';
import { meanInterval } from '../../metrics/stats.ts';
import type { BenchContext, Measured, Measurement } from './measurement.ts';
import { absolute, row } from './row.ts';

const RATE_HZ = 1.92e6;
/** The last one is the default time between sounding and image burst. */
const LAGS_MS = [1, 2, 5, 10, 20] as const;
/** Frequencies at which |H|^2 is taken, across 1.08 MHz. */
const FREQUENCIES_HZ = Float64Array.from({ length: 7 }, (_, i) => (i - 3) * 180e3);

/**
 * Ensemble mean power of every fading channel, and the correlation of its samples over 1 to 20 ms against Clarke's
 * J0(2 pi fd tau), both on samples that went through the streaming channel: a constant signal of 1 before and after a
 * pause, as a sounding and an image burst are.
 */
export function channelsMeasurement(trials: number): Measurement {
  return { part: 'channels', id: 'channels', run: (context) => channels(trials, context) };
}

async function channels(trials: number, context: BenchContext): Promise<Measured> {
  const names = CHANNELS.filter((c) => c !== 'awgn');
  const rows = [];
  let done = 0;
  for (const channel of names) {
    const powers: number[] = [];
    const products = LAGS_MS.map(() => [] as number[]);
    let dopplerHz = 0;
    for (let k = 0; k < trials; k++) {
      const seed = `channels/${channel}/${k}`;
      const built = buildChannel({ rateHz: RATE_HZ, channel, seed } satisfies ChannelOptions);
      dopplerHz = built.fading?.dopplerHz ?? 0;
      const h = built.frequencyResponse(0, FREQUENCIES_HZ);
      powers.push(h.reduce((sum, v) => sum + v * v, 0) / FREQUENCIES_HZ.length);
      const streamed = k < trials / 10 ? streamedGains(built) : null;
      const now = streamed?.[0] ?? built.frequencyResponse(0, [0]);
      for (const [i, lag] of LAGS_MS.entries()) {
        const then = streamed?.[i + 1] ?? built.frequencyResponse((lag / 1000) * RATE_HZ, [0]);
        products[i].push(now[0] * then[0] + now[1] * then[1]);
      }
      await context.step(++done, trials * names.length);
    }
    const common = { part: 'channels' as const, subbands: 0, seeds: `channels/${channel}/0 to ${trials - 1}` };
    const power = meanInterval(powers);
    const off = absolute({ ...power, value: power.value - 1, low: power.low - 1, high: power.high - 1 });
    rows.push(row({ ...common, name: `ensemble mean power of ${channel} less 1`, unit: '', limit: 0.03 }, off));
    const worst = products
      .map((p, i) => {
        const m = meanInterval(p);
        const wanted = besselJ0(2 * Math.PI * dopplerHz * (LAGS_MS[i] / 1000));
        return absolute({ ...m, value: m.value - wanted, low: m.low - wanted, high: m.high - wanted });
      })
      .reduce((a, b) => (b.value > a.value ? b : a));
    rows.push(
      row(
        {
          ...common,
          name: `autocorrelation of ${channel} at 1 to 20 ms, ${dopplerHz} Hz, worst difference from J0`,
          unit: '',
          limit: 0.05,
        },
        worst,
      ),
    );
  }
  return { rows };
}

/** H at 0 Hz by what comes out of the stream for a constant input, now and after each lag, [lag][re, im]. */
function streamedGains(channel: ReturnType<typeof buildChannel>): Float64Array[] {
  const out: Float64Array[] = [];
  const ones = new Float32Array(2 * 512);
  for (let i = 0; i < ones.length; i += 2) ones[i] = 1;
  let at = 0;
  for (const lag of [0, ...LAGS_MS]) {
    const target = Math.round((lag / 1000) * RATE_HZ);
    if (target > at) channel.skip(target - at);
    at = Math.max(at, target);
    const samples = channel.process(ones);
    // The filter has filled by the end of the block.
    out.push(Float64Array.of(samples[samples.length - 2], samples[samples.length - 1]));
    at += 512;
  }
  return out;
}

/** J0 by its integral (1/pi) int_0^pi cos(x sin t) dt, trapezoidal: exact to rounding for x below 64 with 256 steps. */
function besselJ0(x: number): number {
  const steps = 256;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += Math.cos(x * Math.sin((Math.PI * (i + 0.5)) / steps));
  return sum / steps;
}

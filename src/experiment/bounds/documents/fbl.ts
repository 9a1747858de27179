import { rayleighOutage, rayleighOutageCapacity } from '../channel-capacity.ts';
import { type BoundsDocument, figure, logSpace, pointSeries } from '../document.ts';
import {
  type ChannelDispersion,
  distortionAt,
  errorAt,
  excessProbability,
  MAX_BLOCK,
  rateAt,
} from '../finite-blocklength.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface FblRequest {
  readonly channelName: string;
  /** null for Rayleigh fading that lasts the whole code word: there is no dispersion to speak of. */
  readonly channel: ChannelDispersion | null;
  /** Linear, of AWGN and Rayleigh. */
  readonly snr: number | null;
  readonly n: number;
  readonly eps: number;
  /** Error probability of this rate, bits per use; null where it is not asked for. */
  readonly rateBits: number | null;
  /** k real Gaussian samples of variance 1 sent with the n uses; null for the channel code alone. */
  readonly k: number | null;
  /** Distortion whose excess probability is asked for. */
  readonly dx: number | null;
  readonly points: readonly MeasuredPoint[];
}

const NO_FORM = [
  'finite blocks with two distortion constraints: inner and outer bounds exist, not in closed form',
  'finite blocks over fading that changes within the code word, and over MIMO channels: not computed here',
];

/** `bounds fbl`: what a block of n symbols carries at an error probability, alone or with k Gaussian samples. */
export function fblDocument(r: FblRequest): BoundsDocument {
  return r.channel === null ? outageDocument(r, r.snr!) : normalDocument(r, r.channel);
}

function normalDocument(r: FblRequest, channel: ChannelDispersion): BoundsDocument {
  const { n, eps, k, channelName } = r;
  const rate = rateAt(channel, n, eps);
  const error = r.rateBits === null ? null : errorAt(channel, n, r.rateBits);
  const code = k === null ? null : { k, n, varX: 1, channel };
  const dx = code ? distortionAt(code, eps) : null;
  const limitDx = code ? 2 ** ((-2 * n * channel.capacity) / code.k) : null;
  const excess = code && r.dx !== null ? excessProbability(code, r.dx) : null;
  const axis = logSpace(16, Math.max(65536, n), 49).map(Math.round);
  // As many samples for each use as asked for, as long as that many are taken.
  const samples = (m: number) => Math.max(1, Math.round((k! * m) / n));
  const lengths = axis.filter((m) => k !== null && samples(m) <= MAX_BLOCK);
  const distortion = code && {
    name: 'distortion',
    title: `Distortion exceeded with probability ${eps}, ${figure(code.k / n)} samples per use`,
    xLabel: 'block length, channel uses',
    yLabel: 'distortion Dx',
    xLog: true,
    yLog: true,
    series: [
      {
        label: 'normal approximation',
        kind: 'theory' as const,
        x: lengths,
        y: lengths.map((m) => distortionAt({ ...code, n: m, k: samples(m) }, eps)),
      },
      { label: 'long blocks', kind: 'theory' as const, x: lengths, y: lengths.map(() => limitDx!), dash: true },
      ...pointSeries('measured', r.points, 'n', 'dx'),
    ],
  };
  return {
    kind: 'fbl',
    title: `Blocks of ${n} symbols, ${channelName}`,
    values: {
      channel: channelName,
      snrDb: r.snr === null ? null : 10 * Math.log10(r.snr),
      n,
      eps,
      rateBits: rate,
      capacityBits: channel.capacity,
      dispersionBits2: channel.dispersion,
      errorProbability: error,
      k,
      dx,
      longBlockDx: limitDx,
      excessProbability: excess,
      closedForm: true,
      approximation: true,
    },
    lines: [
      ['rate', figure(rate, `bit per symbol at error probability ${eps}`)],
      ['capacity', figure(channel.capacity, 'bit per symbol')],
      ['dispersion', figure(channel.dispersion, 'bit^2 per symbol')],
      ...(error === null ? [] : [[`error probability at ${figure(r.rateBits)} bit`, figure(error)] as const]),
      ...(dx === null ? [] : [[`Dx of ${k} samples`, `${figure(dx)} exceeded with probability ${eps}`] as const]),
      ...(limitDx === null ? [] : [['Dx of long blocks', figure(limitDx)] as const]),
      ...(excess === null ? [] : [[`P{dx > ${figure(r.dx)}}`, figure(excess)] as const]),
    ],
    method: code
      ? 'normal approximation n C - k R(D) = sqrt(n V + k Vs) Q^-1(eps), Vs = 1/2 log2(e)^2 (without its log terms); channel code alone: C - sqrt(V/n) Q^-1(eps) + log2(n)/(2n). Approximations, not bounds'
      : 'normal approximation C - sqrt(V/n) Q^-1(eps) + log2(n)/(2n) (erasures without the last term). An approximation, not a bound',
    noClosedForm: NO_FORM,
    plots: () => [
      {
        name: 'rate',
        title: `Rate at error probability ${eps}, ${channelName}`,
        xLabel: 'block length, channel uses',
        yLabel: 'rate, bit per symbol',
        xLog: true,
        series: [
          { label: 'normal approximation', kind: 'theory', x: axis, y: axis.map((m) => rateAt(channel, m, eps)) },
          { label: 'capacity', kind: 'theory', x: axis, y: axis.map(() => channel.capacity), dash: true },
          ...pointSeries('measured', r.points, 'n', 'rateBits'),
        ],
      },
      ...(distortion ? [distortion] : []),
    ],
  };
}

/** Fading that lasts the whole code word: the outage capacity, at every block length that is long enough [Yang14]. */
function outageDocument(r: FblRequest, snr: number): BoundsDocument {
  const { eps } = r;
  const rate = rayleighOutageCapacity(snr, eps);
  const error = r.rateBits === null ? null : rayleighOutage(snr, r.rateBits);
  const axis = logSpace(1e-4, 0.5, 49);
  return {
    kind: 'fbl',
    title: `Blocks over quasi-static Rayleigh fading, ${figure(10 * Math.log10(snr))} dB`,
    values: {
      channel: r.channelName,
      snrDb: 10 * Math.log10(snr),
      n: r.n,
      eps,
      rateBits: rate,
      outageProbability: error,
      closedForm: true,
      approximation: true,
    },
    lines: [
      ['outage capacity', figure(rate, `bit per symbol at outage probability ${eps}`)],
      ...(error === null ? [] : [[`outage at ${figure(r.rateBits)} bit`, figure(error)] as const]),
    ],
    method: 'log2(1 - SNR ln(1 - eps)); the dispersion of such a channel is zero, so that block length hardly matters',
    noClosedForm: NO_FORM,
    plots: () => [
      {
        name: 'outage',
        title: 'Outage capacity, quasi-static Rayleigh fading',
        xLabel: 'outage probability',
        yLabel: 'rate, bit per symbol',
        xLog: true,
        series: [
          { label: 'outage capacity', kind: 'theory', x: axis, y: axis.map((e) => rayleighOutageCapacity(snr, e)) },
        ],
      },
    ],
  };
}

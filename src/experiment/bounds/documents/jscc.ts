import { UsageError } from '../../../common/errors.ts';
import { type Numerology, RB_DATA_RE } from '../../../phy/numerology.ts';
import {
  type Between,
  type BoundsDocument,
  type BoundsSeries,
  figure,
  linearSpace,
  nothing,
  pointSeries,
} from '../document.ts';
import { type ChainLevel, type ChainPoint, runGaussianChain } from '../gaussian-chain.ts';
import { distortionsAt, scalarGaussian } from '../gaussian-scalar.ts';
import {
  jointLimit,
  type LeastSnr,
  type LimitChannel,
  leastSnr,
  uncodedDistortion,
  uncodedRayleighDistortion,
} from '../joint-source-channel.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface JsccRequest {
  readonly rho: number;
  readonly varS: number;
  readonly varX: number;
  readonly channels: readonly LimitChannel[];
  readonly snrDb: readonly number[];
  readonly symbolsPerSample: number;
  readonly ds: number;
  readonly dx: number;
  readonly points: readonly MeasuredPoint[];
  /** The Gaussian test source through the chain at every SNR; null for theory alone. */
  readonly chain: {
    readonly level: ChainLevel;
    readonly numerology: Numerology;
    readonly bursts: number;
    readonly slots: number;
    readonly seed: number;
  } | null;
}

const CURVE_POINTS = 49;
/** Most symbols of one command: about a minute through the whole modem. */
const MAX_CHAIN_SYMBOLS = 5e7;

/** Why there is no least SNR. */
const REACH: { readonly [K in LeastSnr['reach']]: string } = {
  found: '',
  nothing: 'nothing: the limits are met with nothing sent',
  below: 'less than -30 dB',
  above: 'more than 60 dB',
  never: 'more than any SNR: Ds is not above the mmse',
};

/** `bounds jscc`: the smallest distortions that channels of given SNR allow, beside the test source through the chain. */
export async function jsccDocument(r: JsccRequest, between: Between = nothing): Promise<BoundsDocument> {
  const source = scalarGaussian(r.rho, r.varS, r.varX);
  if (r.chain && r.symbolsPerSample !== 0.5) {
    throw new UsageError(
      `--symbols-per-sample ${r.symbolsPerSample} with --chain is out of range: allowed 0.5`,
      'the test source puts two real samples on each complex symbol',
    );
  }
  const limits = r.snrDb.flatMap((snrDb) =>
    r.channels.map((c) => ({
      channel: c.name,
      ...jointLimit(source, c, snrDb, r.symbolsPerSample),
      uncodedDx: uncoded(c, snrDb, r),
    })),
  );
  const constrained = Number.isFinite(r.ds) || Number.isFinite(r.dx);
  const least = constrained
    ? r.channels.map((c) => ({ channel: c.name, ...leastSnr(source, c, r.symbolsPerSample, r.ds, r.dx) }))
    : [];
  const measured: ChainPoint[] = [];
  if (r.chain) {
    const { bursts, slots, numerology } = r.chain;
    const symbols = r.snrDb.length * bursts * slots * numerology.nSubbands * RB_DATA_RE;
    if (symbols > MAX_CHAIN_SYMBOLS) {
      throw new UsageError(
        `${symbols} symbols through the chain are out of range: allowed up to ${MAX_CHAIN_SYMBOLS}`,
        'give fewer SNRs, --bursts or --slots',
      );
    }
    for (const snrDb of r.snrDb) {
      await between(`test source through the chain, ${snrDb} dB`);
      measured.push(runGaussianChain({ source, snrDb, ...r.chain, seed: `${r.chain.seed}/${snrDb}` }));
    }
  }
  const beside = measured.map((p) => comparison(p, source));
  return {
    kind: 'jscc',
    title: `Joint source-channel limits, correlation ${r.rho}, ${r.symbolsPerSample} complex symbols per real sample`,
    values: {
      rho: r.rho,
      varS: r.varS,
      varX: r.varX,
      symbolsPerSample: r.symbolsPerSample,
      ds: Number.isFinite(r.ds) ? r.ds : null,
      dx: Number.isFinite(r.dx) ? r.dx : null,
      limits,
      leastSnrDb: least,
      chain: r.chain ? { level: r.chain.level, numerology: r.chain.numerology.nSubbands, points: beside } : null,
      closedForm: r.channels.every((c) => c.name !== 'rb' && c.name !== 'mimo-fixed'),
    },
    lines: [
      ...limits.map(
        (l) =>
          [
            `${l.channel} ${l.snrDb} dB`,
            `C ${figure(l.capacityBits)} bit, R ${figure(l.rateBits)} bit per sample, Ds >= ${figure(l.ds)}, Dx >= ${figure(l.dx)}${l.uncodedDx === null ? '' : `; uncoded Dx ${figure(l.uncodedDx)}`}`,
          ] as const,
      ),
      ...least.map((l) => [`${l.channel} needs`, l.snrDb === null ? REACH[l.reach] : figure(l.snrDb, 'dB')] as const),
      ...beside.map(
        (b) =>
          [
            `chain ${b.snrDb} dB`,
            `Dx ${figure(b.dx.value)} [${figure(b.dx.low)}, ${figure(b.dx.high)}], theory ${figure(b.dxTheory)}; Ds ${figure(b.ds.value)} [${figure(b.ds.low)}, ${figure(b.ds.high)}], theory ${figure(b.dsTheory)}; behind by ${figure(b.lossDb, 'dB')}`,
          ] as const,
      ),
    ],
    method: `k R(Ds, Dx) = n C for long blocks; ${r.channels.map((c) => `${c.name}: ${c.method}`).join('; ')}`,
    noClosedForm: [
      'the smallest distortions of finite blocks with two constraints (inner and outer bounds exist, not in closed form): sct bounds fbl has one constraint',
      'the same for pictures: they are not Gaussian, and these curves bound only the Gaussian test source',
    ],
    plots: () => [plotOf(r, source, measured, 'dx'), plotOf(r, source, measured, 'ds')],
  };
}

/** Dx of linear uncoded transmission, where bandwidth is matched and the channel one of those that it is known for; null elsewhere. */
function uncoded(channel: LimitChannel, snrDb: number, { varX, symbolsPerSample }: JsccRequest): number | null {
  if (symbolsPerSample !== 0.5) return null;
  const snr = 10 ** (snrDb / 10);
  if (channel.name === 'awgn') return uncodedDistortion(varX, snr);
  return channel.name === 'rayleigh' ? uncodedRayleighDistortion(varX, snr) : null;
}

/** What was measured beside the limit, and the SNR that the chain is behind by. */
function comparison(p: ChainPoint, source: ReturnType<typeof scalarGaussian>) {
  const snr = 10 ** (p.snrDb / 10);
  const dxTheory = uncodedDistortion(source.varX, snr);
  const dsTheory = distortionsAt(source, 0.5 * Math.log2(1 + snr)).ds;
  const effective = source.varX / p.dx.value - 1;
  const { snrDb, k, ds, dx, lostBursts, limitedRe } = p;
  const inside = { dx: dx.low <= dxTheory && dxTheory <= dx.high, ds: ds.low <= dsTheory && dsTheory <= ds.high };
  return {
    snrDb,
    k,
    dx,
    dxTheory,
    ds,
    dsTheory,
    lossDb: p.snrDb - 10 * Math.log10(effective),
    inside,
    lostBursts,
    limitedRe,
  };
}

function plotOf(
  r: JsccRequest,
  source: ReturnType<typeof scalarGaussian>,
  measured: readonly ChainPoint[],
  which: 'ds' | 'dx',
) {
  const axis = linearSpace(
    Math.max(-30, Math.min(...r.snrDb, 0)),
    Math.min(60, Math.max(...r.snrDb, 20)),
    CURVE_POINTS,
  );
  const series: BoundsSeries[] = r.channels.map((c) => ({
    label: c.name,
    kind: 'theory',
    x: axis,
    y: axis.map((db) => jointLimit(source, c, db, r.symbolsPerSample)[which]),
  }));
  const faded = r.channels.find((c) => c.name === 'rayleigh');
  if (which === 'dx' && faded && r.symbolsPerSample === 0.5) {
    // Over AWGN it is the limit itself.
    const y = axis.map((db) => uncoded(faded, db, r)!);
    series.push({ label: 'rayleigh, uncoded', kind: 'theory', x: axis, y, dash: true });
  }
  if (measured.length > 0) {
    series.push({
      label: `test source through the chain (${r.chain!.level})`,
      kind: 'measured',
      x: measured.map((p) => p.snrDb),
      y: measured.map((p) => p[which].value),
      low: measured.map((p) => p[which].low),
      high: measured.map((p) => p[which].high),
    });
  }
  const name = which === 'dx' ? 'pixel distortion Dx' : 'semantic distortion Ds';
  return {
    name: which,
    title: `Smallest ${name}`,
    xLabel: 'SNR, dB',
    yLabel: name,
    yLog: which === 'dx', // Ds stays above the mmse: seldom a decade.
    series: [...series, ...pointSeries('measured', r.points, 'snrDb', which)],
  };
}

import { SFV_STATES } from '../../sct/codec/codec.ts';
import type { SpeechFigures } from '../speech/speech-figures.ts';
import type { ReportData } from './data.ts';
import { fixed, grouped } from './svg/text.ts';

export interface Verdict {
  state: 'whole' | 'damaged' | 'outage' | 'nothing';
  /** One sentence for the head of the report and the terminal. */
  text: string;
}

/** What happened to the picture, in one sentence that claims no more than was measured. */
export function verdict(data: ReportData): Verdict {
  const m = data.metrics;
  if (data.purpose === 'sending') {
    return { state: 'whole', text: 'Sent. Whether it arrived is for the receiver to say.' };
  }
  if (data.bursts.length === 0 && !data.pictures.received) {
    return { state: 'nothing', text: 'No burst was found in the samples.' };
  }
  if (data.purpose === 'sounding') {
    const n = data.bursts.length;
    return {
      state: 'whole',
      text: `The channel was measured with ${n} sounding burst${n === 1 ? '' : 's'}.${lossText(data)}`,
    };
  }
  if (m.outage !== 1 && !data.pictures.received && data.bursts.every((b) => b.kind === 'sounding')) {
    const n = data.bursts.length;
    return {
      state: 'nothing',
      text: `No picture was heard, only ${n} sounding burst${n === 1 ? '' : 's'}.${lossText(data)}`,
    };
  }
  if (m.codec === 'speech' && m.speech) return speechVerdict(data, m.speech);
  if (m.outage === 1) {
    const scored = m.psnrDb === null ? '' : '; scored as flat grey (128)';
    if (m.unsent) {
      return {
        state: 'outage',
        text: `Not sent: no coding of the picture fits its budget over this channel${scored}.`,
      };
    }
    return {
      state: 'outage',
      text: `Outage: the picture was not decoded${scored}.${blockText(data)}${lossText(data)}`,
    };
  }
  if (data.semantics?.task && !data.pictures.received) {
    const whole = isComplete(data);
    return {
      state: whole ? 'whole' : 'damaged',
      text: `The features arrived${whole ? '' : ' damaged'}; a picture was not asked for.${sfvText(data)}${lossText(data)}`,
    };
  }
  const quality =
    m.psnrDb === null
      ? '. Its quality is not known without the original'
      : `: ${fixed(m.psnrDb, 1)} dB PSNR${m.msSsim === null ? '' : `, MS-SSIM ${fixed(m.msSsim, 3)}`}`;
  const nothing = m.sfvs.length > 0 && m.sfvs.every((s) => s.state === 'synthesised' || s.state === 'lost');
  const whole = isComplete(data);
  const what = nothing ? 'Nothing of the picture arrived, what is shown is made up' : arrivalText(data, whole);
  const state = nothing ? 'outage' : whole ? 'whole' : 'damaged';
  return { state, text: `${what}${quality}.${sfvText(data)}${blockText(data)}${lossText(data)}` };
}

/** Of speech alone. */
function speechVerdict(data: ReportData, { outage, stoi, note, sfvs }: SpeechFigures): Verdict {
  if (data.metrics.unsent)
    return { state: 'outage', text: 'Not sent: no coding of the speech fits its budget over this channel.' };
  if (outage === 1) return { state: 'outage', text: `Outage: the speech was not decoded.${lossText(data)}` };
  const whole = note === null;
  const unknown = data.speech?.source ? 'cannot be told of so little speech' : 'is not known without the original';
  const clear = stoi === null ? `. How clear it is ${unknown}` : `: STOI ${fixed(stoi, 3)}`;
  const came = sfvs.length > 0 ? ` SFVs: ${sfvs.filter((s) => s.symbols > 0).length} of ${sfvs.length} came.` : '';
  const text = `The speech arrived${whole ? '' : ' damaged'}${clear}.${came}${blockText(data)}${lossText(data)}`;
  return { state: whole ? 'whole' : 'damaged', text };
}

/** Whether all that was sent arrived; by the metrics alone where the run does not say. */
function isComplete({ arrival, metrics: { ok, sfvs } }: ReportData): boolean {
  return arrival ? arrival.complete : ok && sfvs.every((s) => s.state === 'received');
}

/** Of a picture that is not all made up. What was never sent (selective mode, or no room for it) is no damage. */
function arrivalText({ arrival, metrics }: ReportData, whole: boolean): string {
  if (!whole) return 'The picture arrived damaged';
  if (!arrival?.unsentSfvs) return 'The picture arrived whole';
  const rest = metrics.sfvs.some((s) => s.state === 'synthesised') ? 'made up' : 'left blank';
  return `All that was sent of the picture arrived, the rest is ${rest}`;
}

/** How many SFVs stand in each state, received ones first: "7 received, 2 synthesised"; empty for a run without SFVs. */
export function sfvStates({ metrics: { sfvs } }: ReportData): string {
  const counts = SFV_STATES.map((state) => [state, sfvs.filter((s) => s.state === state).length] as const);
  return counts
    .filter(([, n]) => n > 0)
    .map(([state, n]) => `${grouped(n)} ${state}`)
    .join(', ');
}

function sfvText(data: ReportData): string {
  const { sfvs } = data.metrics;
  // Without correction what came in part is shown as it came.
  const left = (data.arrival?.damagedSfvs ?? 0) - sfvs.filter((s) => s.state === 'repaired').length;
  const bad = left > 0 ? `; ${grouped(left)} of the received ones damaged and left so` : '';
  return bad !== '' || sfvs.some((s) => s.state !== 'received') ? ` SFVs: ${sfvStates(data)}${bad}.` : '';
}

function blockText(data: ReportData): string {
  if (data.blocks.length === 0) return '';
  const lost = data.blocks.filter((b) => b.state === 'lost').length;
  const again = data.metrics.retransmissions;
  const repeats = again ? `, ${grouped(again)} sent again` : '';
  return ` ${grouped(lost)} of ${grouped(data.blocks.length)} code blocks lost${repeats}.`;
}

function lossText(data: ReportData): string {
  const lost = data.metrics.lostSamples;
  return lost ? ` ${grouped(lost)} samples were lost on the way.` : '';
}

const DEFAULT_REASONS: Record<string, string> = {
  psnrDb: 'needs the original (--reference PHOTO)',
  msSsim: 'needs the original (--reference PHOTO)',
  ssim: 'needs the original (--reference PHOTO)',
  lpips: 'needs --lpips FILE',
  roiPsnrDb: 'needs --truth LABELS.png',
  mIoU: 'needs --truth LABELS.png',
  judgeMIoU: 'needs --judge FILE and --truth LABELS.png',
  importanceWeightedPsnrDb: 'this codec has no importance map',
  csiAgeMs: 'no CSI report was used',
  evmDb: 'needs a data burst whose blocks all arrived at once',
  bler: 'no coded block was sent, or none was found',
  cfoHz: 'no burst was found',
  snrDb: 'not set by the command; see the measured RB SNR',
};

/** Where the original is here, these are null of a small picture alone (docs/metrics.md). */
const LEAST_SIDE_PX: Record<string, number> = { msSsim: 161, ssim: 11 };

/** Why there is no received picture. */
export function missingPicture(data: ReportData): string {
  if (data.purpose === 'sending') return 'this end does not hear what arrives';
  return data.semantics?.task ? 'only the heads looked at what came' : 'nothing was decoded';
}

/** Why a metric is null, for the dash's title. */
export function reasonOf(data: ReportData, key: string): string {
  const quality = ['psnrDb', 'msSsim', 'ssim', 'lpips', 'roiPsnrDb', 'mIoU', 'importanceWeightedPsnrDb'].includes(key);
  if (quality && !data.notMeasured[key] && !data.pictures.received) return missingPicture(data);
  const least = LEAST_SIDE_PX[key];
  if (least && !data.notMeasured[key] && data.metrics.psnrDb !== null) return `needs at least ${least} pixels a side`;
  return data.notMeasured[key] ?? DEFAULT_REASONS[key] ?? 'not measured in this run';
}

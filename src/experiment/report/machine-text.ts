import type { LinkMetrics } from '../metrics/metrics.ts';
import { fixed, NOT_MEASURED } from './svg/text.ts';

/**
 * How far what the heads found is right, in a few words: against the original's own features, against truth, and what those
 * would give against truth; empty where nothing of that is known.
 */
export function machineAgreement({ machine }: Pick<LinkMetrics, 'machine'>): string[] {
  if (!machine) return [];
  const { withClean, withTruth, cleanWithTruth } = machine;
  const parts: string[] = [];
  if (withClean?.pixelAccuracy != null) {
    parts.push(`${fixed(100 * withClean.pixelAccuracy)} % of pixels as from the original's features`);
  }
  if (withTruth?.mIoU != null) {
    const bound = cleanWithTruth?.mIoU == null ? '' : ` (original's features ${fixed(cleanWithTruth.mIoU, 3)})`;
    parts.push(`mIoU ${fixed(withTruth.mIoU, 3)} by truth${bound}`);
  }
  return parts;
}

/** What the user's judge makes of the received picture, and of the original. */
export function judgedText({ judgeMIoU, judgeCleanMIoU }: Pick<LinkMetrics, 'judgeMIoU' | 'judgeCleanMIoU'>): string {
  const clean = judgeCleanMIoU === null ? '' : ` (original ${fixed(judgeCleanMIoU, 3)})`;
  return judgeMIoU === null ? NOT_MEASURED : `${fixed(judgeMIoU, 3)}${clean}`;
}

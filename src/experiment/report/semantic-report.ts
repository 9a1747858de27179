import { RB_DATA_RE } from '../../phy/numerology.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import type { TransmitFacts } from '../metrics/transmit-facts.ts';
import type { ReportSemantics } from './data.ts';
import { reportPicture } from './picture.ts';
import type { SemanticData } from './semantic-data.ts';
import { semanticView } from './semantic-view.ts';

/** Panels are small; the files beside the page have every pixel. */
const PANEL_PX = 576;

export interface SemanticReportInput {
  readonly facts: Pick<TransmitFacts, 'reportedSnrDb'> | null;
  readonly trace: Pick<LinkTrace, 'dataBursts'>;
  readonly source: RgbImage | undefined;
  readonly decoded: DecodedImage | undefined;
}

/** What the report draws of the SFVs: counted from the link's data, pictures embedded. */
export async function reportSemantics(
  { facts, trace, source, decoded }: SemanticReportInput,
  semantic: SemanticData,
): Promise<ReportSemantics> {
  const view = semanticView({
    semantic,
    source,
    decoded,
    reportedDb: facts?.reportedSnrDb ?? null,
    measured: (burst) => measured(trace, burst),
    rePerRb: RB_DATA_RE,
  });
  const picture = async (image: RgbImage | undefined, alt: string, file?: string, note?: string) =>
    image ? await reportPicture(image, alt, file, note, PANEL_PX) : null;
  return {
    ...view,
    photo: await picture(source ?? decoded?.image, source ? 'Source' : 'Received'),
    before: await picture(decoded?.uncorrected, 'Received, before correction', 'uncorrected.png'),
    after: await picture(decoded?.image, 'Received, after correction', 'received.png'),
  };
}

function measured(trace: SemanticReportInput['trace'], burst: number): Float32Array | undefined {
  return trace.dataBursts.find((b) => b.burst === burst && b.slots > 0)?.rbSnrDb;
}

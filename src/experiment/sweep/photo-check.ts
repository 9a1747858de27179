import { UsageError } from '../../common/errors.ts';
import { numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { DEMO_SIZE } from '../../sct/image/demo.ts';
import { pictureSize } from '../../sct/image/load.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { budgetOf } from '../config/link-setup.ts';

/** Looks at the headers of photos before anything is measured, each once. What lies behind a header is found out when it is read. */
export class PhotoCheck {
  private readonly sizes = new Map<string, ReturnType<typeof pictureSize>>();

  /**
   * @param photo null: the demo photo
   * @param budgeted whether the budget is that of the photo alone
   * @throws UsageError for what is no picture, and for a budget in which the control block and one slot do not fit, over whatever channel
   */
  async check(config: LinkConfig, photo: string | null, budgeted: boolean): Promise<void> {
    const { width, height } = photo === null ? DEMO_SIZE : await this.sizeOf(photo);
    if (!budgeted) return;
    const pixels = width * height;
    const n = numerology(config.numerology);
    // What describes the streams takes an OFDM symbol at least.
    const least = (n.headerSymbols + 1) * n.symbolDataRe + n.nSubbands * RB_DATA_RE;
    const budget = budgetOf(config, pixels);
    if (budget >= least) return;
    const perPixel = Math.ceil((1e4 * least) / pixels) / 1e4;
    throw new UsageError(
      `a budget of ${Math.floor(budget)} symbols for ${width}x${height} pixels is too small: control and one slot take ${least} or more`,
      `give more than --symbols-per-pixel ${perPixel} (--cbr ${(perPixel / 3).toPrecision(3)}), or a numerology with fewer subbands`,
    );
  }

  private sizeOf(path: string): ReturnType<typeof pictureSize> {
    const size = this.sizes.get(path) ?? pictureSize(path);
    this.sizes.set(path, size);
    return size;
  }
}

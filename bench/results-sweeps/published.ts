/** What is published of which sweeps: one report in docs/results each, and what its index shows of it. */
export interface Published {
  /** Folder in docs/results. */
  readonly name: string;
  readonly title: string;
  /** What was asked, and what the figures say; a paragraph each. */
  readonly text: readonly string[];
  /** Folders in bench/sweeps. */
  readonly sweeps: readonly string[];
  /** Limits of the error event. */
  readonly limits: { readonly ds: number; readonly dx: number } | null;
  /** Of the figures those that the index shows, and measures in its table. */
  readonly shown: readonly string[];
  readonly measures: readonly string[];
}

export const PUBLISHED: readonly Published[] = [
  {
    name: 'quality',
    title: 'Quality against SNR',
    text: [
      'Three codecs at the same R on a flat channel and on one that fades; the picture as a whole, no region preferred. The classical codec (AVIF, LDPC, MCS by CSI) is ahead in PSNR on both: what the semantic codecs are for is shown under mapping and in [results](../results.md).',
    ],
    sweeps: ['quality'],
    limits: null,
    shown: ['psnr-snr', 'gain-codec-psnr-snr'],
    measures: ['psnrDb', 'msSsim', 'outage'],
  },
  {
    name: 'rate',
    title: 'Quality against R',
    text: [
      'The same three codecs at four budgets; R is what was used, every symbol counted as [metrics](../metrics.md) says.',
    ],
    sweeps: ['rate'],
    limits: null,
    shown: ['psnr-rate', 'ms-ssim-rate'],
    measures: ['psnrDb', 'msSsim', 'symbolsPerPixel'],
  },
  {
    name: 'mapping',
    title: 'Mapping gain',
    text: [
      'The same symbols with the same power and rates; only where SFVs lie on the band differs. Gains are differences of the same photo and seed. PSNR by importance weighs each pixel by what the sender thought of it, so it rewards the mapping for its own opinion; gains in the regions of a ground truth stand in [results](../results.md#mapping-the-same-symbols-placed-elsewhere).',
    ],
    sweeps: ['mapping'],
    limits: null,
    shown: ['gain-mapping-psnr-snr', 'gain-mapping-weighted-psnr-snr'],
    measures: ['psnrDb', 'importanceWeightedPsnrDb', 'outage'],
  },
  {
    name: 'delivery',
    title: 'Delivery of SFVs and block errors',
    text: [
      'Packets of SFVs without repetitions in a fading channel: sent for 5 dB whatever the channel is (feedback none), and by a report that is 20 ms old (feedback same). Of a picture whose side information was lost no SFV was received; BLER knows only the blocks of bursts that were found, so read it beside the outage.',
    ],
    sweeps: ['delivery'],
    limits: null,
    shown: ['sfv-received-snr', 'bler-snr', 'outage-snr'],
    measures: ['psnrDb', 'bler', 'outage', 'sfvReceived'],
  },
  {
    name: 'camvid-events',
    title: 'The joint error event on CamVid',
    text: [
      'The probability that a picture comes with a semantic distortion above Ds or a pixel distortion above Dx, and of each alone: ds = 1 − mIoU of a judge on the received picture, dx = MSE/255². How the limits were chosen stands in [the file of the sweep](../../bench/sweeps/camvid-events/sweep.yaml), what theory says in [bounds](../bounds.md).',
    ],
    sweeps: ['camvid-events'],
    limits: { ds: 0.6, dx: 0.003 },
    shown: ['event-joint-snr', 'event-semantic-snr', 'event-pixel-snr', 'psnr-snr', 'judge-miou-snr'],
    measures: ['psnrDb', 'judgeMIoU', 'outage'],
  },
  {
    name: 'camvid-events-eva',
    title: 'The joint error event on CamVid over EVA',
    text: [
      'The same event, limits and judge over a channel that fades (EVA, 5 Hz) with a CSI report of 20 ms: 16 of those pictures, five draws of the channel each. Five draws are few, so the intervals of the shares overlap; the gains in PSNR are differences of the same picture and draw. What it says stands in [bounds](../bounds.md#of-pictures-over-a-channel-that-fades).',
    ],
    sweeps: ['camvid-events-eva'],
    limits: { ds: 0.6, dx: 0.003 },
    shown: ['event-joint-snr', 'event-semantic-snr', 'event-pixel-snr', 'gain-codec-psnr-snr'],
    measures: ['psnrDb', 'judgeMIoU', 'outage'],
  },
];

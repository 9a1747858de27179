/**
 * How well class activation finds what a machine task looks for, by the way the gradient weighs the features.
 *
 *   node --import tsx bench/activation.ts --data DIR [--every N] [--models DIR]
 *     CamVid test (camvid/test of DIR), task classes of the product
 *
 * For each weighting: share of the map's mass that lies on true pixels of the task classes (a uniform map has their share of
 * the picture), and how much of them lies in the top fifth of the cells (a random map: a fifth).
 */
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { shares } from '../src/sct/importance/importance-map.ts';
import { loadStreetLabels, ROI_LABELS } from '../src/sct/quality/label-image.ts';
import { type GradientWeighting, gradCam } from '../src/sct/semantics/grad-cam.ts';
import { loadModels } from '../src/sct/semantics/models.ts';

const WEIGHTINGS: readonly GradientWeighting[] = ['channel', 'cell'];

async function figures(data: string, every: number): Promise<void> {
  const models = await loadModels({ dir: option('--models') });
  const paths = (await listImages(`${data}/camvid/test`)).filter((p) => p.endsWith('.jpg'));
  const sums = new Map(WEIGHTINGS.map((w) => [w, { mass: 0, top: 0 }]));
  let [pictures, roi] = [0, 0];
  for (const path of paths.filter((_, i) => i % every === 0)) {
    const truth = await loadStreetLabels(path.replace(/jpg$/, 'png'));
    const y = await models.analyse(await loadImage(path));
    const cells = y.rows * y.columns;
    const hits = new Float64Array(cells); // true pixels of the task classes in each cell
    truth.data.forEach((label, i) => {
      const cell = (Math.floor(i / truth.width) >> 4) * y.columns + ((i % truth.width) >> 4);
      if (ROI_LABELS.includes(label)) hits[cell]++;
    });
    const all = hits.reduce((a, b) => a + b, 0);
    if (all === 0) continue;
    pictures++;
    roi += all / truth.data.length;
    const output = await models.labels(y);
    for (const weighting of WEIGHTINGS) {
      const { plane } = await gradCam(models, y, output, ROI_LABELS, weighting);
      const share = shares(plane.data);
      const order = Array.from(share.keys()).sort((a, b) => share[b] - share[a] || a - b);
      const sum = sums.get(weighting)!;
      sum.mass += share.reduce((m, v, i) => m + (v * hits[i]) / 256, 0);
      sum.top += order.slice(0, Math.floor(cells / 5)).reduce((m, i) => m + hits[i], 0) / all;
    }
  }
  const percent = (v: number) => `${((100 * v) / pictures).toFixed(1)} %`;
  console.log(
    `${pictures} pictures of CamVid test, task classes on ${percent(roi)} of the pixels (models ${models.set.id})`,
  );
  for (const [weighting, { mass, top }] of sums) {
    console.log(
      `${weighting}: ${percent(mass)} of the map on them, ${percent(top)} of them in the top fifth of the cells`,
    );
  }
  await models.close();
}

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const folder = option('--data');
if (folder === undefined) {
  console.error('usage: bench/activation.ts --data DIR [--every N] [--models DIR]');
  process.exitCode = 2;
} else await figures(folder, Math.max(1, Number(option('--every') ?? 1)));

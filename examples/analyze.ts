/**
 * What the networks see in a photo and what matters in it; then the photo back from its feature map, nothing lost.
 *
 *     node --import tsx examples/analyze.ts [PHOTO] [base|live]
 */
import {
  analyseSemantics,
  flatPlane,
  loadDemoPhoto,
  loadImage,
  loadModels,
  measureQuality,
  UsageError,
} from '../src/index.ts';

const [path, size = 'live'] = process.argv.slice(2);
if (size !== 'base' && size !== 'live') throw new UsageError(`"${size}" is not one of base, live`);
const photo = path ? await loadImage(path) : await loadDemoPhoto();
const models = await loadModels({ size });
try {
  const analysis = await analyseSemantics(models, photo, { task: 'machine', taskClasses: ['car', 'pedestrian'] });
  const names = models.tables.labels.names;
  console.log(`${analysis.y.columns}x${analysis.y.rows} cells, ${analysis.sfvs.length} objects`);
  for (const id of analysis.ranking.slice(0, 3)) {
    const { label, cells, importance, score } = analysis.sfvs[id];
    const name = names[label] ?? `cluster ${label - names.length + 1}`;
    console.log(`${name}: ${cells} cells, ${(100 * importance).toFixed(1)} % of the importance, score ${score}`);
  }
  // Synthesis is told how far the features are from the true ones: log10 of the squared error, here as small as trained.
  const back = await models.synthesise(analysis.y, flatPlane(analysis.y, -1.5));
  const { psnrDb } = measureQuality({ reference: photo, received: back });
  console.log(`back from its features: PSNR ${psnrDb?.toFixed(2)} dB`);
} finally {
  await models.close();
}

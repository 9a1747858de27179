// Coded streams made by src/sct/entropy, for decode.py: node --import tsx make-entropy.ts > entropy.json
import { RandomStream } from '../../../src/common/random.ts';
import { encodeClassMap } from '../../../src/sct/entropy/class-map-code.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import type { ModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { drawClasses, drawSymbols, syntheticTables } from '../../sct/entropy/synthetic-tables.ts';

const CHANNELS = 6;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const SHAPES = [
  { rows: 1, columns: 1, coarse: false, level: 0 },
  { rows: 5, columns: 7, coarse: true, level: 3 },
  { rows: 12, columns: 9, coarse: false, level: 8 },
  { rows: 16, columns: 24, coarse: true, level: 13 },
];
function codedBy(tables: ModelTables, random: RandomStream, packet?: { carries: number; salt: number }) {
  const coder = new FeatureCoder(tables);
  return SHAPES.map(({ rows, columns, coarse, level }) => {
  const data = drawClasses(rows, columns, coarse || packet !== undefined, random);
  const classMap = { rows, columns, data };
  const cells = [...data.keys()].filter((i) => i % 3 !== 1); // an SFV need not be the whole grid
  const symbols = drawSymbols(tables, data, cells, level, random, columns);
  symbols[0] = 32767; // the farthest escapes
  symbols[1] = -32767;
  return {
    rows,
    columns,
    level,
    ...packet,
    classes: [...data],
    cells,
    symbols: [...symbols],
    classMapBytes: hex(encodeClassMap(classMap, tables)),
    featureBytes: hex(coder.encode({ cells, level, classMap, ...packet }, symbols)),
  };
});
}
const tables = syntheticTables(CHANNELS);
const predicting = syntheticTables(CHANNELS, 14, [0, 3]);
const plain = {
  channels: CHANNELS,
  cdfTables: tables.cdfTables.map(({ low, frequencies }) => ({ low, frequencies: [...frequencies] })),
  tableOf: [...tables.tableOf], // [level][class][channel]
  classContext: { fine: [...tables.classContext.fine], coarse: [...tables.classContext.coarse] },
};
// The same tables with two channels coded as differences; then also with the classes in the code and a salt, as in a packet's segment.
const differences = {
  predicted: [...predicting.predicted],
  differenceOf: [...predicting.differenceOf], // [level][class][index in predicted]
  streams: [
    ...codedBy(predicting, new RandomStream('differences')),
    ...codedBy(predicting, new RandomStream('carried classes'), { carries: 6, salt: 0xa507 }),
  ],
};
process.stdout.write(`${JSON.stringify({ tables: plain, streams: codedBy(tables, new RandomStream('vectors')), differences })}\n`);

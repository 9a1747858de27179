import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { decodeClassMap, encodeClassMap } from '../../../src/sct/entropy/class-map-code.ts';
import { entropyMap, REFERENCE_LEVEL } from '../../../src/sct/entropy/entropy-map.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import { RANS_FLUSH_BYTES } from '../../../src/sct/entropy/rans.ts';
import { symbolRate, symbolSum } from '../../../src/sct/rate/symbol-rate.ts';
import { CLASSES, parseModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { drawClasses, drawSymbols } from './synthetic-tables.ts';

for (const name of ['base', 'live']) {
  const path = new URL(`../../../models/${name}/tables.json`, import.meta.url);
  const skip = existsSync(path) ? false : `SKIPPED: no models/${name}/tables.json`;

  test(`${name}: embeddings drawn from the shipped tables are coded within 1 % of the tables' estimate and come back`, {
    skip,
  }, () => {
    const tables = parseModelTables(JSON.parse(readFileSync(path, 'utf8')), { file: name });
    const coder = new FeatureCoder(tables);
    const grid = { rows: 16, columns: 24 };
    const classMap = { ...grid, data: drawClasses(grid.rows, grid.columns, true, new RandomStream('shipped')) };
    const cells = [...classMap.data.keys()];
    let fewer = Number.POSITIVE_INFINITY;
    for (let level = 0; level < tables.levels; level += 3) {
      const layout = { cells, level, classMap };
      const symbols = drawSymbols(tables, classMap.data, cells, level, new RandomStream(level), grid.columns);
      const bytes = coder.encode(layout, symbols);
      assert.deepEqual(coder.decode(layout, bytes), { ok: true, value: symbols });
      const estimate = coder.bits(layout, symbols) / 8;
      assert.ok(Math.abs(bytes.length - RANS_FLUSH_BYTES - estimate) < 0.001 * estimate + 1);
      // bitsOf counts photographs; draws from shapes that many contexts share repeat its mean over contexts, not each class's
      const counted = classMap.data.reduce((sum, c) => sum + tables.bitsOf[level * CLASSES + c] / 128, 0);
      assert.ok(Math.abs(estimate / counted - 1) < 0.25, `level ${level}: ${estimate} bytes, ${counted} by bitsOf`);
      assert.ok(estimate < fewer, 'coarser steps take fewer bytes');
      fewer = estimate;
    }
    const map = encodeClassMap(classMap, tables);
    assert.deepEqual(decodeClassMap(map, grid, tables), { ok: true, value: classMap });
  });

  test(`${name}: a busier class costs more bits and gets more symbols`, { skip }, () => {
    const tables = parseModelTables(JSON.parse(readFileSync(path, 'utf8')), { file: name });
    const all = { rows: 1, columns: CLASSES, data: Uint8Array.from({ length: CLASSES }, (_, c) => c) };
    const bits = entropyMap(all, tables).data;
    assert.equal(bits[0], tables.bitsOf[REFERENCE_LEVEL * CLASSES] / 16);
    const k = symbolRate({ classes: all.data, thetaLevel: 25, budget: 48 * CLASSES }, tables);
    for (let c = 1; c < CLASSES; c++) assert.ok(bits[c] >= bits[c - 1] && k[c] >= k[c - 1]);
    assert.ok(symbolSum(k) <= 48 * CLASSES && symbolSum(k) > 44 * CLASSES && k[15] > 3 * Math.max(4, k[0]));
  });
}

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { cellBytes, imageCells, imageFromCells } from '../../../src/sct/semantics/picture-cells.ts';

test('a pixel stands where the order of cells, blocks, rows says, edges repeated; the way back is exact', () => {
  const side = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(16, 32, 48));
  fc.assert(
    fc.property(side, side, fc.integer(), fc.nat(3), (width, height, seed, offset) => {
      const data = new Uint8Array(offset + 3 * width * height).subarray(offset);
      for (let i = 0; i < data.length; i++) data[i] = Math.imul(i + 1, 40503 + seed) >>> 7;
      const image = rgbImage(width, height, data);
      const shape = { widthPx: width, heightPx: height };
      const [rows, columns] = [Math.ceil(height / 16), Math.ceil(width / 16)];
      const cells = imageCells(image, new Uint8Array(cellBytes(shape)).fill(7));
      assert.equal(cells.length, 768 * rows * columns);
      for (let y = 0; y < 16 * rows; y++) {
        for (let x = 0; x < 16 * columns; x++) {
          const pixel = width * Math.min(y, height - 1) + Math.min(x, width - 1);
          const block = 4 * ((y >> 2) & 3) + ((x >> 2) & 3);
          const at = 768 * (columns * (y >> 4) + (x >> 4)) + 48 * block + 12 * (y & 3) + 3 * (x & 3);
          for (let c = 0; c < 3; c++) if (cells[at + c] !== data[3 * pixel + c]) assert.fail(`pixel ${x}, ${y}`);
        }
      }
      assert.deepEqual(imageFromCells(cells, shape), image);
      const moved = new Uint8Array(cells.length + 1).subarray(1);
      moved.set(cells);
      assert.deepEqual(imageFromCells(moved, shape), image);
    }),
    { numRuns: 100 },
  );
});

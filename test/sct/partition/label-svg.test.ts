import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { labelSvg } from '../../../src/sct/partition/label-svg.ts';
import { adoptPartition } from '../../../src/sct/partition/partition.ts';

test('drawn by an SVG renderer, every cell has the colour of its label; kept ones are hatched', async () => {
  const map = {
    rows: 4,
    columns: 5,
    data: Uint8Array.from([0, 0, 0, 3, 3, 0, 8, 0, 3, 3, 0, 0, 0, 3, 0, 3, 3, 3, 3, 3]),
  };
  const { partition } = adoptPartition(map, { agreement: 1, bitsPerCell: 50 });
  assert.deepEqual(partition.labels, map.data);
  const palette = Uint8Array.from({ length: 129 }, (_, i) => (i * 37) % 256);
  const shape = { widthPx: 75, heightPx: 60 };
  const names = ['sky & clouds', ...Array.from({ length: 10 }, (_, i) => `class ${i + 1}`)];
  const svg = labelSvg(partition, shape, { palette, names });
  assert.match(svg, new RegExp(`${partition.sfvs.length} SFVs, ${partition.bytes.length} bytes as sent`));
  assert.ok(svg.includes('sky &#38; clouds, '));
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [75, 60]);
  map.data.forEach((label, at) => {
    const [x, y] = [16 * (at % 5) + 8, 16 * Math.floor(at / 5) + 8];
    const p = 3 * (y * 75 + x);
    assert.deepEqual([...data.subarray(p, p + 3)], [...palette.subarray(3 * label, 3 * label + 3)], `cell ${at}`);
  });
  const hatched = labelSvg(partition, shape, { palette, names, sent: 2 });
  assert.equal(hatched.split('url(#sent)').length - 1, 2);
});

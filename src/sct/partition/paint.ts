/**
 * Lattice labels on the grid: a lattice cell covers scale x scale grid cells, cut off at the right and lower edge. Diagonal
 * boundaries are smoothed: a grid cell in a corner of its lattice cell (nearer to the corner than the diagonal through
 * the middles of the two sides) takes the label that both neighbours at that corner share, unless one of the two opposite
 * neighbours has it too (the rule of EPX, here at any scale).
 *
 * @returns labels [row][column]
 */
export function paintLattice(lattice: Uint8Array, scale: number, rows: number, columns: number): Uint8Array {
  const width = Math.ceil(columns / scale);
  const height = Math.ceil(rows / scale);
  const out = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const y = Math.floor(r / scale);
    const down = 2 * (r % scale) + 1 - scale; // -scale..scale from the middle of the lattice cell
    for (let c = 0; c < columns; c++) {
      const x = Math.floor(c / scale);
      const right = 2 * (c % scale) + 1 - scale;
      const own = lattice[y * width + x];
      out[r * columns + c] = own;
      if (scale === 1 || Math.abs(down) + Math.abs(right) < scale) continue;
      const [dy, dx] = [Math.sign(down), Math.sign(right)];
      const beside = lattice[y * width + within(x + dx, width)];
      if (beside === own || lattice[within(y + dy, height) * width + x] !== beside) continue;
      const behind = lattice[y * width + within(x - dx, width)];
      if (behind === beside || lattice[within(y - dy, height) * width + x] === beside) continue;
      out[r * columns + c] = beside;
    }
  }
  return out;
}

function within(i: number, n: number): number {
  return Math.max(0, Math.min(n - 1, i));
}

import { type Column, rowsOf, type Table } from './table.ts';

/**
 * A table as CSV (RFC 4180, LF line ends): complex columns as NAME_re and NAME_im, columns with a second axis as NAME_0,
 * NAME_1, ... Numbers have their shortest exact form; not finite ones are empty.
 */
export function csvText(table: Table): string {
  const fields = Object.entries(table.columns).flatMap(([name, column]) => fieldsOf(name, column));
  const rows = Math.max(0, ...Object.values(table.columns).map(rowsOf));
  const lines = [fields.map((f) => f.name).join(',')];
  for (let r = 0; r < rows; r++) lines.push(fields.map((f) => f.cell(r)).join(','));
  return `${lines.join('\n')}\n`;
}

interface Field {
  readonly name: string;
  readonly cell: (row: number) => string;
}

function fieldsOf(name: string, column: Column): Field[] {
  if (column.kind === 'text') return [{ name, cell: (r) => quoted(column.values[r]) }];
  const { data, shape, kind } = column;
  const wide = shape.slice(1).reduce((product, n) => product * n, 1);
  const parts = kind === 'c8' ? ['_re', '_im'] : [''];
  const single = kind === 'f4' || kind === 'c8';
  const stride = wide * parts.length;
  const fields: Field[] = [];
  for (let c = 0; c < wide; c++) {
    parts.forEach((part, p) => {
      const at = c * parts.length + p;
      const label = shape.length > 1 ? `${name}_${c}${part}` : `${name}${part}`;
      fields.push({ name: label, cell: (r) => numberText(data[r * stride + at], single) });
    });
  }
  return fields;
}

function numberText(v: number, single: boolean): string {
  if (!Number.isFinite(v)) return '';
  return single ? String(Number(v.toPrecision(9))) : String(v);
}

function quoted(v: string): string {
  return /[",\n\r]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v;
}

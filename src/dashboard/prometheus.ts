/** One measurement for the text exposition format 0.0.4 of Prometheus. */
export interface Measurement {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly samples: readonly {
    readonly labels?: Readonly<Record<string, string | number>>;
    readonly value: number | null;
  }[];
}

/** The page of all measurements that are known now. */
export function exposition(measurements: readonly Measurement[]): string {
  let text = '';
  for (const { name, help, kind, samples } of measurements) {
    const known = samples.filter((s) => s.value !== null);
    if (known.length === 0) continue;
    text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`;
    for (const { labels = {}, value } of known) {
      const words = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(String(label))}"`);
      text += `${name}${words.length > 0 ? `{${words.join(',')}}` : ''} ${numberText(value!)}\n`;
    }
  }
  return text;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

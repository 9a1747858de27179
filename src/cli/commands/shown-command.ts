/** The command line with its folders left out, as a report may show it. */
export function shownCommand(argv: readonly string[]): string {
  const names: Record<string, string> = {
    '--data': 'DIR',
    '--models': 'MODELS',
    '--srsran': 'DIR',
    '-o': 'OUT',
    '--output': 'OUT',
  };
  return ['sct', ...argv.map((word, i) => (i > 0 ? (names[argv[i - 1]] ?? word) : word))].join(' ');
}

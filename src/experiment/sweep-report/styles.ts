import type { Curve, Panel } from './panels.ts';

/** As many colours, marks and dashes as there are. */
export const STYLES = 8;

/** "integrated − classical, EVA" looks as "integrated, EVA" does. */
const nameOf = (label: string) => label.replace(/ − [^,]*/, '');

/** Which look each curve has, by its label: the same in every plot of a report, whichever of its figures are drawn. */
export class Styles {
  private readonly byName = new Map<string, number>();

  /** Labels in the order in which they take their looks. */
  constructor(labels: Iterable<string>) {
    for (const label of labels) {
      const name = nameOf(label);
      if (!this.byName.has(name)) this.byName.set(name, this.byName.size % STYLES);
    }
  }

  /** A panel with its curves' looks; in the order of the panel where two would look alike. */
  dressed(panel: Panel): Panel {
    const wanted = panel.curves.map(({ label }) => this.byName.get(nameOf(label)) ?? 0);
    const distinct = new Set(wanted).size === wanted.length;
    const curves = panel.curves.map((c, i): Curve => ({ ...c, style: distinct ? wanted[i] : i % STYLES }));
    return { ...panel, curves };
  }
}

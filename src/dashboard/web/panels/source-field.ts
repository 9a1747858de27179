import { html, type TemplateResult } from 'lit';
import { api } from '../state/api.ts';
import type { OptionsSchema } from '../state/validate.ts';

interface SourceOf {
  readonly command: string;
  readonly source: OptionsSchema['x-source'] | null;
  readonly value: string;
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly problem: string;
  chosen(value: string): void;
}

/** What stands in a command without a flag: a picture (chosen, or given to the server), a recording or a run, a board. */
export function sourceField({ command, source, value, lists, problem, chosen }: SourceOf): TemplateResult {
  const of = source?.['x-list'] ?? (command === 'replay' ? ['captures', 'runs'] : ['pictures']);
  const names = command === 'stream' ? [] : of.flatMap((list) => lists.get(list) ?? []);
  const pictures = of.includes('pictures');
  const video = command === 'stream';
  const [name, hint] = video
    ? ['video', 'a video file among the pictures on the server; empty: all its pictures, one after another']
    : pictures
      ? ['photo', 'a picture on the server; empty: the demo photo']
      : of.includes('devices')
        ? ['board', 'that is listened to: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST']
        : ['recording or run', 'a recording or a run on the server'];
  const type = (event: Event) => chosen((event.target as HTMLInputElement).value);
  return html`<div class="field ${problem ? 'wrong' : ''}"><label for="sct-source">${name}</label>
      <input id="sct-source" .value=${value} @input=${type} list="sct-sources" aria-describedby="sct-source-hint" autocomplete="off" spellcheck="false" />
      <small id="sct-source-hint">${hint}</small><small class="problem">${problem}</small>
      <datalist id="sct-sources">${names.map((name) => html`<option value=${name}></option>`)}</datalist></div>
    ${pictures && !video ? uploadField(chosen) : ''}`;
}

function uploadField(chosen: (value: string) => void): TemplateResult {
  const upload = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (!file) return;
    input.setCustomValidity('');
    try {
      chosen(await api.addPicture(file));
    } catch (error) {
      input.setCustomValidity(error instanceof Error ? error.message : String(error));
      input.reportValidity();
    }
  };
  return html`<div class="field"><label for="sct-upload">or from here</label><input id="sct-upload" type="file" accept="image/png,image/jpeg,image/webp,image/avif" @change=${upload} /></div>`;
}

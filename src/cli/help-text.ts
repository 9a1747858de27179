/**
 * Brings the text that commands add below their options to the width of the terminal. Commander wraps what it lays out
 * itself and leaves added text as it stands, so that paragraphs would run past the edge of a narrow one.
 */
export function wrapAddedHelp(text: string, width: number): string {
  const lines: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.some((line) => line.length > width)) lines.push(...wrapWords(paragraph.join(' '), width));
    else lines.push(...paragraph);
    paragraph = [];
  };
  for (const line of text.split('\n')) {
    const prose = /^\S/.test(line) && !line.endsWith(':');
    if (prose) {
      paragraph.push(line);
      continue;
    }
    flush();
    if (/^ {2}\S/.test(line) && line.length > width) lines.push(...wrapExample(line, width));
    else if (/^\S/.test(line)) lines.push(...wrapWords(line, width));
    else lines.push(line);
  }
  flush();
  return lines.join('\n');
}

/** Indentation of what continues an example. */
const CONTINUED = '      ';

/** A command and what is said of it: first what is said goes to a line of its own, then the command goes on behind a backslash, as a shell reads it. */
function wrapExample(line: string, width: number): string[] {
  const gap = /^( {2}\S.*?)(?: {2,}(?=\S)| +(?=# ))(.*)$/.exec(line);
  const command = gap?.[1] ?? line;
  const said = gap?.[2];
  if (said && command.length + 3 + said.length <= width) return [`${command}   ${said}`];
  const lines: string[] = [];
  let rest = command;
  let indent = '';
  while (indent.length + rest.length > width) {
    const at = lastBreak(rest, width - indent.length - 2);
    if (at < 0) break;
    lines.push(`${indent}${rest.slice(0, at)} \\`);
    rest = rest.slice(at + 1);
    indent = CONTINUED;
  }
  lines.push(indent + rest);
  if (said) lines.push(...wrapWords(said, width - CONTINUED.length).map((words) => CONTINUED + words));
  return lines;
}

/** Index of the last space of `text` up to `most` that stands outside quotes and before a flag, or else before any word; -1 where there is none. */
function lastBreak(text: string, most: number): number {
  let quoted = false;
  let word = -1;
  let flag = -1;
  for (let i = 0; i <= Math.min(most, text.length - 1); i++) {
    if (text[i] === "'") quoted = !quoted;
    if (text[i] !== ' ' || quoted || text.slice(0, i).trim() === '') continue;
    word = i;
    if (text[i + 1] === '-') flag = i;
  }
  return flag > 0 ? flag : word;
}

/** Words in lines of at most `width` characters; a longer word stands alone. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

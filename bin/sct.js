#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/cli/main.js', import.meta.url);

if (Number(process.versions.node.split('.')[0]) < 20) {
  process.stderr.write(`sct: Node ${process.versions.node} is too old\nhint: install Node 20 or newer\n`);
  process.exit(1);
}
if (!existsSync(program)) {
  process.stderr.write('sct: this checkout is not built\nhint: run "npm run build" first\n');
  process.exit(1);
}
const { main } = await import(program.href);
process.exit(await main(process.argv.slice(2)));

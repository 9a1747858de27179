import { posix } from 'node:path';
import ts from 'typescript';

/** One import, re-export, dynamic import or worker URL of a file. */
export interface ImportEdge {
  /** Importing file, path from the repository root with forward slashes. */
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** File it names, path from the root; null for a package or a Node builtin. */
  readonly to: string | null;
  /** The compiler erases it: nothing is imported at run time. */
  readonly typeOnly: boolean;
}

/** Files by path from the repository root; the value is the source text. */
export type FileMap = ReadonlyMap<string, string>;

/** All imports of one TypeScript file, read from its syntax tree, so that comments and strings cannot mislead. */
export function importsOf(path: string, text: string): ImportEdge[] {
  const edges: ImportEdge[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (!node || !ts.isStringLiteralLike(node)) return;
    const specifier = node.text;
    const to = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;
    edges.push({ from: path, specifier, to, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, erased(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node)) {
      const callee = node.expression;
      const loads =
        callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
      if (loads) add(node.arguments[0], false);
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'URL') {
      // new URL('./worker.ts', import.meta.url): how a worker thread names its file.
      const first = node.arguments?.[0];
      if (first && ts.isStringLiteralLike(first) && /^\.{1,2}\/.*\.ts$/.test(first.text)) add(first, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return edges;
}

function erased(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return !clause.name && !!names && ts.isNamedImports(names) && names.elements.every((e) => e.isTypeOnly);
}

/** Import edges of all files. */
export function importGraph(files: FileMap): ImportEdge[] {
  return [...files].flatMap(([path, text]) => importsOf(path, text));
}

/**
 * Groups of files that import each other in a circle (strongly connected components of more than one file, or a file
 * that imports itself) [Tarjan72]. Each is sorted by path.
 */
export function cycles(edges: readonly ImportEdge[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (to !== null) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    onStack.add(file);
    for (const target of next.get(file) ?? []) {
      if (!index.has(target)) {
        visit(target);
        low.set(file, Math.min(low.get(file)!, low.get(target)!));
      } else if (onStack.has(target)) low.set(file, Math.min(low.get(file)!, index.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group: string[] = [];
    let member: string;
    do {
      member = stack.pop()!;
      onStack.delete(member);
      group.push(member);
    } while (member !== file);
    if (group.length > 1 || (next.get(file) ?? []).includes(file)) found.push(group.sort());
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return found;
}

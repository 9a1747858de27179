/** The part of the standard WebAssembly interface used here; the language's own library does not name it. */
interface WebAssemblyInterface {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
  readonly Memory: new (limits: { initial: number; maximum: number }) => KernelMemory;
}

/** Memory of a kernel; growing it makes a new buffer. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** True when this machine runs the module (it may lack SIMD). */
export function canRun(base64: string): boolean {
  return WebAssembly.validate(bytesOf(base64));
}

/** Compiled modules of this thread: instances share their code, and what the engine has optimised of it. */
const modules = new Map<string, object>();

/** A memory for a kernel that brings none; pages of 64 KiB. */
export function newMemory(pages: number, most: number): KernelMemory {
  return new WebAssembly.Memory({ initial: pages, maximum: most });
}

/**
 * An instance of a module with a memory of its own, or in another kernel's where it was made for that (`shared` in assembly/build.js);
 * `Exports` is what its source exports.
 */
export function instantiate<Exports>(base64: string, memory?: KernelMemory): Exports {
  let module = modules.get(base64);
  if (!module) {
    module = new WebAssembly.Module(bytesOf(base64));
    modules.set(base64, module);
  }
  return new WebAssembly.Instance(module, memory && { env: { memory } }).exports as Exports;
}

/** True unless the environment says SCT_KERNELS=js: plain TypeScript instead of WebAssembly, with the same results. */
export function wantsWebAssembly(): boolean {
  const { process } = globalThis as { readonly process?: { readonly env: Record<string, string | undefined> } };
  return process?.env.SCT_KERNELS !== 'js';
}

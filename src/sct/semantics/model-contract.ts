import { CELL_PX } from './feature-map.ts';
import type { ModelRole, TensorInfo } from './model-set.ts';
import { CLUSTERS, K_MAX, STREET_LABELS } from './model-tables.ts';

/** ONNX operator set of every network. */
export const OPSET = 13;
/** Channels of the generator's noise. */
export const NOISE_CHANNELS = 16;

/**
 * What a file of a network is made for. `planes`: the set's own, float. `cells`: an 8-bit execution that takes or gives a picture as bytes, cell
 * by cell (picture-cells.ts), and may use operators of the runtime besides the standard ones.
 */
export type NetworkForm = 'planes' | 'cells';
/** Operators beside the standard ones that networks of the form `cells` may use. */
export const RUNTIME_OPERATORS = 'com.microsoft';

/** What a network is given and gives. */
export interface NetworkContract {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

export type NetworkRole = Exclude<ModelRole, 'tables'>;

const f = (name: string, ...shape: (number | string)[]): TensorInfo => ({
  name,
  type: 'float32',
  shape: [1, ...shape],
});
const cells: TensorInfo = { name: 'cells', type: 'uint8', shape: ['h', 'w', 3 * CELL_PX ** 2] };
const map = (name: string): TensorInfo => ({ name, type: 'int32', shape: [1, 'h', 'w'] });
const plane = (name: string): TensorInfo => f(name, 1, 'h', 'w');

/**
 * The contract of a role for a set of `channels` channels. Batch 1; free dimensions: H, W pixels (multiples of 16), h, w cells,
 * h4 = 4 h, w4 = 4 w.
 */
export function contractOf(role: NetworkRole, channels: number, form: NetworkForm = 'planes'): NetworkContract {
  const features = (name: string) => f(name, channels, 'h', 'w');
  const image = form === 'cells' ? cells : f('image', 3, 'H', 'W');
  const symbols = [map('classMap'), plane('symbols'), plane('snrDb')];
  const maps = (name: string) => f(name, STREET_LABELS, 'h4', 'w4');
  switch (role) {
    case 'analysis':
      return { inputs: [image], outputs: [features('y')] };
    case 'synthesis':
    case 'synthesis-perceptual':
      return { inputs: [features('yHat'), plane('quality')], outputs: [image] };
    case 'symbol-encoder':
      return { inputs: [features('y'), ...symbols], outputs: [f('z', 2 * K_MAX, 'h', 'w')] };
    case 'symbol-decoder':
      return {
        inputs: [f('received', 2 * K_MAX, 'h', 'w'), f('scale', 1, 1, 1), ...symbols],
        outputs: [features('yHat'), plane('quality')],
      };
    case 'labels':
      return {
        inputs: [features('y')],
        outputs: [maps('maps'), f('presence', STREET_LABELS), f('clusters', CLUSTERS, 'h', 'w'), f('street', 1)],
      };
    case 'labels-vjp':
      return { inputs: [features('y'), maps('dMaps'), f('dPresence', STREET_LABELS)], outputs: [features('dY')] };
    case 'saliency':
      return { inputs: [features('y')], outputs: [f('map', 1, 'h4', 'w4')] };
    case 'corrector':
      return {
        inputs: [
          ...[features('yHat'), plane('quality'), plane('damage'), plane('strength'), map('classMap'), map('labelMap')],
          ...[features('reference'), plane('hasReference')],
        ],
        outputs: [features('yHatOut'), plane('qualityOut')],
      };
    case 'generator':
      return {
        inputs: [features('yHat'), plane('missing'), map('labelMap'), f('noise', NOISE_CHANNELS, 'h', 'w')],
        outputs: [features('yOut')],
      };
    case 'features':
      return { inputs: [features('yHat'), plane('quality')], outputs: [features('y')] };
  }
}

/** "y float32 [1,384,h,w]" for messages. */
export function describeTensor({ name, type, shape }: TensorInfo): string {
  return `${name} ${type} [${shape.join(',')}]`;
}

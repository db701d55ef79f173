import type { ScalarNode } from '../yaml/node.ts';
import type { Layer } from './layer.ts';

/** A host, as far as rendering needs it. */
export interface RenderHost {
  readonly name: string;
  readonly layers: readonly Layer[];
}

/** One template of one host. */
export interface RenderRequest {
  readonly key: string;
  readonly host: RenderHost;
  readonly node: ScalarNode;
}

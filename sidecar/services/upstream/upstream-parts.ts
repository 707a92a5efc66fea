import type { Clock } from '../../../platform/clock.ts';
import type { Targets } from '../../resilience/targets.ts';
import type { UpstreamEvents } from './upstream-metrics.ts';
import type { Upstreams } from './upstreams.ts';

/** What calls of this service are made with. */
export interface UpstreamParts {
  readonly upstreams: Upstreams;
  /** What protects them. */
  readonly targets: Pick<Targets, 'named' | 'label'>;
  readonly clock: Clock;
  /** Bytes of one gRPC message: no answer of Call is larger. */
  readonly maxMessageBytes: number;
  readonly events: UpstreamEvents;
}

import { Counter, Gauge, type Registry } from 'prom-client';

/** What is told of the stream to the controller. */
export interface ControlEvents {
  connected(): void;
  failed(): void;
}

/** Metrics of the stream to the controller; `isConnected` is asked at each scrape. */
export function controlMetrics(registry: Registry, isConnected: () => boolean): ControlEvents {
  const registers = [registry];
  void new Gauge({
    name: 'holdfast_control_connected',
    help: '1 while the sidecar has a stream to the controller, else 0.',
    registers,
    collect() {
      this.set(isConnected() ? 1 : 0);
    },
  });
  const connects = new Counter({
    name: 'holdfast_control_connects_total',
    help: 'Attempts to connect to the controller, by result.',
    labelNames: ['result'],
    registers,
  });
  const connected = connects.labels({ result: 'connected' });
  const failed = connects.labels({ result: 'failed' });
  return { connected: () => connected.inc(), failed: () => failed.inc() };
}

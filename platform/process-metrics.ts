import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** Metrics of the process and of Node.js as prom-client makes them, and the limits that they are held against. `memoryBytes` may be Infinity. */
export function processMetrics(registry: Registry, memoryBytes: number): void {
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'holdfast_heap_limit_bytes',
    help: 'Most that the heap of Node.js can grow to.',
    registers: [registry],
  }).set(getHeapStatistics().heap_size_limit);
  new Gauge({
    name: 'holdfast_memory_limit_bytes',
    help: 'Memory that the process may take in all; +Inf for no limit.',
    registers: [registry],
  }).set(memoryBytes);
}

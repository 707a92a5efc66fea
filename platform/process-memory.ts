import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much memory the process has taken, in bytes. */
export interface MemoryReading {
  /** Living objects and garbage that nobody has collected yet. */
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  /** What buffers hold outside the heap. */
  readonly bufferBytes: number;
  /** All of it: heap, buffers, code and the rest. */
  readonly totalBytes: number;
}

/** Makes a function that reads what the process takes, at some 10 µs a time. To be made at start: what is neither heap nor buffer is measured once. */
export function memoryReader(): () => MemoryReading {
  const start = process.memoryUsage();
  const elseBytes = start.rss - start.heapTotal - start.external;
  return () => {
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      heapBytes: heapUsed,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      bufferBytes: external,
      // Not the resident size: it stays high for a while when memory has been given back.
      totalBytes: elseBytes + heapTotal + external,
    };
  };
}

/** Makes a function that collects all garbage; its process stands still for as long as that takes, some 50 ms for 100 MB. */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

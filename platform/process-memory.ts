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

/** Makes a function that reads what the process takes. To be made at start: what is neither heap nor buffer is measured once. */
export function memoryReader(): () => MemoryReading {
  const { rss, heapTotal, external } = process.memoryUsage();
  const elseBytes = rss - heapTotal - external;
  return () => {
    // Not the resident size: it stays high for a while when memory has been given back, and cannot be read without a file descriptor.
    const heap = getHeapStatistics();
    return {
      heapBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      bufferBytes: heap.external_memory,
      totalBytes: elseBytes + heap.total_heap_size + heap.external_memory,
    };
  };
}

/** Makes a function that collects all garbage; its process stands still for as long as that takes, some 50 ms for 100 MB. */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Makes a function that collects the young generation only. */
export function minorCollector(): () => void {
  const collect = garbageCollector() as (options: { readonly type: 'minor' }) => void;
  return () => collect({ type: 'minor' });
}

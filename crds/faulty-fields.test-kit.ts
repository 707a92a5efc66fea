import { PolicyFileError, readPolicyFile } from './policy-file.ts';

/** The fields that the parser has something against, each once; none for a good policy. */
export function faultyFields(manifest: object): string[] {
  try {
    readPolicyFile(JSON.stringify(manifest), 'policy.json');
    return [];
  } catch (thrown) {
    if (!(thrown instanceof PolicyFileError)) throw thrown;
    return [...new Set(thrown.faults.map((fault) => fault.split(' ')[1] ?? ''))];
  }
}

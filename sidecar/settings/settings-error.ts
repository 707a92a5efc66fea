/** What is wrong with a policy: of which, in which field. */
export interface PolicyFault {
  /** Empty when it is not one policy's fault. */
  readonly policy: string;
  /** As in `spec.postgres[0].pool.size`; may be empty. */
  readonly field: string;
  readonly message: string;
}

interface Details {
  readonly cause?: unknown;
  readonly fault?: PolicyFault;
  /** Name and key of a secret that is not there. */
  readonly missing?: SecretName;
}

export interface SecretName {
  readonly name: string;
  readonly key: string;
}

/** The sidecar cannot start with these settings. The message is one line: what is wrong, where, and what to do; it holds no secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  /** Where a policy has it, if one does. */
  readonly fault: PolicyFault | undefined;
  readonly missing: SecretName | undefined;

  constructor(message: string, { cause, fault, missing }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
    this.missing = missing;
  }
}

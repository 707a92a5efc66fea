import { SettingsError, type PolicyFault } from './settings-error.ts';

/** A target of a policy that has to do without, because its secret cannot be used here. */
export interface AbsentTarget extends PolicyFault {
  readonly kind: 'Postgres' | 'Redis' | 'Upstream';
  readonly name: string;
}

interface Wanted extends Pick<AbsentTarget, 'kind' | 'name' | 'policy' | 'field'> {}

/** Reads targets one by one, and keeps those that are left out. */
export class AbsentTargets {
  readonly all: AbsentTarget[] = [];
  readonly #leaveOut: (error: SettingsError) => boolean;

  /** `leaveOut`: whether the rest of the policies does without a target that has this fault. */
  constructor(leaveOut: (error: SettingsError) => boolean) {
    this.#leaveOut = leaveOut;
  }

  /** What `read` gives, or nothing when it is left out. Throws SettingsError. */
  read<Target>(wanted: Wanted, read: () => Target): Target[] {
    try {
      return [read()];
    } catch (thrown) {
      if (!(thrown instanceof SettingsError)) throw thrown;
      const { policy, field } = wanted;
      const { missing } = thrown;
      const message =
        missing === undefined
          ? thrown.message
          : `the secret "${missing.name}" (key "${missing.key}") is not mounted`;
      if (this.#leaveOut(thrown)) {
        this.all.push({ ...wanted, message });
        return [];
      }
      const fault = { policy, field, message: thrown.message };
      throw new SettingsError(thrown.message, { cause: thrown.cause, fault });
    }
  }

  /** Those of one kind. */
  of(kind: AbsentTarget['kind']): readonly AbsentTarget[] {
    return this.all.filter((absent) => absent.kind === kind);
  }
}

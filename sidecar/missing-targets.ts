import { HoldfastError } from '../platform/errors.ts';
import type { Settings } from './config.ts';
import type { AbsentTarget } from './settings/absent-targets.ts';

const pendingRetryMs = 1_000;

/** The answer to every call while the controller has sent no policy yet; undefined when it has, or there is none. */
export function policyPending({ controller, policyDigest }: Settings): HoldfastError | undefined {
  if (controller === undefined || policyDigest !== '') return undefined;
  return new HoldfastError(
    'unavailable',
    'POLICY_PENDING',
    'no policy has come from the controller yet',
    { retryAfterMs: pendingRetryMs },
  );
}

const words: Readonly<Record<AbsentTarget['kind'], string>> = {
  Postgres: 'PostgreSQL pool',
  Redis: 'Redis',
  Upstream: 'upstream',
};

/** Why a target that a call asks for is not there, where the settings know. */
export function missingTarget(
  settings: Settings,
  kind: AbsentTarget['kind'],
  name: string,
): HoldfastError | undefined {
  const pending = policyPending(settings);
  if (pending !== undefined) return pending;
  const absent = settings.absent.find((each) => each.kind === kind && each.name === name);
  if (absent === undefined) return undefined;
  const message = `${words[kind]} "${name}" cannot be used in this pod: ${absent.message}`;
  return new HoldfastError('precondition', 'SECRET_NOT_MOUNTED', message, { target: name });
}

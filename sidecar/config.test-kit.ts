import { readSettings, SettingsError, type Settings } from './config.ts';

export const databaseUrl = 'postgresql://app:s3cret@db.example:5433/orders';
/** The least that starts. */
export const urls = { DATABASE_URL: databaseUrl, REDIS_URL: 'off' };

export const filesOf =
  (files: Readonly<Record<string, string>>) =>
  (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  };

/** Settings from these variables and files alone. */
export const read = (
  env: Readonly<Record<string, string | undefined>>,
  files: Readonly<Record<string, string>> = {},
): Settings => readSettings(env, filesOf(files));

/** The one line that stops the start. */
export const faultOf = (
  env: Readonly<Record<string, string | undefined>>,
  files: Readonly<Record<string, string>> = {},
): string => {
  try {
    read(env, files);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.message;
    throw thrown;
  }
  return 'no fault';
};

/** A manifest with this spec, which begins in line 6. */
export const policy = (spec: string, name = 'default'): string =>
  `apiVersion: resilience.holdfast.dev/v1alpha1\nkind: ResiliencePolicy\nmetadata:\n  name: ${name}\nspec:\n${spec}`;
export const bothPools =
  '  postgres:\n    - name: orders\n      secretRef: { name: postgres }\n  redis:\n    - name: cache\n      secretRef: { name: redis }\n';
/** Variables that point to `secrets`. */
export const withPolicy = {
  HOLDFAST_POLICY_FILE: '/policy.yaml',
  HOLDFAST_SECRETS_DIR: '/secrets',
};
export const secrets = {
  '/policy.yaml': policy(bothPools),
  '/secrets/postgres/url': `${databaseUrl}\n`,
  '/secrets/redis/url': '  rediss://cache.example/3\n',
};

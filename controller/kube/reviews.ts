import type { KubeApi } from './api.ts';
import { apiVersionOf, pathOf, resources } from './resource.ts';

/** Who a token belongs to, or why it is no proof; as controller/discovery takes it. */
export type TokenVerdict =
  | {
      readonly pod: {
        readonly namespace: string;
        readonly podName: string;
        readonly podUid: string;
        readonly serviceAccount: string;
      };
      /** ms since 1970. */
      readonly expiresAtMs: number | undefined;
    }
  | { readonly refused: 'invalid' | 'audience' | 'not-a-pod' };

interface TokenReview {
  readonly status: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user?: {
      readonly username?: string;
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}

/** Asks the API server who a token belongs to. The token has to be a pod's, made for `audience`, and the pod has to exist. */
export async function reviewToken(
  api: KubeApi,
  audience: string,
  token: string,
  signal?: AbortSignal,
): Promise<TokenVerdict> {
  const { status } = await api.call<TokenReview>({
    method: 'POST',
    path: pathOf(resources.tokenReviews),
    body: {
      apiVersion: apiVersionOf(resources.tokenReviews),
      kind: resources.tokenReviews.kind,
      spec: { token, audiences: [audience] },
    },
    signal,
  });
  if (status.authenticated !== true) {
    return { refused: status.error?.includes('audience') === true ? 'audience' : 'invalid' };
  }
  // Authenticators that know no audiences name none: such a token is good for everything.
  if (status.audiences?.includes(audience) !== true) return { refused: 'audience' };
  const { username = '', extra = {} } = status.user ?? {};
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const podName = extra['authentication.kubernetes.io/pod-name']?.[0];
  const podUid = extra['authentication.kubernetes.io/pod-uid']?.[0];
  const [, namespace, serviceAccount] = account ?? [];
  if (!namespace || !serviceAccount || !podName || !podUid) return { refused: 'not-a-pod' };
  return { pod: { namespace, podName, podUid, serviceAccount }, expiresAtMs: expiryOf(token) };
}

/** Of a JWT that somebody else has checked. */
function expiryOf(token: string): number | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const { exp } = JSON.parse(payload) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

/** Who asked, as an admission request says it. */
export interface Subject {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface AccessQuestion {
  readonly verb: string;
  /** Plural. */
  readonly resource: string;
  /** Empty for the core group. */
  readonly group?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Whether somebody else may do something (SubjectAccessReview). */
export async function mayDo(
  api: KubeApi,
  { username, uid, groups, extra }: Subject,
  question: AccessQuestion,
  signal?: AbortSignal,
): Promise<boolean> {
  const { status } = await api.call<{ status: { allowed: boolean; denied?: boolean } }>({
    method: 'POST',
    path: pathOf(resources.accessReviews),
    body: {
      apiVersion: apiVersionOf(resources.accessReviews),
      kind: resources.accessReviews.kind,
      spec: { user: username, uid, groups, extra, resourceAttributes: question },
    },
    signal,
  });
  return status.allowed && status.denied !== true;
}

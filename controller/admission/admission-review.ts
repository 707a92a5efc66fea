import type { PatchOperation } from '../certificates/webhook-bundles.ts';

/** Who asks the API server. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The request of an AdmissionReview (admission.k8s.io/v1), as far as it is read here. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly namespace?: string;
  /** Empty when the API server is to make one up. */
  readonly name?: string;
  readonly userInfo: UserInfo;
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

export interface Verdict {
  readonly allowed: boolean;
  /** HTTP status and words for whoever asked; of a refusal. */
  readonly refusal?: { readonly code: number; readonly message: string };
  readonly patch?: readonly PatchOperation[];
  readonly warnings?: readonly string[];
}

/** Answers one request. What it throws becomes HTTP 500, for the failurePolicy to decide. */
export type AdmissionHandler = (
  request: AdmissionRequest,
  signal: AbortSignal,
) => Verdict | Promise<Verdict>;

export const allow = (warnings: readonly string[] = []): Verdict => ({ allowed: true, warnings });

export const refuse = (
  code: number,
  message: string,
  warnings: readonly string[] = [],
): Verdict => ({
  allowed: false,
  refusal: { code, message },
  warnings,
});

/** Reads the body of a review. @throws Error on anything that is none. */
export function readReview(text: string): AdmissionRequest {
  const review = JSON.parse(text) as {
    readonly apiVersion?: unknown;
    readonly kind?: unknown;
    readonly request?: Partial<AdmissionRequest> | null;
  } | null;
  const request = review?.request;
  if (
    review?.apiVersion !== 'admission.k8s.io/v1' ||
    review.kind !== 'AdmissionReview' ||
    typeof request?.uid !== 'string' ||
    typeof request.operation !== 'string' ||
    typeof request.userInfo !== 'object'
  ) {
    throw new Error('not an AdmissionReview of admission.k8s.io/v1');
  }
  return request as AdmissionRequest;
}

/** The API server cuts warnings at 4,096 bytes in all; whoever has so many needs no more. */
const mostWarnings = 8;

/** The answer as it goes out. */
export const reviewText = (
  uid: string,
  { allowed, refusal, patch = [], warnings = [] }: Verdict,
): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(refusal === undefined ? {} : { status: refusal }),
      ...(patch.length === 0
        ? {}
        : {
            patchType: 'JSONPatch',
            patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
          }),
      ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, mostWarnings) }),
    },
  });

/** Which pod a sidecar runs in: from its token, never from what it says. */
export interface PodIdentity {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
}

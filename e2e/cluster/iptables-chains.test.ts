import { expect, test } from 'vitest';
import { removalOf } from './iptables-chains.ts';

const saved = `*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-OTHER - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j KUBE-OTHER
-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE
-A KUBE-SERVICES -d 10.96.0.1/32 -g KUBE-OTHER
COMMIT
`;

test('rules that lead into our chains go, then the chains; those of others stay', () => {
  expect(removalOf('nat', saved, ['KUBE-SERVICES'])).toBe(`*nat
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-F KUBE-SERVICES
-X KUBE-SERVICES
COMMIT
`);
});

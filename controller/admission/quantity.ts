const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** What a quantity of Kubernetes (`100m`, `1.5`, `128Mi`) stands for: cores or bytes; undefined for what is none, or is not above 0. */
export function quantity(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)([A-Za-z]{0,2})$/.exec(text) ?? [];
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  if (digits === '' || factor === undefined || Number(digits) === 0) return undefined;
  return Number(digits) * factor;
}

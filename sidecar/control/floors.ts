import type { StateFolder } from './state-folder.ts';

/** What was last granted for good of each budget, on the disk: a sidecar that starts without the controller has it. */
export class Floors {
  readonly #state: Pick<StateFolder, 'read' | 'keep'>;
  readonly #byBudget: Map<string, number>;

  constructor(state: Pick<StateFolder, 'read' | 'keep'>) {
    this.#state = state;
    this.#byBudget = new Map(kept(state.read('floors')));
  }

  /** 0 = nothing was ever granted. */
  of(budget: string): number {
    return this.#byBudget.get(budget) ?? 0;
  }

  keep(budget: string, floor: number): void {
    if (floor === this.of(budget)) return;
    this.#byBudget.set(budget, floor);
    this.#state.keep('floors', JSON.stringify([...this.#byBudget]));
  }
}

/** What is damaged is told and left out by the folder. */
const kept = (text: string | undefined): [string, number][] =>
  text === undefined ? [] : (JSON.parse(text) as [string, number][]);

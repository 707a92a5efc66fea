/**
 * Whether something failed in a transaction that is not undone, on the server or before it got there. The server knows only of the former; a
 * Commit that was sent along with the rest must not commit what is left of it in either case.
 */
export class TransactionFailure {
  /** Savepoints that were set since the failure: to go back to one of them does not undo it. */
  #savepointsSince: Set<string> | undefined;

  get stands(): boolean {
    return this.#savepointsSince !== undefined;
  }

  happened(): void {
    this.#savepointsSince ??= new Set();
  }

  /** A control statement has worked. Going back to a savepoint from before the failure undoes it. */
  worked(control: string): void {
    if (this.#savepointsSince === undefined) return;
    const [, goesBack, name = ''] = /^(ROLLBACK TO )?SAVEPOINT (.*)$/s.exec(control) ?? [];
    if (name === '') return;
    if (goesBack === undefined) this.#savepointsSince.add(name);
    else if (!this.#savepointsSince.has(name)) this.#savepointsSince = undefined;
  }
}

// Original file: proto/holdfast/v1/database.proto


/**
 * Ends the transaction for good. Once it is on its way nothing cancels it: the answer is Committed, an error that says
 * the transaction was rolled back (reason `TRANSACTION_ROLLED_BACK`), or an error that says that nobody knows (`COMMIT_UNKNOWN`).
 */
export interface Commit {
}

/**
 * Ends the transaction for good. Once it is on its way nothing cancels it: the answer is Committed, an error that says
 * the transaction was rolled back (reason `TRANSACTION_ROLLED_BACK`), or an error that says that nobody knows (`COMMIT_UNKNOWN`).
 */
export interface Commit__Output {
}

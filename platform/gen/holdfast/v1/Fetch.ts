// Original file: proto/holdfast/v1/database.proto


/**
 * Reads on from a cursor that a statement of this transaction declared: `DECLARE c CURSOR FOR SELECT …`.
 */
export interface Fetch {
  'cursor'?: (string);
  /**
   * 1 to 100,000; 0 is 1,000. Fewer rows than asked for mean that the cursor is at its end.
   */
  'maxRows'?: (number);
}

/**
 * Reads on from a cursor that a statement of this transaction declared: `DECLARE c CURSOR FOR SELECT …`.
 */
export interface Fetch__Output {
  'cursor': (string);
  /**
   * 1 to 100,000; 0 is 1,000. Fewer rows than asked for mean that the cursor is at its end.
   */
  'maxRows': (number);
}

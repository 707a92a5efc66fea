// Original file: proto/holdfast/v1/database.proto


/**
 * One cell. `text` is unset for NULL, and set, perhaps empty, for everything else.
 */
export interface Cell {
  'text'?: (string);
  '_text'?: "text";
}

/**
 * One cell. `text` is unset for NULL, and set, perhaps empty, for everything else.
 */
export interface Cell__Output {
  'text'?: (string);
  '_text'?: "text";
}

/** The controller cannot start with these settings. The message is one line: what is wrong and what to do; it holds no secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

import { X509Certificate } from 'node:crypto';
import { SettingsError } from './settings-error.ts';
import { readText, type ReadFile } from './targets.ts';
import type { Variables } from './variables.ts';

/** Where the controller is, and how the two know each other. */
export interface ControllerSettings {
  /** `host:port` */
  readonly address: string;
  /** That its certificate has to be for. */
  readonly serverName: string;
  /** Authorities to believe: the text itself, or its file, which is read for each connection. */
  readonly ca: { readonly pem: string } | { readonly file: string };
  /** Read for each connection: it rotates. */
  readonly tokenFile: string;
}

/** The controller that the variables name. Throws SettingsError. */
export function controllerSettings(
  variables: Variables,
  readFile: ReadFile,
): ControllerSettings | undefined {
  const {
    HOLDFAST_CONTROLLER: address,
    HOLDFAST_CONTROLLER_CA: pem,
    HOLDFAST_CONTROLLER_CA_FILE: file,
  } = variables;
  if (address === undefined) return undefined;
  if (variables.HOLDFAST_POLICY_FILE !== undefined) {
    throw new SettingsError(
      'HOLDFAST_CONTROLLER and HOLDFAST_POLICY_FILE are both set: policies come from one of them, take the other away',
    );
  }
  if (variables.HOLDFAST_STATE_DIR === undefined) {
    throw new SettingsError(
      'HOLDFAST_CONTROLLER needs HOLDFAST_STATE_DIR: the last good policy is kept there',
    );
  }
  if ((pem === undefined) === (file === undefined)) {
    throw new SettingsError(
      'HOLDFAST_CONTROLLER needs either HOLDFAST_CONTROLLER_CA or HOLDFAST_CONTROLLER_CA_FILE: the authority of its certificate',
    );
  }
  const ca = file === undefined ? { pem: pem ?? '' } : { file };
  const name = 'pem' in ca ? 'HOLDFAST_CONTROLLER_CA' : `HOLDFAST_CONTROLLER_CA_FILE ${file}`;
  if (!isPem('pem' in ca ? ca.pem : readText(ca.file, 'HOLDFAST_CONTROLLER_CA_FILE', readFile))) {
    throw new SettingsError(`${name} holds no certificate in PEM`);
  }
  return {
    address,
    serverName: variables.HOLDFAST_CONTROLLER_NAME ?? hostOf(address),
    ca,
    tokenFile: variables.HOLDFAST_CONTROLLER_TOKEN_FILE,
  };
}

/** Whether a text begins with a certificate that can be read. */
export function isPem(text: string): boolean {
  try {
    void new X509Certificate(text);
    return true;
  } catch {
    return false;
  }
}

const hostOf = (address: string): string =>
  address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

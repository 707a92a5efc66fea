/** Writes the pods that injection makes of controller/admission/golden/*.in.yaml: `node scripts/injection-golden.ts`. Read the difference before you commit it. */
import { writeFileSync } from 'node:fs';
import {
  goldenAnswer,
  goldenNames,
  goldenPath,
  goldenRequest,
} from '../controller/admission/golden.test-kit.ts';

for (const name of goldenNames()) {
  writeFileSync(goldenPath(name, 'out'), goldenAnswer(goldenRequest(name)));
}

/** The function itself. */
import { nothing, timeCalls } from '../calls.ts';

await timeCalls(nothing);

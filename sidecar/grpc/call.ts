export * from '../../platform/call.ts';

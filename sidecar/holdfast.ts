#!/usr/bin/env node
/** The command `holdfast`. */
const help = `usage: holdfast sidecar [options]   serve; see holdfast sidecar --help
       holdfast controller [options]   serve as the controller of a cluster; see holdfast controller --help
       holdfast migrate [options]   bring schema holdfast up to date; see holdfast migrate --help
       holdfast inspect [options]   what a running sidecar goes by; see holdfast inspect --help
       holdfast policy check FILE...   say what is wrong with policies; see holdfast policy --help
`;

const [command, ...rest] = process.argv.slice(2);
switch (command) {
  case 'sidecar':
    process.argv.splice(2, 1);
    await import('./main.ts');
    break;
  case 'controller':
    process.argv.splice(2, 1);
    await import('../controller/main.ts');
    break;
  case 'migrate': {
    const { migrateCommand } = await import('./migrate-command.ts');
    process.exitCode = await migrateCommand(rest, process.env);
    break;
  }
  case 'inspect': {
    const { inspectCommand } = await import('./inspect-command.ts');
    process.exitCode = await inspectCommand(rest, process.env);
    break;
  }
  case 'policy': {
    const { policyCommand } = await import('./policy-command.ts');
    process.exitCode = await policyCommand(rest);
    break;
  }
  case '--help':
    process.stdout.write(help);
    break;
  default:
    process.stderr.write(help);
    process.exitCode = 64;
}

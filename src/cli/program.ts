import { Command } from 'commander'
import { readConfig } from '../config.ts'
import { registerBoundsCommand } from './boundsCommand.ts'
import { registerDataCommands } from './dataCommands.ts'
import { registerFlagCommands } from './flagCommands.ts'
import { registerIngestCommand } from './ingestCommand.ts'
import { registerPathsCommand } from './pathsCommand.ts'
import { registerPinCommands } from './pinCommands.ts'
import { registerProofCommands } from './proofCommands.ts'
import { registerReachCommand } from './reachCommand.ts'
import { registerServiceCommands } from './serviceCommands.ts'
import { registerStoreCommands } from './storeCommands.ts'
import { registerTraceCommands } from './traceCommands.ts'
import { registerWalletCommands } from './walletCommands.ts'

/** The command line of design section 15. */
export function createProgram(env: NodeJS.ProcessEnv): Command {
  const config = readConfig(env)
  const program = new Command('jejak')
    .description(
      'Follows scam proceeds across EVM chains: from a flagged wallet to named ends, every unit accounted for.',
    )
    .version('0.1.0')
    .option('--store <place>', 'folder of the store, or neo4j://host:port', config.store)
    .option('--json', 'answers for programs instead of tables')
    .exitOverride()
    .showHelpAfterError('(jejak --help shows what there is)')
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', help)
  // Every command finds the settings where it finds its options.
  program.setOptionValueWithSource('settings', config, 'config')
  const context = { program, config }
  registerServiceCommands(context)
  registerDataCommands(context)
  registerFlagCommands(context)
  registerIngestCommand(context)
  registerWalletCommands(context)
  registerProofCommands(context)
  registerTraceCommands(context)
  registerPathsCommand(context)
  registerReachCommand(context)
  registerBoundsCommand(context)
  registerPinCommands(context)
  registerStoreCommands(context)
  return program
}

const help = `
Examples:
  jejak start                                       sample case, outcome table, service on http://127.0.0.1:7717
  jejak import transfers.csv --complete             read a file that holds everything of its addresses
  jejak tags import labels.csv                      name services, so that traces end there
  jejak trace --seed-address 0x… --side sent        where did the money go?
  jejak paths --from 0x… --to 0x… --by bottleneck   by which payments can it have got there?
  jejak flag eip155:1:0x… --reason "victim report 17" --source "hotline"     a wallet, a payment or a transaction
  jejak ingest --rpc http://127.0.0.1:8545          follow what is flagged, reading wallets from a node
  jejak flags eip155:1:0x…                          what was read for it, why, and what that changed
  jejak prove 0x… --blocks 17000000-17010000 --rpc URL --rpc URL2   prove that nothing is missing or invented

Exit codes: 0 done · 1 refused or conflicting input · 2 wrong usage · 3 file not readable · 4 store or node ·
5 not found · 70 a bug · 130 interrupted`

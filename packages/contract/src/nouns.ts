import { address } from './nouns/address.ts'
import { addressBlock } from './nouns/address-block.ts'
import { agent } from './nouns/agent.ts'
import { attachment } from './nouns/attachment.ts'
import { blueprint } from './nouns/blueprint.ts'
import { cartographer } from './nouns/cartographer.ts'
import { complex } from './nouns/complex.ts'
import { configChange } from './nouns/config.ts'
import { dependency } from './nouns/dependency.ts'
import { dhcp } from './nouns/dhcp.ts'
import { dns } from './nouns/dns.ts'
import { entry } from './nouns/entry.ts'
import { foundation } from './nouns/foundation.ts'
import { networkInterface } from './nouns/interface.ts'
import { job } from './nouns/job.ts'
import { network } from './nouns/network.ts'
import { note } from './nouns/note.ts'
import { plot } from './nouns/plot.ts'
import { plugin } from './nouns/plugin.ts'
import { pxe } from './nouns/pxe.ts'
import { script } from './nouns/script.ts'
import { secret } from './nouns/secret.ts'
import { service } from './nouns/service.ts'
import { site } from './nouns/site.ts'
import { structure } from './nouns/structure.ts'
import { token } from './nouns/token.ts'
import { zone } from './nouns/zone.ts'

/** All nouns, in the order in which documents have them: the one list that a new noun is added to. */
export const nouns = {
  ...{ site, blueprint, script, pxe },
  ...{ foundation, structure, complex, dependency, job, attachment },
  ...{ cartographer, plot, note },
  ...{ addressBlock, network, networkInterface, address, zone, entry, dns, dhcp },
  ...{ configChange, secret, service, token, agent, plugin },
} as const

import { compile } from '../src/index.ts'

/** A script as they are: 32 lines, blocks, branches, calls of the host. */
const TYPICAL = `# pxe boot and install
check_port = 22
tries = 0

if ( foundation.type == 'Cloud' ) then
  begin( description='Provision in the cloud' )
    # is there and running
  end

elif ( foundation.type == 'Container' ) then
  begin( description='Provision a container', max_time=10:00 )
    check_port = config.check_port
    foundation.start()
  end

else
  begin( description='Provision from the installer', expected_time=20:00 )
    if not structure.provisioning_interface then
      fatal_error( msg='Provisioning Interface Not Defined' )

    dhcp.set_pxe( interface=structure.provisioning_interface, pxe=config.installer_pxe )
    while ( not foundation.power and ( tries < 3 ) ) do
    begin()
      tries = ( tries + 1 )
      foundation.power_on()
      delay( seconds=( 30 * tries ) )
    end
    foundation.wait_for_poweroff()
  end
iputils.wait_for_port( target=structure.primary_ip, port=check_port )
list = [ { name='h1', free=2 }, { name='h2', free=9 } ]
message( msg=( 'up after ' . tries ) )
`

/** Lines of many shapes, each with names and numbers of its own. */
function scriptOf(lines: number): string {
  const forms: ((at: number) => string)[] = [
    at => `host_${at} = { name='h${at}', free=${at} }`,
    at => `total_${at} = ( ${at} + ( ${at} * 3 ) )`,
    at => `if ( total_${at - 1} > ${at} ) then message( msg='larger than ${at}' )`,
    at => `begin( description='step ${at}' )`,
    at => `  foundation.power_on( name=host_${at - 4}['name'], port=${at} )`,
    at => `  list_${at} = [ ${at}, 'two', [ None, True ], 1:${10 + (at % 50)} ] # remark`,
    () => 'end',
    at => `while ( total_${at - 6} < ${at * 10} ) do total_${at - 6} = ( total_${at - 6} * 2 )`,
    at => `text_${at} = ( 'a' . host_${at - 8}['name'] . total_${at - 7} )`,
    at => `if exists( host_${at - 9}['free'] ) then pass else error( msg='gone' )`,
  ]
  return Array.from({ length: lines }, (_, at) => (forms[at % forms.length] as (at: number) => string)(at + 10)).join(
    '\n',
  )
}

function millisecondsOf(text: string, rounds: number): number {
  const times: number[] = []
  for (let count = 0; count < rounds; count++) {
    const start = performance.now()
    if (!compile(text).ok) throw new Error('a script of the benchmark does not compile')
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number
}

function measureParse(): object {
  // The first time of all: the grammar's shapes are not yet known.
  const coldMsPerScript = round(millisecondsOf(TYPICAL, 1), 3)
  const [hundred, fourThousand] = [scriptOf(100), scriptOf(4000)]
  for (let count = 0; count < 20; count++) compile(fourThousand)
  return {
    bench: 'tscript/parse',
    msPerScript: round(millisecondsOf(TYPICAL, 300), 3),
    linesPerSecond100: Math.round((100 / millisecondsOf(hundred, 300)) * 1000),
    linesPerSecond4000: Math.round((4000 / millisecondsOf(fourThousand, 15)) * 1000),
    coldMsPerScript,
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

export const benchmarks = { 'tscript/parse': measureParse }

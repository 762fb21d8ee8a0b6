/**
 * How outlets are read and switched, by maker: a new one is a row. `N` in an object identifier is the outlet's number. Read from
 * the makers' own MIBs, which are named.
 */
export interface PduModel {
  readonly name: string
  readonly mib: string
  /** Where each outlet's state is, and which values are on and off; others are neither, as one that is about to change. */
  readonly state: { readonly oid: string; readonly on: readonly string[]; readonly off: readonly string[] }
  readonly on: { readonly oid: string; readonly value: string }
  readonly off: { readonly oid: string; readonly value: string }
  /** Where each outlet's name is. */
  readonly label: string
}

const apc = '1.3.6.1.4.1.318.1.1.12.3'
const raritan = '1.3.6.1.4.1.13742.6'
const servertech = '1.3.6.1.4.1.1718.3.2.3.1'
const eaton = '1.3.6.1.4.1.534.6.6.7.6'

export const models = [
  {
    name: 'apc',
    mib: 'PowerNet-MIB, rPDUOutletControlTable',
    state: { oid: `${apc}.5.1.1.4.N`, on: ['1'], off: ['2'] },
    on: { oid: `${apc}.3.1.1.4.N`, value: '1' },
    off: { oid: `${apc}.3.1.1.4.N`, value: '2' },
    label: `${apc}.3.1.1.2.N`,
  },
  {
    name: 'raritan',
    mib: 'PDU2-MIB, outletSwitchControlTable',
    state: { oid: `${raritan}.4.1.2.1.3.1.N`, on: ['7'], off: ['8'] },
    on: { oid: `${raritan}.4.1.2.1.2.1.N`, value: '1' },
    off: { oid: `${raritan}.4.1.2.1.2.1.N`, value: '0' },
    label: `${raritan}.3.5.3.1.3.1.N`,
  },
  {
    name: 'servertech',
    mib: 'Sentry3-MIB, outletTable',
    state: { oid: `${servertech}.5.1.1.N`, on: ['1'], off: ['0'] },
    on: { oid: `${servertech}.11.1.1.N`, value: '1' },
    off: { oid: `${servertech}.11.1.1.N`, value: '2' },
    label: `${servertech}.3.1.1.N`,
  },
  {
    name: 'eaton',
    mib: 'EATON-EPDU-MIB, outletControlTable',
    state: { oid: `${eaton}.6.1.2.0.N`, on: ['1'], off: ['0'] },
    // The number of seconds until it is so.
    on: { oid: `${eaton}.6.1.4.0.N`, value: '0' },
    off: { oid: `${eaton}.6.1.3.0.N`, value: '0' },
    label: `${eaton}.1.1.3.0.N`,
  },
] as const satisfies readonly PduModel[]

export const modelNames = models.map(model => model.name) as [(typeof models)[number]['name']]

/** An object identifier for one outlet. */
export const atOutlet = (oid: string, outlet: number): string => oid.replace(/N$/, String(outlet))

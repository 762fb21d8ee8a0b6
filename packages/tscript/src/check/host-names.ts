/** What the host offers to programs: for each module its values and its functions with their parameters. */
export interface HostNames {
  [module: string]: {
    values?: { [name: string]: { writable?: boolean } }
    functions?: {
      [name: string]: {
        parameters: { [name: string]: { required: boolean } }
        /** Others are passed over when it is called: they are warned of, and are no mistake. */
        ignoresOthers?: boolean
      }
    }
    /** The names of this module are not known in advance and not checked. */
    open?: boolean
  }
}

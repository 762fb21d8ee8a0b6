/**
 * A script's own mistake at run time. It never leaves the machine: it becomes a stop `aborted`, or the answer False of
 * `exists( … )`.
 */
export class Fault extends Error {}

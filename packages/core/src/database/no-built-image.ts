/** What stands for the image of `dist` where the sources run: there is none. */
export const builtImage: { migration: number; data: string } | undefined = undefined

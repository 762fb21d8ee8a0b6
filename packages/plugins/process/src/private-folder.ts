/** Kept inside the working directory: marker, supervisor's pid files, state and log. Scripts do not write there. */
export const privateFolder = '.contractor'

/** Stands in a word for what a shell would put there and nobody knows beforehand. A noncharacter: no command line has a use for it. */
export const UNKNOWN_TEXT = '\uffff';

/** Apart from the commands, so that only an import loads what reads the file. */
export { readEarlierCredentials } from '@warren/platform';

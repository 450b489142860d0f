/** The version of the published package. A test holds it equal to package.json: reading that file would cost each start more than this. */
export const VERSION = '0.1.0';

/** Certificates for servers of ours, apart from the walls: whoever needs those alone does not load this. */
export { type MadeCertificate, makeCertificate } from './make-certificate.ts';

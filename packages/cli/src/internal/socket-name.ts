/** Of the daemon's unix socket, in its state directory. */
export const SOCKET_NAME = 'warren.sock';

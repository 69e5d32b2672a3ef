// Makes Electron notice new sockets and pipes.
//
// Electron runs Node's event loop in turns: a thread polls it, and the main thread takes a turn when there is something
// to do. With libuv up to 1.43 (Electron 22), a turn can end without the thread learning of a socket or pipe that was
// opened during it: the wake-up that announces the change is swallowed by another one of the same turn, for example the
// end of a file operation. The connection is then noticed when the next timer fires, seconds later. Newer versions of
// libuv check what was opened before they wait.

import type { ClientRequest } from "node:http";

/**
 * Makes the event loop take one more turn, which notices every socket and pipe that has been opened by now. Without a
 * timer: it costs nothing later. The first callback runs at the end of this turn, the second in the turn that it forces.
 */
export function takeAnotherTurn(): void {
  setImmediate(() => setImmediate(() => undefined));
}

/** Makes Electron notice the connection of a request: when it is opened, and when it can be read from. */
export function noticeConnection(request: ClientRequest): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    takeAnotherTurn();
    socket.once("connect", takeAnotherTurn);
  });
}

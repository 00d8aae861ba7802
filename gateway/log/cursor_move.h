/*
 * cursor_move -- one cursor takes another's place in the log.
 *
 * For a drain that replaces another: it goes on where that one stood.
 */
#ifndef CURSOR_MOVE_H
#define CURSOR_MOVE_H

#include "log/cursor.h"

/*
 * Both stand in the same log; `to` was just opened and has sent nothing.
 * Afterwards `to` has before it, in order, all that `from` had not let go of:
 * what was handed over and is not released counts as never sent, and gaps
 * are said again.  Lines that `to` does not want are told to its `filtered`.
 * `from` is as after cursor_close, but lost nothing.
 */
void cursor_move(struct cursor *to, struct cursor *from);

#endif

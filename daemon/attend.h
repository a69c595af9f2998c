/* attend.h - the stand-in's side of state_dir/attend.sock: who is being served, and when to end.
 *
 * A client connects, reads one byte 'R', works over inlet.sock, shuts its writing side down and reads to the end. If others
 * are still served it gets its end at once; the last one gets it when this process exits, with the lock released before. */
#ifndef INLET_ATTEND_H
#define INLET_ATTEND_H

#include "daemon/base/err.h"

#include <systemd/sd-event.h>

struct attend;
/* on_deserted runs once in the loop when the last client has gone, or none came for 15 s. */
int attend_open(sd_event *loop, int state_dir, void (*on_deserted)(void *arg), void *arg, struct attend **ret, struct err *err);
void attend_close(struct attend *a); /* after the loop; connections stay open until the process ends. NULL allowed */

#endif

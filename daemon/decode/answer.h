/* answer.h - the daemon reads what a worker left in the result file, and believes none of it. */
#ifndef INLET_DECODE_ANSWER_H
#define INLET_DECODE_ANSWER_H

#include "daemon/decode/pool.h"
#include "daemon/decode/protocol.h"

/* Copies the sections of a DECODED answer out of fd (pread into our own memory: a worker that still writes changes
 * nothing that was looked at) and checks the copies: facts are one JSON object on one line, texts are UTF-8, images
 * begin as JPEG or PNG. done has passed wire_done_check(). ERR_RETRY with what it lied about. *ret is filled on success
 * only. */
int answer_read(int fd, const struct wire_done *done, const struct wire_job *job, struct decode_result *ret,
		struct err *err);

#endif

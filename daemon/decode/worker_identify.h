/* worker_identify.h - what bytes are, by libmagic and never by a file's name, and which of them are refused. */
#ifndef INLET_DECODE_WORKER_IDENTIFY_H
#define INLET_DECODE_WORKER_IDENTIFY_H

#include "daemon/base/err.h"
#include "daemon/decode/protocol.h"
#include "daemon/model/state.h"

struct identity {
	enum media media;
	char type[WIRE_TYPE_MAX]; /* "image/jpeg" */
};

int identify_init(struct err *err); /* loads libmagic's database: before the sandbox */
/* ERR_REJECT, *ret filled all the same: nothing that could be labeled (empty, an archive, a program) or that is not safe to decode (SVG). */
int identify(const uint8_t *bytes, size_t size, struct identity *ret, struct err *err);

#endif
